"""Distances against a slow twin, closed forms, and values that other tools publish."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.twins import slow_metrics as slow

from pixelwise import metrics
from pixelwise.core.errors import BadData

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


def ball(
    radius: float, centre: tuple[int, int, int], spacing: tuple[float, ...] = (1, 1, 1)
) -> np.ndarray:
    axes = np.ogrid[:99, :99, :99]
    return np.asarray(
        sum((a * s - c) ** 2 for a, s, c in zip(axes, spacing, centre, strict=True)) <= radius**2
    )


MONAI_SPACING = (0.85, 1.2, 0.9)


@pytest.mark.parametrize(
    ("predicted", "truth", "spacing", "percentile", "directed", "both"),
    [
        ((20, (20, 20, 20)), (20, (19, 19, 19)), None, None, 1.7320508, 1.7320508),
        ((33, (19, 33, 22)), (33, (20, 33, 22)), None, None, 1.0, 1.0),
        ((20, (20, 33, 22)), (40, (20, 33, 22)), None, None, 20.0997512, 20.2237484),
        ((20, (20, 33, 22)), (40, (20, 33, 22)), None, 95, None, 20.0997512),
        ((20, (20, 20, 20)), (20, (19, 19, 19)), MONAI_SPACING, None, 2.0808651, 2.2671568),
        ((15, (20, 33, 22)), (30, (20, 33, 22)), MONAI_SPACING, None, 15.4396410, 15.62594),
    ],
)
def test_published_values_of_monai(
    predicted: tuple, truth: tuple, spacing: tuple | None, percentile: float | None,
    directed: float | None, both: float,
) -> None:  # fmt: skip
    """Source: MONAI, tests of HausdorffDistanceMetric (Euclidean rows), rebuilt."""
    one = ball(*truth, *([spacing] if spacing else []))
    other = ball(*predicted, *([spacing] if spacing else []))
    if percentile is None:
        assert metrics.hd(one, other, spacing) == pytest.approx(both, rel=1e-6)
        assert metrics.hd(one, other, spacing, directed=True) == pytest.approx(directed, rel=1e-6)
    else:
        found = metrics.hd95(one, other, spacing, percentile=percentile, convention="monai")
        assert found == pytest.approx(both, rel=1e-6)


def test_published_surface_dice_of_monai() -> None:
    """Source: MONAI, tests of SurfaceDiceMetric: a half plane shifted by ten pixels."""
    truth, predicted = np.zeros((480, 640), bool), np.zeros((480, 640), bool)
    truth[:, 60:] = predicted[:, 50:] = True
    expected = 1 - (478 + 480 + 9 * 2) / (480 * 4 + 588 * 2 + 578 * 2)
    assert metrics.nsd(truth, predicted, tolerance=0) == pytest.approx(expected)
    spacing = (0.85, 1.2)
    assert metrics.nsd(truth, predicted, spacing, tolerance=12) == 1
    lines = np.zeros((2, 10, 10), bool)
    lines[0, 5:8, 6] = lines[1, 1:4, 1] = True
    assert metrics.nsd(*lines, tolerance=5.5) == pytest.approx(1 - 4 / 6)
    assert metrics.nsd(*lines, tolerance=6) == pytest.approx(1 - 2 / 6)


def test_published_surface_dice_of_monai_in_3d() -> None:
    """Source: MONAI, tests of SurfaceDiceMetric: a half space shifted by ten voxels."""
    truth, predicted = np.zeros((200, 110, 80), bool), np.zeros((200, 110, 80), bool)
    truth[..., 30:] = predicted[..., 20:] = True
    wrong = 200 * 110 + 198 * 108 + 9 * 200 * 2 + 9 * 108 * 2
    rims = 200 * 110 * 4 + (58 + 48) * 200 * 2 + (58 + 48) * 108 * 2
    assert metrics.nsd(truth, predicted, tolerance=0) == pytest.approx(1 - wrong / rims)


def test_published_values_of_deepmind_two_pixels() -> None:
    """Source: DeepMind surface-distance, 2D test of two pixels two apart."""
    masks = np.zeros((2, 128, 128), bool)
    masks[0, 50, 70] = masks[1, 50, 72] = True
    spacing = (2, 1)
    for direction in ("predicted-to-truth", "truth-to-predicted"):
        assert metrics.asd(*masks, spacing, direction=direction, surface="mesh") == 1.5
    assert metrics.hd95(*masks, spacing, convention="deepmind", percentile=100) == 2.0
    assert metrics.hd95(*masks, spacing, convention="deepmind") == 2.0
    assert metrics.nsd(*masks, spacing, tolerance=1, surface="mesh") == 0.5


def test_published_values_of_deepmind_two_squares() -> None:
    """Source: DeepMind surface-distance, 2D test of a square that grew by one row."""
    masks = np.zeros((2, 6, 6), bool)
    masks[0, 1:3, 1:3] = masks[1, 1:4, 1:3] = True
    vertical, horizontal = 2, 1
    diagonal = 0.5 * math.sqrt(5)
    truth_length = 4 * diagonal + 2 * horizontal + 2 * vertical
    predicted_length = 4 * diagonal + 2 * horizontal + 4 * vertical
    spacing = (vertical, horizontal)
    to_predicted = metrics.asd(
        *masks, spacing, convention="deepmind", direction="truth-to-predicted"
    )
    assert to_predicted == pytest.approx(horizontal * horizontal / truth_length)
    to_truth = metrics.asd(*masks, spacing, surface="mesh")
    far = 2 * diagonal + horizontal
    assert to_truth == pytest.approx(vertical * far / predicted_length)


@pytest.mark.parametrize("shape", [(128, 128), (32, 32, 32)])
def test_published_degenerate_values_of_deepmind(shape: tuple[int, ...]) -> None:
    """Source: DeepMind surface-distance, tests of empty masks (both empty is inf there)."""
    one, empty = np.zeros(shape, bool), np.zeros(shape, bool)
    one[tuple(n // 2 for n in shape)] = True
    for pair in ((one, empty), (empty, one)):
        assert metrics.hd(*pair) == metrics.hd95(*pair) == math.inf
        assert metrics.nsd(*pair, tolerance=1) == 0
        assert metrics.dice(*pair) == 0
    assert math.isnan(metrics.nsd(empty, empty, tolerance=1))
    assert math.isnan(metrics.dice(empty, empty))


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
