"""Values that DeepMind publishes in the tests of surface-distance, rebuilt as data.

Source: github.com/google-deepmind/surface-distance, surface_distance_test.py (Apache-2.0).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from pixelwise import metrics
from pixelwise.core.errors import BadData, ShapeMismatch

INF, NAN = math.inf, math.nan
ON_PIXELS = (50, 60, 70)


@dataclass(frozen=True)
class Published:
    """asd: from the truth, and from the prediction; nsd at 1 mm."""

    name: str
    truth: np.ndarray
    predicted: np.ndarray
    spacing: tuple[float, ...]
    asd: tuple[float, float]
    hd100: float
    hd95: float
    nsd: float
    dice: float


def dot(shape: tuple[int, ...], *place: int) -> np.ndarray:
    mask = np.zeros(shape, bool)
    if place:
        mask[place] = True
    return mask


def half(n: int) -> np.ndarray:
    mask = np.zeros((100, 100, 100), bool)
    mask[:n] = True
    return mask


FLAT, CUBE = (128, 128), (128, 128, 128)
CASES = [
    Published("2D two pixels 2 mm apart", dot(FLAT, 50, 70), dot(FLAT, 50, 72), (2, 1),
              (1.5, 1.5), 2.0, 2.0, 0.5, 0.0),
    Published("2D empty prediction", dot(FLAT, 50, 60), dot(FLAT), (3, 2),
              (INF, NAN), INF, INF, 0.0, 0.0),
    Published("2D empty truth", dot(FLAT), dot(FLAT, 50, 60), (3, 2),
              (NAN, INF), INF, INF, 0.0, 0.0),
    Published("2D both empty", dot(FLAT), dot(FLAT), (3, 2), (NAN, NAN), INF, INF, NAN, NAN),
    Published("3D two voxels 2 mm apart", dot(CUBE, 50, 60, 70), dot(CUBE, 50, 60, 72), (3, 2, 1),
              (1.5, 1.5), 2.0, 2.0, 0.5, 0.0),
    Published("3D half spaces one voxel apart", half(50), half(51), (2, 1, 1),
              (0.322, 0.339), 2.0, 2.0, 0.836, 0.990),
    Published("3D empty prediction", dot(CUBE, 50, 60, 70), dot(CUBE), (3, 2, 1),
              (INF, NAN), INF, INF, 0.0, 0.0),
    Published("3D empty truth", dot(CUBE), dot(CUBE, 50, 60, 72), (3, 2, 1),
              (NAN, INF), INF, INF, 0.0, 0.0),
    Published("3D both empty", dot(CUBE), dot(CUBE), (3, 2, 1), (NAN, NAN), INF, INF, NAN, NAN),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_published_values(case: Published) -> None:
    masks = case.truth, case.predicted, case.spacing
    rule = {"convention": "deepmind"}
    three_places = {"abs": 5e-4, "nan_ok": True}
    found = (
        metrics.asd(*masks, direction="truth-to-predicted", **rule),
        metrics.asd(*masks, direction="predicted-to-truth", **rule),
    )
    assert found == pytest.approx(case.asd, **three_places)
    assert metrics.hd95(*masks, percentile=100, **rule) == case.hd100
    assert metrics.hd(*masks, **rule) == case.hd100
    assert metrics.hd95(*masks, **rule) == case.hd95
    assert metrics.nsd(*masks, tolerance=1, **rule) == pytest.approx(case.nsd, **three_places)
    assert metrics.dice(*masks, **rule) == pytest.approx(case.dice, **three_places)


def test_published_squares() -> None:
    """A square that grew by one row: its pieces and their distances one by one."""
    masks = np.zeros((2, 6, 6), bool)
    masks[0, 1:3, 1:3] = masks[1, 1:4, 1:3] = True
    vertical, horizontal = 2, 1
    diagonal = 0.5 * math.hypot(vertical, horizontal)
    truth = np.array([diagonal, horizontal, diagonal, vertical] * 2)
    predicted = np.array([diagonal, horizontal, diagonal, vertical, vertical] * 2)
    far_truth = np.array([0] * 5 + [horizontal] + [0] * 2)
    far_predicted = np.array([0] * 5 + [vertical] * 3 + [0] * 2)
    rule = {"spacing": (vertical, horizontal), "convention": "deepmind"}
    found = metrics.asd(*masks, direction="truth-to-predicted", **rule)
    assert found == pytest.approx((truth * far_truth).sum() / truth.sum())
    # the published list pairs distances with pieces before sorting both by distance
    moved = predicted[5:8].sum() * vertical / predicted.sum()
    assert metrics.asd(*masks, **rule) == pytest.approx(moved)
    assert metrics.hd(*masks, **rule) == 2
    within = truth.sum() + predicted[[0, 1, 2, 3, 4, 8, 9]].sum()
    assert metrics.nsd(*masks, tolerance=1, **rule) == pytest.approx(
        within / (truth.sum() + predicted.sum())
    )
    assert far_predicted.max() == 2


@pytest.mark.parametrize(
    ("truth", "predicted", "spacing"),
    [((2, 2, 2), (2, 2), (1, 1)), ((2, 2), (2, 2, 2), (1, 1)), ((2, 2), (2, 2), (1, 1, 1)),
     ((2, 2, 2, 2), (2, 2, 2, 2), (1, 1, 1, 1)), ((2,), (2,), (1,))],
)  # fmt: skip
def test_published_refusals(
    truth: tuple[int, ...], predicted: tuple[int, ...], spacing: tuple[float, ...]
) -> None:
    with pytest.raises((BadData, ShapeMismatch)):
        metrics.hd(np.zeros(truth, bool), np.zeros(predicted, bool), spacing, convention="deepmind")
    with pytest.raises(ValueError):
        metrics.hd(np.zeros(truth, bool), np.zeros(predicted, bool), spacing, convention="deepmind")
