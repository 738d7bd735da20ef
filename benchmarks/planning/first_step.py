"""A training that notes when its first step was done and how much memory it took.

python -m benchmarks.planning.first_step DATA RUN BUDGET ANSWER.json
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from pixelwise.commands.train import train
from pixelwise.core.runtime import peak_bytes, seconds_since_start
from pixelwise.runs.folder import RunFolder


class _Watch:
    """A listener that keeps when the first figures of the training came, and what was said when."""

    def __init__(self) -> None:
        self.first_record = 0.0
        self.said: list[tuple[float, str]] = []

    def say(self, text: str) -> None:
        """Keep a sentence with its time."""
        self.said.append((round(seconds_since_start(), 2), text))

    def advance(self, done: float, total: float, text: str) -> None:
        """Keep the time of the first figures that hold a loss."""
        if "loss" in text and not self.first_record:
            self.first_record = seconds_since_start()


def main(data: str, run: str, budget: str, answer: str) -> None:
    """Train, and write what was seen."""
    watch = _Watch()
    started = time.monotonic()
    result = train(data, run=run, budget=budget, thumbnails=False, listener=watch)
    first = RunFolder(Path(run)).read_history()[0]
    found = {
        "first_step_seconds": watch.first_record - first.seconds + first.seconds / first.step,
        "seconds": time.monotonic() - started,
        "peak_bytes": peak_bytes(),
        "steps": result.steps,
        "said": watch.said,
    }
    Path(answer).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
