"""Results in order, problems at once, and a stop that begins nothing more."""

from __future__ import annotations

import threading
import time

import pytest

from pixelwise.commands.ordered_work import work_in_order
from pixelwise.core.errors import BadData
from pixelwise.core.progress import SILENT


def test_in_order_whatever_takes_longer() -> None:
    def work(n: int) -> int:
        time.sleep(0.002 * (5 - n % 5))
        return n * n

    assert list(work_in_order(work, range(40), SILENT, "", n_workers=3)) == [
        n * n for n in range(40)
    ]


def test_all_problems_at_once_each_said_once() -> None:
    def work(n: int) -> int:
        if n % 2:
            raise BadData("odd" if n < 4 else f"{n} is odd")
        return n

    with pytest.raises(BadData) as caught:
        list(work_in_order(work, range(7), SILENT, "", n_workers=2))
    assert [problem.what for problem in caught.value.problems] == ["odd", "5 is odd"]


def test_ctrl_c_begins_nothing_more() -> None:
    begun = []
    lock = threading.Lock()

    def work(n: int) -> int:
        with lock:
            begun.append(n)
        time.sleep(0.01)
        return n

    with pytest.raises(KeyboardInterrupt):
        for n in work_in_order(work, range(1000), SILENT, "", n_workers=2):
            if n == 3:
                raise KeyboardInterrupt
    n_begun = len(begun)
    time.sleep(0.05)
    assert n_begun < 30
    assert len(begun) == n_begun
