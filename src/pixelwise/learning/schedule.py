"""How far a training is, and the learning rate that belongs there; it follows the clock."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pixelwise.core.plan import OptimizerSection

Pace = tuple[tuple[int, int], ...]
"""(step, last step) pairs: from each step on, the rest was spread over the steps up to that end."""

_OFF = 0.01
"""Progress by steps may be this far from progress by the clock before it is corrected."""

_MEET_AGAIN, _FEWEST_AHEAD = 0.03, 4
"""A correction is spread over this share of the training, and over at least so many steps."""

_SLOWEST = 0.1
"""A schedule that is ahead of the clock goes on at no less than this share of its usual speed."""


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


@dataclass(frozen=True, slots=True)
class TimeLine:
    """Progress as the clock has it: `done` when the training went on at `started`, 1 at `deadline`.

    Both times are on `time.monotonic`.
    """

    started: float
    deadline: float
    done: float = 0.0

    def progress_at(self, now: float) -> float:
        """Share of the schedule that ought to lie behind at a time, 0 to 1."""
        share = (now - self.started) / max(self.deadline - self.started, 1e-9)
        return self.done + (1.0 - self.done) * min(max(share, 0.0), 1.0)


def steer(pace: Pace, step: int, line: TimeLine, now: float, seconds_per_step: float) -> Pace:
    """The pace, with a new entry if its progress has left that of the clock by over 1 %.

    The new entry meets the clock again a little later, if steps go on taking as long as they
    do. Where steps were slow for a while the schedule so catches up with the clock, where they
    were fast it waits for it: the learning rate ends where it should, and a stall costs no more
    of the schedule than the time that it took.
    """
    done = progress_at(step, pace)
    if abs(done - line.progress_at(now)) <= _OFF:
        return pace
    length = line.deadline - line.started
    ahead = min(max(_MEET_AGAIN * length, _FEWEST_AHEAD * seconds_per_step), line.deadline - now)
    steps = max(1.0, ahead / max(seconds_per_step, 1e-9))
    usual = line.progress_at(now + ahead) - line.progress_at(now)
    gain = max(line.progress_at(now + ahead) - done, _SLOWEST * usual, 1e-6)
    end = step + max(1, round((1.0 - done) * steps / gain))
    kept = pace[:-1] if pace[-1][0] == step else pace
    return (*kept, (step, end))
