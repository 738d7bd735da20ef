"""The README's commands and code, run in order on built-in data with small budgets."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pixelwise.commands import demo

from .conftest import TINY, Run

ROOT = Path(__file__).resolve().parents[2]
BUDGET = "10s"
OURS = "pixelwise "
TAKES_SETTINGS = ("plan", "train")
QUICK = (*TINY, "training.steps=4")


def read_blocks() -> list[tuple[str, str]]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def shortened(line: str) -> list[str]:
    """The words of a command with a small budget, and a tiny network unless it has its own."""
    words = shlex.split(line, comments=True)[1:]
    words = [BUDGET if before == "--budget" else word for before, word in zip(["", *words], words)]
    if words[0] in TAKES_SETTINGS:
        own = "--use" in words
        settings = [s for s in QUICK if not (own and s.startswith("network."))]
        words += [word for setting in settings for word in ("--set", setting)]
    return words


def run_block(run: Run, block: str) -> None:
    for line in block.splitlines():
        if line.startswith(OURS):
            answer = run(*shortened(line))
            assert answer.code == 0, f"{line}\n{answer.err}"


def run_python(block: str) -> None:
    name = re.match(r"# (\w+\.py)\n", block)
    if name:
        Path(name.group(1)).write_text(block, encoding="utf-8")
        return
    code = re.sub(r'budget="\w+"', f'budget="{BUDGET}", settings={QUICK!r}', block)
    exec(compile(code, "README.md", "exec"), {})


def test_blocks_run(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"N_TRAIN": 4, "N_VAL": 1, "N_TEST": 2, "SHAPE": (64, 64)}.items():
        monkeypatch.setattr(demo, name, value)
    answer = run("demo", "--budget", BUDGET)
    assert answer.code == 0, answer.err
    for language, block in read_blocks():
        if language == "sh":
            run_block(run, block)
        elif language == "python":
            run_python(block)
    assert (tmp_path / "runs" / "first" / "report.html").exists()
    assert len(list((tmp_path / "labels-own").glob("case-*.png"))) == 7


def test_links_lead_somewhere() -> None:
    for page in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (ROOT / target).exists(), f"{page} points to {target}"
