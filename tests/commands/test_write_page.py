"""Which cases the page shows, and that it can be written anew without its pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelwise.commands.write_page import pick_cases, write_page
from pixelwise.core.errors import BadRun


def test_few_cases_are_all_shown() -> None:
    assert pick_cases(0) == []
    assert pick_cases(1) == [(0, "the only case")]
    assert pick_cases(3) == [(0, "worst"), (1, "2 of 3"), (2, "best")]
    assert [position for position, _ in pick_cases(9)] == list(range(9))


@pytest.mark.parametrize("n_cases", [10, 11, 200])
def test_many_cases_are_picked_from_worst_middle_and_best(n_cases: int) -> None:
    positions = [position for position, _ in pick_cases(n_cases)]
    middle = n_cases // 2
    assert positions == [
        0, 1, 2, middle - 1, middle, middle + 1, n_cases - 3, n_cases - 2, n_cases - 1,
    ]  # fmt: skip
    assert len(set(positions)) == 9


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(BadRun, match="no such folder"):
        write_page(tmp_path / "missing")
