"""Betti matching equals persistent homology by matrix reduction, and pictures by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.twins.slow_homology import matching_error

from pixelwise.core.errors import ShapeMismatch
from pixelwise.metrics import betti_error
from pixelwise.metrics.betti_matching import betti_matching, betti_matching_error


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_equals_persistent_homology(seed: int) -> None:
    generator = np.random.default_rng(seed)
    shape = tuple(generator.integers(1, 7, 2))
    truth = generator.random(shape) < generator.uniform(0.2, 0.9)
    flipped = generator.random(shape) < generator.choice([0.05, 0.2, 0.5])
    assert betti_matching_error(truth, truth ^ flipped) == matching_error(truth, truth ^ flipped)


def ring(left: int) -> np.ndarray:
    mask = np.zeros((9, 24), bool)
    mask[2:7, left : left + 5] = True
    mask[4, left + 2] = False
    return mask


def test_equal_numbers_in_different_places_do_not_match() -> None:
    near, far = ring(2), ring(15)
    assert betti_error(near, far) == 0
    found = betti_matching(near, far)
    assert (found.matched_components, found.matched_holes) == (1, 0)
    assert found.error == 2
    shifted = betti_matching(near, np.roll(near, 1, 0))
    assert shifted.matched_components == 1
    assert betti_matching(near, near).error == 0


def test_two_lost_and_two_invented_pieces() -> None:
    truth, predicted = np.zeros((5, 30), bool), np.zeros((5, 30), bool)
    truth[2, [2, 6, 10]] = True
    predicted[2, [2, 16, 20]] = True
    assert betti_error(truth, predicted) == 0
    assert betti_matching_error(truth, predicted) == matching_error(truth, predicted) > 0


def test_empty_masks_and_volumes() -> None:
    nothing = np.zeros((4, 4), bool)
    assert betti_matching_error(nothing, nothing) == 0
    assert betti_matching_error(ring(2), np.zeros((9, 24), bool)) == 2
    with pytest.raises(ShapeMismatch, match="3 dimensions"):
        betti_matching(np.zeros((2, 2, 2), bool), np.zeros((2, 2, 2), bool))
