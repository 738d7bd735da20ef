"""Running commands as a user does, and a tiny run that many tests look at."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pixelwise.cli import main

TINY = (
    "network.name=unet",
    "network.options.width=4",
    "network.options.depth=2",
    "sampling.batch=2",
    "sampling.patch=[32,32]",
    "training.validation_cases=1",
)
"""Settings with which a step takes milliseconds."""

QUICK_SAVES = (
    "import pixelwise.commands.train as t; t.SAVE_SECONDS = 0.3; t.INTERVAL_SECONDS = 0.15; "
    "from pixelwise.cli import main; main()"
)
"""The same command line, saving every third of a second instead of every twenty seconds."""


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Answer]


def as_settings(*settings: str) -> list[str]:
    return [word for setting in (*TINY, *settings) for word in ("--set", setting)]


def run_words(*words: object) -> Answer:
    result = CliRunner().invoke(main, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answer(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="session")
def run() -> Run:
    """Calls the command line in this process."""
    return run_words


@pytest.fixture(scope="session")
def tiny_run(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of eight steps on the tiny data. Read only."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    answer = run_words(
        "train", tiny_data, "--run", folder, *as_settings("training.steps=8"), "--budget", "60s"
    )
    assert answer.code == 0, answer.err
    return folder


def start_process(*words: object) -> subprocess.Popen[str]:
    """The command line in a process of its own, with quick saves."""
    command = [sys.executable, "-c", QUICK_SAVES, *(str(word) for word in words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
