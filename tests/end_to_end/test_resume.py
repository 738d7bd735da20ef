"""Stopped, killed, resumed: the weights are those of an undisturbed run, bit for bit."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import Run, as_settings, start_process

N_STEPS = 260


@pytest.fixture(scope="module")
def straight_run(run: Run, tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("straight") / "run"
    settings = as_settings(f"training.steps={N_STEPS}", "training.threads=1")
    answer = run("train", tiny_data, "--run", folder, *settings)
    assert answer.code == 0, answer.err
    return folder


def interrupt(process: subprocess.Popen[str], folder: Path, how: signal.Signals) -> None:
    """Send a signal as soon as the first state is on the disk."""
    deadline = time.monotonic() + 90
    while not (folder / "state.safetensors").exists():
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(how)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_interrupted_and_resumed_equals_straight(
    run: Run, tiny_data: Path, straight_run: Path, tmp_path: Path, how: signal.Signals
) -> None:
    folder = tmp_path / "run"
    process = start_process(
        "train", tiny_data, "--run", folder, "--plan", straight_run / "plan.json"
    )
    interrupt(process, folder, how)
    _, err = process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGKILL if how == signal.SIGKILL else 130), err
    assert "Traceback" not in err
    if how == signal.SIGINT:
        assert (folder / "network.safetensors").exists()
        assert run("predict", folder, tiny_data / "images", "--out", tmp_path / "out").code == 0
    answer = run("train", "--run", folder, "--resume")
    assert answer.code == 0, answer.err
    name = "network.safetensors"
    assert (folder / name).read_bytes() == (straight_run / name).read_bytes()
    history = json.loads((folder / "history.json").read_text())
    records = history if isinstance(history, list) else history["records"]
    steps = [record["step"] for record in records]
    assert steps == sorted(set(steps))
    assert steps[-1] == N_STEPS


def test_the_plan_of_a_run_repeats_it(
    run: Run, tiny_data: Path, straight_run: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "again"
    answer = run("train", tiny_data, "--run", folder, "--plan", straight_run / "plan.json")
    assert answer.code == 0, answer.err
    name = "network.safetensors"
    assert (folder / name).read_bytes() == (straight_run / name).read_bytes()


def test_resume_of_a_finished_run_changes_nothing(run: Run, straight_run: Path) -> None:
    before = (straight_run / "network.safetensors").read_bytes()
    answer = run("train", "--run", straight_run, "--resume")
    assert answer.code in (0, 2)
    assert (straight_run / "network.safetensors").read_bytes() == before
