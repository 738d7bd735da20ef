"""Shapes against closed forms: a square, a disc, boxes of known size."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pixelwise.core.errors import ShapeMismatch
from pixelwise.metrics import shapes


def test_a_square_by_both_estimators() -> None:
    square = np.zeros((60, 60), bool)
    square[10:50, 10:50] = True
    assert shapes.perimeter(square, estimator="edges") == 160
    assert shapes.compactness(square, estimator="edges") == pytest.approx(math.pi / 4)
    assert shapes.perimeter(square) == pytest.approx(150.58, abs=0.01)
    assert shapes.compactness(square) == pytest.approx(0.8868, abs=1e-4)


def test_a_disc_is_compact_and_a_frame_is_no_border() -> None:
    yy, xx = np.ogrid[-45:46, -45:46]
    disc = yy**2 + xx**2 <= 40**2
    assert shapes.area(disc) == 5025
    assert shapes.compactness(disc) == pytest.approx(0.9885, abs=1e-4)
    assert shapes.compactness(disc, estimator="edges") == pytest.approx(0.6015, abs=1e-4)
    assert shapes.perimeter(np.ones((4, 6), bool), estimator="edges") == 20


def test_sizes_in_units_of_spacing() -> None:
    mask = np.zeros((3, 10, 10), bool)
    mask[1, 1:3, 1:3] = mask[0:3, 6, 6] = True
    mask[2, 9, 0] = True
    found = shapes.size_summary(mask, (2, 1, 0.5))
    assert (found.n, found.total, found.smallest, found.median, found.largest) == (3, 8, 1, 3, 4)
    nothing = shapes.size_summary(np.zeros((4, 4), bool))
    assert nothing.n == 0
    assert math.isnan(nothing.median)
    assert math.isnan(shapes.compactness(np.zeros((4, 4), bool)))
    with pytest.raises(ShapeMismatch):
        shapes.perimeter(mask)
