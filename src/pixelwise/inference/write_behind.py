"""Writing goes on beside the network, in one thread and in order.

Reading does not: generators that were advanced in a thread and ended in another crashed
Python 3.11.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

DEPTH = 3
"""Calls that wait at most: enough to bridge a slow one, little memory."""


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
