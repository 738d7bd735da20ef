"""How a training command divides its wall-clock time: training, scoring, report."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from pixelwise.core.errors import BadPlan
from pixelwise.core.plan import Plan
from pixelwise.core.quantities import format_bytes, format_duration
from pixelwise.core.records import Facts
from pixelwise.core.runtime import peak_bytes
from pixelwise.planning.candidate import Measurement
from pixelwise.runs.folder import RunFolder

TAIL_SHARE = 0.2
"""At most this share of the budget goes into scoring the validation cases at the end."""

_REPORT_SECONDS = 4.0

_PIXEL_SECONDS, _CLASS_SECONDS = 4e-7, 2e-7
"""Reading, writing and scoring a pixel, and scoring it for one more class; measured."""

FEWEST_STEPS = 5
"""A budget that leaves fewer steps than this is refused: nothing would be learned."""


@dataclass(frozen=True, slots=True)
class Clock:
    """When the command began and how long it may take (None: as long as the steps need)."""

    started: float
    budget_seconds: float | None

    def deadline(self, tail_seconds: float) -> float | None:
        if self.budget_seconds is None:
            return None
        return self.started + self.budget_seconds - tail_seconds


@dataclass(frozen=True, slots=True)
class TimePart:
    """A share of the time of a training command by name."""

    name: str
    seconds: float


def expected_times(
    clock: Clock, plan: Plan, facts: Facts, measured: Measurement
) -> tuple[TimePart, ...]:
    """How the time of a training will be spent, in order; what has gone by so far comes first."""
    spent = time.monotonic() - clock.started
    scoring = _scoring_seconds(plan, facts, measured.pixels_per_second)
    if clock.budget_seconds is None:
        tail = scoring + _REPORT_SECONDS
        training = (plan.training.steps or 0) * measured.step_seconds
    else:
        tail = _limited(scoring, clock.budget_seconds)
        training = max(0.0, clock.budget_seconds - spent - tail)
    report = min(_REPORT_SECONDS, tail)
    return (
        TimePart("reading and measuring", spent),
        TimePart("training and looking at validation cases", training),
        TimePart("scoring", tail - report),
        TimePart("report", report),
    )


def require_time(clock: Clock, plan: Plan, facts: Facts, measured: Measurement) -> None:
    """Raise BadPlan, naming the shortest sensible budget, if next to nothing could be trained."""
    if clock.budget_seconds is None:
        return
    step = measured.step_seconds
    spent = time.monotonic() - clock.started
    scoring = _scoring_seconds(plan, facts, measured.pixels_per_second)
    tail = _limited(scoring, clock.budget_seconds)
    if clock.budget_seconds - spent - tail >= FEWEST_STEPS * step:
        return
    least = spent + _REPORT_SECONDS + 10 * FEWEST_STEPS * step
    shortest = min(least + scoring, least / (1 - TAIL_SHARE))
    raise BadPlan(
        f"a budget of {format_duration(clock.budget_seconds)} leaves time for fewer than "
        f"{FEWEST_STEPS} training steps: reading and measuring took {format_duration(spent)}, a "
        f"step takes {format_duration(step)}",
        f"at least {format_duration(10 * math.ceil(shortest / 10))} on this machine",
        "Give more time with --budget, or a smaller network.",
        code="short-budget",
    )


def note_cost(folder: RunFolder, clock: Clock) -> None:
    """Write down what a training took beside what was planned."""
    planned, budget = folder.read_status().get("expected_bytes"), clock.budget_seconds
    cost = {
        "time of this session": format_duration(time.monotonic() - clock.started)
        + ("" if budget is None else f", planned {format_duration(budget)}"),
        "memory at the peak": format_bytes(peak_bytes())
        + ("" if planned is None else f", planned {format_bytes(planned)}"),
    }
    folder.save_environment(folder.read_environment() | cost)


def _pixels(facts: Facts, ids: set[str]) -> int:
    return sum(math.prod(case.shape) for case in facts.cases if case.id in ids)


def _scoring_seconds(plan: Plan, facts: Facts, pixels_per_second: float) -> float:
    pixels = _pixels(facts, set(plan.data.splits.get("val", ())))
    scoring = (_PIXEL_SECONDS + _CLASS_SECONDS * len(plan.data.classes)) * pixels
    return 1.6 * pixels / pixels_per_second + scoring


def tail_seconds(folder: RunFolder, plan: Plan, facts: Facts, clock: Clock) -> float:
    """What to keep free for scoring the validation cases and writing the report."""
    rate = float(folder.read_status().get("pixels_per_second", 1e6))
    wanted = _scoring_seconds(plan, facts, rate)
    return _limited(wanted, clock.budget_seconds or math.inf)


def _limited(scoring_seconds: float, budget_seconds: float) -> float:
    report = min(_REPORT_SECONDS, 0.1 * budget_seconds)
    return min(scoring_seconds, TAIL_SHARE * budget_seconds) + report
