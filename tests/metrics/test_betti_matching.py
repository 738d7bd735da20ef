"""Betti matching equals persistent homology by matrix reduction, and pictures by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelwise.core.errors import ShapeMismatch
from pixelwise.metrics import betti_error
from pixelwise.metrics.betti_matching import betti_matching, betti_matching_error
from tests.twins.slow_homology import matching_error


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_equals_persistent_homology(seed: int) -> None:
    generator = np.random.default_rng(seed)
    shape = tuple(generator.integers(1, 7, 2))
    truth = generator.random(shape) < generator.uniform(0.2, 0.9)
    flipped = generator.random(shape) < generator.choice([0.05, 0.2, 0.5])
    assert betti_matching_error(truth, truth ^ flipped) == matching_error(truth, truth ^ flipped)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_equals_persistent_homology_in_3d(seed: int) -> None:
    generator = np.random.default_rng(seed)
    shape = tuple(generator.permutation([3, generator.integers(1, 5), generator.integers(1, 6)]))
    truth = generator.random(shape) < generator.choice([0.2, 0.5, 0.7, 0.85, 0.95])
    flipped = generator.random(shape) < generator.choice([0.02, 0.1, 0.3])
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
    shell = np.zeros((5, 5, 5), bool)
    shell[1:4, 1:4, 1:4] = True
    shell[2, 2, 2] = False
    torus = np.zeros((5, 5, 5), bool)
    torus[2, 1:4, 1:4] = True
    torus[2, 2, 2] = False
    assert betti_matching_error(shell, shell * False) == 2
    found = betti_matching(shell, torus)
    assert (found.lost_cavities, found.extra_holes, found.matched_components) == (1, 1, 1)
    assert betti_matching(torus, torus).matched_holes == 1
    with pytest.raises(ShapeMismatch, match="1 dimensions"):
        betti_matching(np.zeros(4, bool), np.zeros(4, bool))


def test_linked_rings_match_themselves_only() -> None:
    """Two volumes with a ring each: around the same hole, and far apart."""
    rings = np.zeros((3, 11, 22, 11), bool)
    for i, (start, size) in enumerate(((2, 5), (1, 7), (13, 5))):
        rings[i, 4:6, start : start + size, start % 11 : start % 11 + size] = True
        rings[i, 4:6, start + 1 : start + size - 1, start % 11 + 1 : start % 11 + size - 1] = False
    assert betti_matching_error(rings[0], rings[1]) == 0
    assert betti_matching(rings[0], rings[2]).matched_holes == 0
    assert betti_error(rings[0], rings[2]) == 0
