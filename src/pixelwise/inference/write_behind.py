"""Writing goes on beside the network, in one thread and in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

LEAST, CAPACITY = 3, 1 << 21
"""Calls that may wait whatever they hold, and pixels that may wait in all: many small images, whose
files take longer to write than their pixels, or a few large tiles."""


class WriteBehind:
    """Runs calls one after the other in a thread; leaving the block waits for all of them.

    An exception of a call is raised at a later call, or at the end; the calls after it are
    then dropped. When the block is left by an exception, what is waiting is dropped.
    """

    def __init__(self, capacity: int = CAPACITY, least: int = LEAST) -> None:
        self._capacity = capacity
        self._least = least
        self._weight = 0
        self._waiting: deque[tuple[Future[None], int]] = deque()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="write-behind")

    def submit(self, weight: int, call: Callable[..., None], *arguments: Any) -> None:
        """Add a call that holds so many pixels; waits while too much is ahead of it."""
        while len(self._waiting) >= self._least and self._weight + weight > self._capacity:
            self._take_first()
        self._waiting.append((self._pool.submit(call, *arguments), weight))
        self._weight += weight

    def _take_first(self) -> None:
        future, weight = self._waiting.popleft()
        self._weight -= weight
        future.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            while error is None and self._waiting:
                self._take_first()
        finally:
            self._pool.shutdown(cancel_futures=True)
