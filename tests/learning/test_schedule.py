"""The schedule by hand-worked examples: how far it is, and which learning rate belongs there."""

from __future__ import annotations

import itertools
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelwise.core.plan import OptimizerSection
from pixelwise.learning.schedule import Pace, TimeLine, learning_rate_at, progress_at, steer

OPTIMIZER = OptimizerSection(
    learning_rate=0.1,
    weight_decay=0.0,
    warmup_share=0.2,
    final_share=0.01,
    averaging=0.9,
    gradient_clip=1.0,
)


def test_an_even_pace() -> None:
    pace = ((0, 100),)
    assert [progress_at(step, pace) for step in (0, 25, 100, 130)] == [0, 0.25, 1, 1]


def test_a_refitted_pace() -> None:
    """A quarter is done at step 25; the other three quarters are spread over steps 25 to 55.

    At step 40 half of these are done: 0.25 + 0.75 / 2. Refitted again there to end at 60:
    at step 50 half of the rest is done: 0.625 + 0.375 / 2.
    """
    pace = ((0, 100), (25, 55))
    assert progress_at(25, pace) == 0.25
    assert progress_at(40, pace) == pytest.approx(0.625)
    assert progress_at(55, pace) == pytest.approx(1)
    again = (*pace, (40, 60))
    assert progress_at(30, again) == pytest.approx(0.25 + 0.75 / 6)
    assert progress_at(50, again) == pytest.approx(0.8125)


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(1, 90)), max_size=5),
    st.integers(1, 80),
)
def test_progress_never_goes_back(changes: list[tuple[int, int]], end: int) -> None:
    pace, step = [(0, end)], 0
    for gap, length in changes:
        step += gap
        pace.append((step, step + length))
    values = [progress_at(i, tuple(pace)) for i in range(step + 100)]
    assert all(0 <= a <= b <= 1 for a, b in itertools.pairwise(values))
    assert values[-1] == pytest.approx(1)


def test_a_pace_that_came_later_does_not_change_the_past() -> None:
    """What is stored at the end repeats each step as it was taken."""
    short, long = ((0, 100), (30, 70)), ((0, 100), (30, 70), (50, 90))
    assert [progress_at(i, short) for i in range(51)] == [progress_at(i, long) for i in range(51)]


@pytest.mark.parametrize(
    ("progress", "rate"),
    [
        (0.0, 0.001),  # a hundredth, so that the first step moves at all
        (0.1, 0.05),  # half of the warm-up
        (0.2, 0.1),  # its end: the full rate
        (0.6, 0.1 * (0.01 + 0.99 / 2)),  # half of the cosine
        (0.4, 0.1 * (0.01 + 0.99 * (1 + math.sqrt(0.5)) / 2)),  # a quarter of it
        (1.0, 0.001),  # the end
    ],
)
def test_learning_rates(progress: float, rate: float) -> None:
    assert learning_rate_at(progress, OPTIMIZER) == pytest.approx(rate)


@pytest.mark.parametrize(("warmup", "progress", "rate"), [(0.0, 0.0, 0.1), (1.0, 1.0, 0.1)])
def test_without_a_warmup_and_with_nothing_else(
    warmup: float, progress: float, rate: float
) -> None:
    section = OPTIMIZER.model_copy(update={"warmup_share": warmup})
    assert learning_rate_at(progress, section) == pytest.approx(rate)


def test_the_clock_by_hand() -> None:
    """100 s from time 50 on, a fifth of the schedule done before: half of the rest at time 100."""
    line = TimeLine(50.0, 150.0, 0.2)
    found = [line.progress_at(now) for now in (40, 50, 100, 150, 200)]
    assert found == pytest.approx([0.2, 0.2, 0.6, 1.0, 1.0])


def test_steering_by_hand() -> None:
    """1,000 s for what was thought to be 1,000 steps: one step a second.

    At step 100 and second 105 the schedule is within 1 %. At second 300 it lags by 0.2: it meets
    the clock 30 s later at 0.33, so 0.23 are gained in 30 steps and 0.9 would take 117. At second
    80 it is 0.02 ahead: it meets the clock at 0.11, so 0.01 in 30 steps, and 0.9 would take 2,700.
    At second 20 it is further ahead than the clock comes in 30 s: a tenth of the usual 0.03.
    """
    pace, line = ((0, 1000),), TimeLine(0.0, 1000.0)
    assert steer(pace, 100, line, 105.0, 1.0) == pace
    assert steer(pace, 100, line, 300.0, 1.0) == ((0, 1000), (100, 217))
    assert steer(pace, 100, line, 80.0, 1.0) == ((0, 1000), (100, 2800))
    assert steer(pace, 100, line, 20.0, 1.0) == ((0, 1000), (100, 9100))
    replaced = steer(((0, 1000), (100, 200)), 100, line, 300.0, 1.0)
    assert replaced == ((0, 1000), (100, 217)), "two entries at one step make no sense"


def _train(durations: list[float], budget: float) -> tuple[list[float], Pace]:
    """How far off the clock each step was, and the pace: steps that take so long, one by one."""
    line, now, pace, off = TimeLine(0.0, budget), 0.0, ((0, 40),), []
    for step, seconds in enumerate(durations, start=1):
        now += seconds
        if now > budget:
            break
        pace = steer(pace, step, line, now, statistics.median(durations[max(0, step - 9) : step]))
        off.append(progress_at(step, pace) - line.progress_at(now))
    return off, pace


def test_a_stall_costs_the_schedule_its_own_time_only() -> None:
    """Steps of 1 s, of which the 20th takes 20 s: soon after, and at the end, all is on time."""
    off, _ = _train([1.0] * 20 + [20.0] + [1.0] * 200, 120.0)
    assert off[20] < -0.1
    assert max(abs(value) for value in off[28:]) < 0.03
    assert abs(off[-1]) < 0.03


@given(st.lists(st.floats(0.2, 3.0), min_size=300, max_size=300))
def test_jittering_steps_leave_the_schedule_on_the_clock(durations: list[float]) -> None:
    off, pace = _train(durations, 200.0)
    assert max(abs(value) for value in off[10:]) < 0.15
    assert len(pace) <= len(off) + 1
