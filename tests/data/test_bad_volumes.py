"""Every fault of volumes ends with its verdict, and the page that lists them is current."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelwise.commands.check import check
from tests.data.bad_volumes import FAULTS, PAGE, Fault, make_page, verdict_of


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.title)
def test_the_fault_is_said_and_located(fault: Fault, tmp_path: Path) -> None:
    fault.make(tmp_path)
    result = check(tmp_path)
    assert verdict_of(result) == fault.verdict
    said = [problem for problem in result.problems if problem.code == fault.code]
    assert bool(said) == bool(fault.code)
    assert all(str(tmp_path) in problem.path for problem in said)
    if fault.verdict == "refused":
        assert all(problem.remedy for problem in said)


def test_the_page_is_current() -> None:
    is_current = PAGE.read_text(encoding="utf-8") == make_page()
    assert is_current, "run `python -m tests.data.bad_volumes`"
