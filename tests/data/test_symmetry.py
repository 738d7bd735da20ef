"""Whether a data set has an up and a down, by hand-made label maps."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.core.case import IGNORE
from pixelwise.data.symmetry import measure_asymmetry


def test_sky_above_street_below() -> None:
    """Every cell differs wholly from its mirror image upside down, and not at all sideways."""
    labels = np.zeros((16, 24), np.uint8)
    labels[8:] = 1
    assert measure_asymmetry([labels] * 3, 2) == pytest.approx((1.0, 0.0))


def test_half_of_a_class_is_elsewhere() -> None:
    """Class 1 fills rows 0..3 and both ends of 4..11 of 16: 4 rows of 16 + 8 of 4, mirrored the
    first 64 pixels lie where there are none: |difference| 2 x 64, sum 2 x 96."""
    labels = np.zeros((16, 16), np.uint8)
    labels[:4] = 1
    labels[4:12, :2] = labels[4:12, -2:] = 1
    assert measure_asymmetry([labels], 2) == pytest.approx((64 / 96, 0.0))


def test_a_small_structure_counts_as_much_as_a_large_one() -> None:
    """A left and a right structure that take one cell of 512 each, in a symmetric rest."""
    labels = np.zeros((16, 16, 16), np.uint8)
    labels[4:12, 4:12, 4:12] = 1
    labels[6:8, 6:8, 4:6] = 2
    labels[6:8, 6:8, 10:12] = 3
    assert measure_asymmetry([labels] * 5, 4)[2] == pytest.approx(1.0)
    labels[labels == 3] = 2
    found = measure_asymmetry([labels] * 5, 4)
    assert found[2] == pytest.approx(0.0)
    assert found[0] == pytest.approx(1.0), "it lies off the middle along the other axes"


def test_neighbours_in_a_film_are_no_evidence() -> None:
    """Two objects at random places, ten pictures of each: halves differ as much as flips do."""
    maps = [np.zeros((32, 32), np.uint8) for _ in range(20)]
    for index, labels in enumerate(maps):
        place = (slice(0, 8), slice(4, 12)) if index < 10 else (slice(12, 20), slice(20, 28))
        labels[place] = 1
    assert max(measure_asymmetry(maps, 2)) < 0.3


def test_three_axes() -> None:
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[..., 4:] = 1
    assert measure_asymmetry([labels], 2) == pytest.approx((0.0, 0.0, 1.0))


def test_void_is_no_class() -> None:
    labels = np.zeros((16, 16), np.uint8)
    labels[::2] = IGNORE
    assert measure_asymmetry([labels], 2) == pytest.approx((0.0, 0.0))


def test_chance_alone_is_symmetric() -> None:
    random = np.random.default_rng(0)
    maps = []
    for _ in range(24):
        labels = np.zeros((64, 64), np.uint8)
        for row, column in random.integers(0, 56, (3, 2)):
            labels[row : row + 8, column : column + 8] = 1
        maps.append(labels)
    assert max(measure_asymmetry(maps, 2)) < 0.15


def test_maps_below_the_grid_say_nothing() -> None:
    assert measure_asymmetry([np.zeros((7, 40), np.uint8)], 2) == ()
    assert measure_asymmetry([], 2) == ()
