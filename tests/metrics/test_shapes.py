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


def test_boxes_and_balls_in_3d() -> None:
    box = np.zeros((9, 10, 12), bool)
    box[2:5, 2:6, 2:8] = True
    assert shapes.surface_area(box, estimator="edges") == 2 * (12 + 18 + 24)
    assert shapes.surface_area(box, (2, 1, 0.5), estimator="edges") == 2 * (24 + 18 + 12)
    assert shapes.compactness(box, estimator="edges") == pytest.approx(
        36 * math.pi * 72**2 / 108**3
    )
    axes = np.ogrid[-22:23, -22:23, -22:23]
    ball = sum(a**2 for a in axes) <= 20**2
    assert shapes.surface_area(ball) == pytest.approx(4 * math.pi * 400, rel=0.1)
    assert shapes.surface_area(ball, estimator="edges") == pytest.approx(
        6 * math.pi * 400, rel=0.05
    )
    assert 0.75 < shapes.compactness(ball) <= 1
    assert math.isnan(shapes.compactness(np.zeros((3, 3, 3), bool)))


def test_one_voxel_weighs_eight_triangles() -> None:
    voxel = np.zeros((3, 3, 3), bool)
    voxel[1, 1, 1] = True
    assert shapes.surface_area(voxel) == pytest.approx(8 * math.sqrt(3) / 8)
    z, y, x = 3.0, 2.0, 1.0
    triangle = math.hypot(y * x, z * x, z * y) / 8
    assert shapes.surface_area(voxel, (z, y, x)) == pytest.approx(8 * triangle)
    pixel = voxel[1]
    assert shapes.perimeter(pixel, (y, x), estimator="mesh") == pytest.approx(2 * math.hypot(y, x))
    assert shapes.perimeter(pixel, (y, x), estimator="edges") == 2 * (y + x)
    assert shapes.perimeter(pixel, 2.0) == pytest.approx(2 * shapes.perimeter(pixel))
    with pytest.raises(ValueError, match="square pixels"):
        shapes.perimeter(pixel, (y, x))
    with pytest.raises(ShapeMismatch, match="surface_area"):
        shapes.perimeter(voxel)
    with pytest.raises(ShapeMismatch, match="perimeter"):
        shapes.surface_area(pixel)
