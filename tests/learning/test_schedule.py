"""The schedule by hand-worked examples: how far it is, and which learning rate belongs there."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelwise.core.plan import OptimizerSection
from pixelwise.learning.schedule import learning_rate_at, progress_at, refit

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


def test_refitting_by_hand() -> None:
    """At step 20 of 100, 40 s are left. 0.5 s a step: 80 more, as planned. 1 s: ends at 60."""
    pace = ((0, 100),)
    assert refit(pace, 20, 0.5, 40.0) == pace
    assert refit(pace, 20, 0.505, 40.0) == pace, "within 2 % of the steps left"
    assert refit(pace, 20, 1.0, 40.0) == ((0, 100), (20, 60))
    assert refit(pace, 20, 0.25, 40.0) == ((0, 100), (20, 180))
    assert refit(((0, 100), (20, 60)), 20, 0.5, 40.0) == ((0, 100), (20, 100))
    assert refit(pace, 20, 0.5, -3.0)[-1] == (20, 21), "one more step when time is over"
