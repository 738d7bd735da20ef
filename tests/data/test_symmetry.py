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


def test_half_of_the_cells_differ() -> None:
    """The outer halves of the upper and lower side differ: rows 0..3 of 16 against 12..15."""
    labels = np.zeros((16, 16), np.uint8)
    labels[:4] = 1
    assert measure_asymmetry([labels], 2) == pytest.approx((0.5, 0.0))


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
    maps = [(random.random((64, 64)) < 0.3).astype(np.uint8) for _ in range(24)]
    assert max(measure_asymmetry(maps, 2)) < 0.05


def test_maps_below_the_grid_say_nothing() -> None:
    assert measure_asymmetry([np.zeros((7, 40), np.uint8)], 2) == ()
    assert measure_asymmetry([], 2) == ()
