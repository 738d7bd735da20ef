"""What every registered metric keeps: perfect is best, worse is worse, empty cases are stated."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

from pixelwise.metrics import METRICS
from pixelwise.metrics.pair import pair_of

NAMES = METRICS.names()
SHAPES = [(24, 31), (9, 12, 14)]


def make_mask(shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[tuple(slice(2, n // 2 + 1) for n in shape)] = True
    return mask


def score(name: str, truth: np.ndarray, predicted: np.ndarray) -> float:
    entry = METRICS.find(name)
    required = {option.name: 1.0 for option in entry.options.values() if option.is_required}
    return float(entry.part(pair_of(truth, predicted, None), **required))


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_given(name: str) -> None:
    facts = METRICS.find(name).facts
    assert {"family", "best", "higher_is_better", "unit", "pools"} <= set(facts)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_perfect_is_best(name: str, shape: tuple[int, ...]) -> None:
    mask = make_mask(shape)
    assert score(name, mask, mask) == pytest.approx(METRICS.find(name).facts["best"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_is_better_than_best(name: str, shape: tuple[int, ...]) -> None:
    facts, truth = METRICS.find(name).facts, make_mask(shape)
    generator = np.random.default_rng(0)
    for _ in range(4):
        value = score(name, truth, generator.random(shape) < 0.4)
        if facts["higher_is_better"]:
            assert value <= facts["best"]
        elif facts["best"] == 0:
            assert value >= 0 or math.isnan(value)


@pytest.mark.parametrize("name", NAMES)
def test_both_empty_is_stated(name: str) -> None:
    empty = np.zeros((6, 7), bool)
    value = score(name, empty, empty)
    assert math.isnan(value) or value == METRICS.find(name).facts["best"]
    text = (inspect.getdoc(METRICS.find(name).part) or "").lower()
    assert any(word in text for word in ("empty", "nan", "nothing"))


@pytest.mark.parametrize("name", NAMES)
def test_exactly_one_empty_is_no_crash(name: str) -> None:
    empty, mask = np.zeros((12, 13), bool), make_mask((12, 13))
    for truth, predicted in ((empty, mask), (mask, empty)):
        assert isinstance(score(name, truth, predicted), float)
