"""Warping error: its three closed cases, and simple points against counting components."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from pixelwise.core.errors import ShapeMismatch
from pixelwise.metrics.warping import _simple_table, warping_error


def wall(column: int) -> np.ndarray:
    """Two cells (1) with a membrane (0) of one pixel between them."""
    image = np.ones((12, 20), bool)
    image[:, column] = False
    return image


@pytest.mark.parametrize("connectivity", ["full", "face"])
def test_three_closed_cases(connectivity: str) -> None:
    n = 12 * 20
    assert warping_error(wall(9), wall(10), connectivity=connectivity) == 0
    gap = wall(9)
    gap[6, 9] = True
    assert warping_error(wall(9), gap, connectivity=connectivity) == pytest.approx(1 / n)
    dot = wall(9)
    dot[6, 15] = False
    assert warping_error(wall(9), dot, connectivity=connectivity) == pytest.approx(1 / n)
    assert warping_error(dot, wall(9), connectivity=connectivity) == pytest.approx(1 / n)


def test_a_flip_is_simple_if_it_changes_no_number() -> None:
    """Every neighbourhood: components and holes of 3 x 3 pixels with and without the centre."""
    table = _simple_table()
    around = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    for code in range(256):
        counts = []
        for centre in (0, 1):
            image = np.zeros((3, 3), bool)
            for i, place in enumerate(around):
                image[place] = code >> i & 1
            image[1, 1] = centre
            objects = ndimage.label(image, np.ones((3, 3)))[1]
            holes = ndimage.label(np.pad(~image, 1, constant_values=True))[1]
            counts.append((objects, holes))
        assert bool(table[code]) == (counts[0] == counts[1]), code


def test_equal_masks_and_volumes() -> None:
    assert warping_error(wall(4), wall(4)) == 0
    with pytest.raises(ShapeMismatch):
        warping_error(np.zeros((2, 2, 2), bool), np.zeros((2, 2, 2), bool))
