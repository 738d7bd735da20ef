"""The tables of the terminal."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.console import Console

from pixelwise.core.errors import Problem
from pixelwise.core.records import Summary
from pixelwise.report.content import ReportContent
from pixelwise.report.terminal import plan_table, problems_table, summary_table


@pytest.fixture
def console() -> Console:
    return Console(width=160, record=True, file=None, quiet=False, force_terminal=False)


def shown(console: Console, what: object) -> str:
    with console.capture() as capture:
        console.print(what)
    return capture.get()


def test_scores_say_direction_and_what_they_are(console: Console, summary: Summary) -> None:
    text = shown(console, summary_table(summary, "test"))
    assert "Dice ↑" in text and "HD95 ↓" in text
    assert "Mean Dice of “cell” over 9 test cases" in text
    assert "9 of 9" in text


def test_plan_shows_reasons_and_on_demand_all(
    console: Console, make_content: Callable[..., ReportContent]
) -> None:
    plan = make_content().plan
    text = shown(console, plan_table(plan))
    assert "Patches give many different examples" in text and "weight_decay" not in text
    assert "weight_decay" in shown(console, plan_table(plan, whole=True))


def test_problems_come_errors_first_and_brackets_stay(console: Console) -> None:
    problems = [
        Problem("is odd", path="[red]a.png", severity="note"),
        Problem("is broken", "a picture", "Replace it."),
    ]
    text = shown(console, problems_table(problems))
    assert text.index("error") < text.index("note")
    assert "[red]a.png: is odd" in text
    assert "Expected a picture. Replace it." in text
