"""Reading goes on beside the network, in one thread, in order and as far ahead as memory allows.

The thread makes the generator that reads, advances it and ends it: generators that were advanced
in one thread and ended in another crashed Python 3.11.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class ReadAhead(Generic[Item]):
    """Iterates over what `produce` yields, which happens in a thread while the block lasts.

    weigh: what an item holds while it waits. Once `capacity` is waiting, the thread pauses; a
    single item may weigh more. An exception of `produce` is raised where its item was due.
    Leaving the block ends the thread after the item that it is at.
    """

    def __init__(
        self,
        produce: Callable[[], Generator[Item, None, None]],
        weigh: Callable[[Item], int],
        capacity: int,
    ) -> None:
        self._produce = produce
        self._weigh = weigh
        self._capacity = capacity
        self._waiting: deque[tuple[Item, int]] = deque()
        self._weight = 0
        self._error: BaseException | None = None
        self._is_stopped = self._is_over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="read-ahead", daemon=True)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Item:
        with self._changed:
            while not self._waiting and not self._is_over:
                self._changed.wait()
            if self._waiting:
                item, weight = self._waiting.popleft()
                self._weight -= weight
                self._changed.notify_all()
                return item
            if self._error is not None:
                error, self._error = self._error, None
                raise error
        raise StopIteration

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._thread.join()
        self._waiting.clear()

    def _work(self) -> None:
        error: BaseException | None = None
        try:
            items = self._produce()
            try:
                for item in items:
                    if not self._add(item):
                        break
            finally:
                items.close()
        except BaseException as raised:  # it belongs to whoever iterates
            error = raised
        with self._changed:
            self._error = error
            self._is_over = True
            self._changed.notify_all()

    def _add(self, item: Item) -> bool:
        """Whether more is wanted."""
        weight = self._weigh(item)
        with self._changed:
            while self._weight and self._weight + weight > self._capacity and not self._is_stopped:
                self._changed.wait()
            self._waiting.append((item, weight))
            self._weight += weight
            self._changed.notify_all()
            return not self._is_stopped
