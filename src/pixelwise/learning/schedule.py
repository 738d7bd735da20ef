"""How far a training is, and the learning rate that belongs there; fitted to a time budget."""

from __future__ import annotations

import math

from pixelwise.core.plan import OptimizerSection

Pace = tuple[tuple[int, int], ...]
"""(step, expected last step) pairs: from each step on, the rest was fitted to that end."""


def progress_at(step: int, pace: Pace) -> float:
    """Share of the schedule that lies behind `step`, 0 to 1.

    From each entry (start, end) of the pace on, what was left of the schedule is spread
    evenly over the steps from start to end. It depends on the pace and the step alone, so
    a stored pace repeats the schedule exactly.
    """
    done = 0.0
    for index, (start, end) in enumerate(pace):
        until = pace[index + 1][0] if index + 1 < len(pace) else step
        until = min(until, step)
        if until <= start:
            break
        done += (1.0 - done) * min(1.0, (until - start) / max(end - start, 1))
    return min(done, 1.0)


def learning_rate_at(progress: float, section: OptimizerSection) -> float:
    """Linear warm-up, then half a cosine down to `final_share` of the learning rate."""
    warmup = section.warmup_share
    if progress < warmup:
        return section.learning_rate * max(progress / warmup, 0.01)
    position = (progress - warmup) / max(1.0 - warmup, 1e-9)
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(position, 1.0)))
    return section.learning_rate * (section.final_share + (1.0 - section.final_share) * cosine)


def refit(
    pace: Pace, step: int, seconds_per_step: float, seconds_left: float, *, tolerance: float = 0.02
) -> Pace:
    """The pace, with a new entry if the measured step time moves the end by over 2 %."""
    expected = step + max(1, int(seconds_left / max(seconds_per_step, 1e-9)))
    planned = pace[-1][1]
    left = max(planned - step, 1)
    if abs(expected - planned) <= tolerance * left:
        return pace
    kept = pace[:-1] if pace[-1][0] == step else pace
    return (*kept, (step, expected))
