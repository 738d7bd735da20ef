"""Times of ways that take turns, so that a disturbance meets all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

Seconds = dict[str, list[float]]


def take_turns(ways: Mapping[str, Callable[[], object]], rounds: int) -> Seconds:
    """Seconds of each way, round after round; their order turns around every round."""
    seconds: Seconds = {name: [] for name in ways}
    for number in range(rounds):
        order = list(ways.items())
        for name, way in order if number % 2 == 0 else reversed(order):
            started = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(slow: list[float], fast: list[float]) -> float:
    """How many times as long one takes as the other: the median over rounds."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))
