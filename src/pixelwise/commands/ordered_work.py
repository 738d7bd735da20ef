"""Work on many items with every core: results in order, memory bounded, Ctrl-C clean."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from pixelwise.core.errors import BadData, Problem, UserError
from pixelwise.core.progress import Listener
from pixelwise.core.runtime import usable_cores

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 4
"""Results that may wait for each worker."""


def work_in_order(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    listener: Listener,
    text: str,
    *,
    n_workers: int | None = None,
) -> Iterator[Result]:
    """Yield the result of every item in order; items are worked on in threads.

    Problems of all items are collected, each said once. Raises BadData with them at the
    end. When the caller stops, so does the work: nothing more is begun.
    """
    problems: list[Problem] = []
    for done, outcome in enumerate(_outcomes(work, items, n_workers or usable_cores()), start=1):
        listener.advance(done, len(items), text)
        if isinstance(outcome, UserError):
            problems += outcome.problems
        elif not problems:
            yield outcome
    if problems:
        raise BadData(dict.fromkeys(problems))


def _outcomes(
    work: Callable[[Item], Result], items: Iterable[Item], n_workers: int
) -> Iterator[Result | UserError]:
    def guarded(item: Item) -> Result | UserError:
        try:
            return work(item)
        except UserError as error:
            return error

    left = iter(items)
    waiting: deque[Future[Result | UserError]] = deque()
    pool = ThreadPoolExecutor(n_workers)
    try:
        waiting.extend(pool.submit(guarded, item) for item in islice(left, _AHEAD * n_workers))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(guarded, item) for item in islice(left, 1))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
