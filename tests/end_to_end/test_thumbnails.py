"""Data that must not leave: no command brings a pixel back into the report of such a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelwise.commands.evaluate import evaluate
from pixelwise.commands.scoring_options import ScoringOptions
from pixelwise.commands.train import train
from pixelwise.commands.write_page import pick_cases

SHORT = ("training.steps=2", "network.options.width=4", "sampling.batch=2")


def test_no_later_command_brings_pictures_back(tiny_data: Path, tmp_path: Path) -> None:
    made = train(tiny_data, run=tmp_path / "run", settings=SHORT, thumbnails=False)
    assert "data:image" not in made.report.read_text(encoding="utf-8")
    scored = evaluate(made.run, options=ScoringOptions(split="test"), out=tmp_path / "scores")
    assert "data:image" not in scored.written[0].read_text(encoding="utf-8")
    page = made.report.read_text(encoding="utf-8")
    assert "Scores on 1 test case" in page
    assert "data:image" not in page and "--no-thumbnails" in page


@pytest.mark.parametrize(
    ("n_cases", "captions"),
    [
        (0, []),
        (1, ["the only case"]),
        (3, ["worst", "2 of 3", "best"]),
    ],
)
def test_all_of_few_cases_are_shown(n_cases: int, captions: list[str]) -> None:
    assert pick_cases(n_cases) == list(enumerate(captions))


def test_of_many_cases_the_ends_and_the_middle_are_shown() -> None:
    assert [position for position, _ in pick_cases(100)] == [0, 1, 2, 49, 50, 51, 97, 98, 99]
