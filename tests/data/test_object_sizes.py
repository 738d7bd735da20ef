"""Objects counted and measured on shapes whose numbers are known."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.data.object_sizes import MOST_SIZES, measure_classes


def test_two_rectangles() -> None:
    mask = np.zeros((20, 40), bool)
    mask[2:6, 4:12] = True
    mask[10:12, 20:30] = True
    (found,) = measure_classes({3: mask, 4: np.zeros_like(mask)})
    assert (found.class_id, found.n_pixels, found.n_objects, found.sizes) == (3, 52, 2, (20, 32))
    rows = np.array([2.5, 3.5, 4.5, 5.5] * 8 + [10.5, 11.5] * 10) / 20
    assert found.centre[0] == pytest.approx(rows.mean())
    assert found.spread[0] == pytest.approx(rows.std())


def test_touching_at_a_corner_is_one_object() -> None:
    mask = np.eye(5, dtype=bool)
    assert measure_classes({1: mask})[0].n_objects == 1


def test_thickness_is_the_radius_of_a_disc_and_the_width_of_a_line() -> None:
    y, x = np.mgrid[:200, :200]
    disc = (y - 100) ** 2 + (x - 100) ** 2 < 60**2
    assert measure_classes({1: disc})[0].thickness == pytest.approx(60, rel=0.02)
    line = np.abs(y - x) <= 4  # nine pixels and four faces a row, along the diagonal
    assert measure_classes({1: line})[0].thickness == pytest.approx(2 * 9 / np.pi, rel=0.03)


def test_volumes() -> None:
    z, y, x = np.mgrid[:60, :60, :60]
    ball = (z - 30) ** 2 + (y - 30) ** 2 + (x - 30) ** 2 < 20**2
    (found,) = measure_classes({1: ball})
    assert found.thickness == pytest.approx(2 * 20 / 3, rel=0.03)  # 2 V / S of a ball
    assert len(found.centre) == 3


def test_many_objects_keep_some_of_their_sizes() -> None:
    mask = np.zeros((100, 100), bool)
    mask[::3, ::3] = True
    (found,) = measure_classes({1: mask})
    assert found.n_objects == 34 * 34
    assert len(found.sizes) == MOST_SIZES
