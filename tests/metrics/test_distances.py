"""Distances against a slow twin, closed forms, and values that other tools publish."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelwise import metrics
from pixelwise.core.errors import BadData
from tests.twins import slow_metrics as slow

SPACINGS = {2: [(1.0, 1.0), (2.0, 0.7)], 3: [(1.0, 1.0, 1.0), (3.0, 0.5, 1.25)]}


@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3]), st.integers(0, 1))
@settings(deadline=None)
def test_equals_the_slow_twin(seed: int, n_dims: int, which: int) -> None:
    generator = np.random.default_rng(seed)
    shape = tuple(generator.integers(1, 8, n_dims))
    truth, predicted = (generator.random(shape) < generator.random() for _ in range(2))
    truth.flat[0] = predicted.flat[-1] = True
    spacing = SPACINGS[n_dims][which]
    tolerance = 1.0 if math.dist((0,) * n_dims, np.multiply(shape, spacing)) >= 1 else 0.1
    expected = slow.distance_metrics(truth, predicted, spacing, tolerance)
    assert metrics.hd(truth, predicted, spacing) == pytest.approx(expected["hd"], rel=1e-9)
    assert metrics.hd95(truth, predicted, spacing) == pytest.approx(expected["hd95"], rel=1e-9)
    pooled = metrics.hd95(truth, predicted, spacing, convention="medpy")
    assert pooled == pytest.approx(expected["pooled"], rel=1e-9)
    assert metrics.assd(truth, predicted, spacing) == pytest.approx(expected["assd"], rel=1e-9)
    assert metrics.masd(truth, predicted, spacing) == pytest.approx(expected["masd"], rel=1e-9)
    nsd = metrics.nsd(truth, predicted, spacing, tolerance=tolerance)
    assert nsd == pytest.approx(expected["nsd"], rel=1e-9)


def square_with_spur() -> tuple[np.ndarray, np.ndarray]:
    truth = np.zeros((60, 60), bool)
    truth[20:40, 20:40] = True
    predicted = truth.copy()
    predicted[30, 40:52] = True
    return truth, predicted


def test_one_toy_different_conventions() -> None:
    """A 20 x 20 square with a spur of 12: known values of each tool."""
    truth, predicted = square_with_spur()
    assert metrics.hd(truth, predicted) == 12
    assert metrics.hd95(truth, predicted) == pytest.approx(7.70)
    assert metrics.hd95(truth, predicted, convention="monai") == pytest.approx(7.70)
    assert metrics.hd95(truth, predicted, convention="medpy") == pytest.approx(3.90)
    assert metrics.hd95(truth, predicted, convention="panoptica") == pytest.approx(3.90)
    assert metrics.hd95(truth, predicted, convention="deepmind") == 10.0
    assert metrics.assd(truth, predicted) == pytest.approx(0.4847, abs=5e-5)
    assert metrics.masd(truth, predicted) == pytest.approx(0.4549, abs=5e-5)
    assert metrics.assd(truth, predicted, convention="panoptica") == pytest.approx(0.4549, abs=5e-5)
    assert metrics.nsd(truth, predicted, tolerance=1) == pytest.approx(0.9325, abs=5e-5)
    mesh = metrics.nsd(truth, predicted, tolerance=1, surface="mesh")
    assert mesh == pytest.approx(0.8814, abs=5e-5)


def test_order_is_truth_then_predicted() -> None:
    truth, predicted = square_with_spur()
    assert metrics.hd(truth, predicted, directed=True) == 12
    assert metrics.hd(predicted, truth, directed=True) == 1
    assert metrics.asd(truth, predicted) == pytest.approx(0.8966, abs=5e-5)  # MONAI, directed


def test_closed_forms_of_shifted_boxes_and_rings() -> None:
    box = np.zeros((30, 30), bool)
    box[5:15, 5:15] = True
    moved = np.roll(box, (3, 4), (0, 1))
    assert metrics.hd(box, moved) == 5
    assert metrics.hd(box, moved, (2, 1)) == pytest.approx(math.hypot(6, 4))
    yy, xx = np.ogrid[:101, :101]
    distance = np.hypot(yy - 50, xx - 50)
    disc, ring = distance <= 30, (distance <= 30) & (distance > 10)
    assert metrics.hd(disc, ring) == pytest.approx(20, abs=1)
    assert metrics.dice(disc, ring) == pytest.approx(2 * 800 / 1700, abs=0.01)


def test_missing_object_by_every_rule() -> None:
    one, empty = np.ones((3, 4), bool), np.zeros((3, 4), bool)
    assert metrics.hd95(one, empty, (1, 1), one_empty="diagonal") == 5
    assert math.isnan(metrics.hd95(one, empty, one_empty="nan"))
    assert metrics.assd(one, empty) == math.inf


@pytest.mark.parametrize("tolerance", [-1.0, math.nan, math.inf, 1000.0])
def test_a_tolerance_of_the_wrong_kind_is_refused(tolerance: float) -> None:
    one = np.ones((8, 8), bool)
    with pytest.raises(BadData, match="tolerance"):
        metrics.nsd(one, one, tolerance=tolerance)
