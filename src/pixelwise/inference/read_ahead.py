"""Work that goes on beside the network: reading the next tiles, writing the last answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

Item = TypeVar("Item")

DEPTH = 3
"""Items that wait at most on either side: enough to bridge a slow one, little memory."""


def read_ahead(items: Iterator[Item], depth: int = DEPTH) -> Iterator[Item]:
    """The same items in the same order, prepared by one thread up to `depth` ahead.

    An exception of `items` is raised where its item was due. Closing ends the thread after
    the item that it is at.
    """
    end = object()
    waiting: deque[Future[Any]] = deque()
    pool = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
    try:
        waiting.extend(pool.submit(next, items, end) for _ in range(depth))
        while True:
            item = waiting.popleft().result()
            if item is end:
                return
            waiting.append(pool.submit(next, items, end))
            yield item
    finally:
        pool.shutdown(cancel_futures=True)


class WriteBehind:
    """Runs calls one after the other in a thread; leaving the block waits for all of them.

    An exception of a call is raised at a later call, or at the end; the calls after it are
    then dropped. When the block is left by an exception, what is waiting is dropped.
    """

    def __init__(self, depth: int = DEPTH) -> None:
        self._depth = depth
        self._waiting: deque[Future[None]] = deque()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="write-behind")

    def submit(self, call: Callable[..., None], *arguments: Any) -> None:
        """Add a call; waits while too many are ahead of it."""
        while len(self._waiting) >= self._depth:
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(call, *arguments))

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
                self._waiting.popleft().result()
        finally:
            self._pool.shutdown(cancel_futures=True)
