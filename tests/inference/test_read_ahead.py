"""Reading beside the network: order, bounds, errors, and threads that end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator

import pytest

from pixelwise.inference.read_ahead import ReadAhead

SECONDS = 5.0


def wait_until(is_true: Callable[[], bool]) -> None:
    """Until a condition holds, with an end."""
    deadline = time.monotonic() + SECONDS
    while not is_true():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.001)


def count(n: int, made: list[int], threads: set[int] | None = None) -> Generator[int, None, None]:
    """0 to n - 1, noting what was made and in which threads; the end is noted as -1."""
    try:
        for number in range(n):
            made.append(number)
            if threads is not None:
                threads.add(threading.get_ident())
            yield number
    finally:
        made.append(-1)
        if threads is not None:
            threads.add(threading.get_ident())


def test_items_come_in_order_and_the_generator_knows_one_thread_only() -> None:
    made: list[int] = []
    threads: set[int] = set()
    with ReadAhead(lambda: count(100, made, threads), lambda _: 1, 3) as items:
        assert list(items) == list(range(100))
        assert list(items) == []
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_it_reads_ahead_as_far_as_the_weights_allow() -> None:
    made: list[int] = []
    with ReadAhead(lambda: count(10, made), lambda _: 2, 6) as items:
        wait_until(lambda: len(made) == 4)
        time.sleep(0.05)
        assert made == [0, 1, 2, 3], "three wait, the fourth is in the hand"
        assert next(items) == 0
        wait_until(lambda: len(made) == 5)


def test_an_item_that_weighs_more_than_all_is_let_through() -> None:
    made: list[int] = []
    with ReadAhead(lambda: count(3, made), lambda _: 100, 1) as items:
        assert list(items) == [0, 1, 2]


def test_an_error_is_raised_where_its_item_was_due() -> None:
    def broken() -> Generator[int, None, None]:
        yield 1
        raise ValueError("no second")

    found = []
    with (
        ReadAhead(broken, lambda _: 1, 10) as items,
        pytest.raises(ValueError, match="no second"),
    ):
        for item in items:
            found.append(item)
    assert found == [1]


@pytest.mark.parametrize("n_taken", [0, 1])
def test_leaving_early_ends_generator_and_thread(n_taken: int) -> None:
    made: list[int] = []
    before = threading.active_count()
    with (
        pytest.raises(KeyboardInterrupt),
        ReadAhead(lambda: count(1000, made), lambda _: 1, 2) as items,
    ):
        for _ in range(n_taken):
            next(items)
        raise KeyboardInterrupt
    assert made[-1] == -1, "the generator was closed"
    assert len(made) < 10
    assert threading.active_count() == before
