"""Counts against formulas by hand; topology against a table and a slow twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelwise import metrics
from pixelwise.metrics.topology import betti_numbers
from tests.twins import slow_metrics as slow

TRUTH = np.array([[1, 1, 1, 1, 0, 0, 0, 0, 0, 0]], bool)
PREDICTED = np.array([[1, 1, 1, 0, 1, 1, 0, 0, 0, 0]], bool)  # TP 3, FP 2, FN 1, TN 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dice", 6 / 9),
        ("iou", 3 / 6),
        ("accuracy", 7 / 10),
        ("sensitivity", 3 / 4),
        ("specificity", 4 / 6),
        ("precision", 3 / 5),
        ("balanced_accuracy", (3 / 4 + 4 / 6) / 2),
        ("fbeta", 5 * 3 / (5 * 3 + 4 * 1 + 2)),
        ("mcc", (3 * 4 - 2 * 1) / math.sqrt(5 * 4 * 6 * 5)),
        ("kappa", (0.7 - (0.4 * 0.5 + 0.6 * 0.5)) / (1 - (0.4 * 0.5 + 0.6 * 0.5))),
        ("volume_difference", 1 / 4),
    ],
)
def test_counts_by_hand(name: str, value: float) -> None:
    assert getattr(metrics, name)(TRUTH, PREDICTED) == pytest.approx(value, rel=1e-12)


def test_order_matters_where_it_should() -> None:
    assert metrics.precision(TRUTH, PREDICTED) == metrics.sensitivity(PREDICTED, TRUTH)
    assert metrics.precision(TRUTH, PREDICTED) != metrics.sensitivity(TRUTH, PREDICTED)


def mask_of(*rows: str) -> np.ndarray:
    return np.array([[letter == "#" for letter in row] for row in rows])


SQUARE = np.ones((7, 7), bool)
TWO_HOLES, ONE_HOLE = SQUARE.copy(), SQUARE.copy()
TWO_HOLES[2, 2] = TWO_HOLES[3, 3] = ONE_HOLE[3, 3] = False
RING = np.ones((5, 5), bool)
RING[1:4, 1:4] = False


@pytest.mark.parametrize(
    ("mask", "face", "full"),
    [
        (mask_of("#.", ".#"), (2, 0), (1, 0)),
        (mask_of(".#.", "#.#", ".#."), (4, 0), (1, 1)),
        (RING, (1, 1), (1, 1)),
        (TWO_HOLES, (1, 1), (1, 2)),
        (ONE_HOLE, (1, 1), (1, 1)),
        (np.indices((4, 4)).sum(axis=0) % 2 == 0, (8, 0), (1, 2)),
    ],
)
def test_betti_numbers_of_small_pictures(
    mask: np.ndarray, face: tuple[int, int], full: tuple[int, int]
) -> None:
    found = betti_numbers(mask, connectivity="face")
    assert (found.components, found.loops) == face
    found = betti_numbers(mask)
    assert (found.components, found.loops) == full


def test_shell_and_torus() -> None:
    shell = np.zeros((7, 7, 7), bool)
    shell[1:6, 1:6, 1:6] = True
    shell[3, 3, 3] = False
    assert betti_numbers(shell) == betti_numbers(shell, connectivity="face")
    assert (betti_numbers(shell).components, betti_numbers(shell).cavities) == (1, 1)
    torus = np.zeros((3, 5, 5), bool)
    torus[1] = RING
    found = betti_numbers(torus)
    assert (found.components, found.loops, found.cavities, found.euler) == (1, 1, 0, 0)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_face_connectivity_equals_labelling(seed: int) -> None:
    generator = np.random.default_rng(seed)
    mask = generator.random(tuple(generator.integers(1, 12, 2))) < generator.random()
    found = betti_numbers(mask, connectivity="face")
    assert (found.components, found.loops) == slow.betti_face(mask)


def test_lost_and_invented_do_not_cancel_when_split() -> None:
    truth = mask_of("#.###", "#.#.#", "..###")  # a stroke and a ring
    predicted = mask_of("#.#.#", "#.#.#", "....#")  # the ring lost, a component more
    assert metrics.betti_lost(truth, predicted) == 1
    assert metrics.betti_extra(truth, predicted) == 1
    assert metrics.betti_error(truth, predicted) == 2
    assert metrics.component_error(truth, predicted) == 1


def test_cldice_of_a_cut_bar() -> None:
    """A 3 x 11 bar with one column cut: hard clDice 0.947368, Dice 0.952381."""
    truth = np.zeros((9, 17), bool)
    truth[3:6, 3:14] = True
    predicted = truth.copy()
    predicted[:, 8] = False
    assert metrics.dice(truth, predicted) == pytest.approx(0.952381, abs=1e-6)
    assert metrics.cldice(truth, predicted) == pytest.approx(0.947368, abs=1e-6)


def test_equal_dice_different_topology() -> None:
    """The lecture's point: overlap does not see what breaks a vessel."""
    truth = np.zeros((40, 80), bool)
    truth[18:22, 5:75] = True
    thin = truth.copy()
    thin[18, 5:75] = False
    broken = truth.copy()
    broken[:, 7:75:4] = False
    gap = abs(metrics.dice(truth, thin) - metrics.dice(truth, broken))
    assert gap < 0.01
    assert metrics.betti_error(truth, thin) == 0
    assert metrics.betti_error(truth, broken) >= 16


def test_boundary_iou_of_a_grown_square() -> None:
    truth, predicted = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    truth[5:15, 5:15] = predicted[4:16, 4:16] = True
    # bands of width 2: 10^2 - 6^2 = 64 and 12^2 - 8^2 = 80; common 10^2 - 8^2 = 36
    assert metrics.boundary_iou(truth, predicted, d=2) == pytest.approx(36 / (64 + 80 - 36))
    assert metrics.boundary_f1(truth, predicted, tolerance=1.5) == 1
    assert metrics.boundary_f1(truth, predicted, tolerance=0.5) == 0


def test_betti_error_of_tiles() -> None:
    """A bar cut in the left half: tiles of 8 see one lost contact, the whole image a piece more."""
    truth = np.zeros((8, 16), bool)
    truth[3:5, 1:15] = True
    predicted = truth.copy()
    predicted[:, 4] = False
    assert metrics.betti_error(truth, predicted) == 1
    assert metrics.betti_error(truth, predicted, patch=8) == 0.5
    assert metrics.betti_error(truth, predicted, patch=5) == 0  # the cut lies at a border
    with pytest.raises(ValueError, match="at least 1"):
        metrics.betti_error(truth, predicted, patch=0)


def test_holes_and_cavities_apart() -> None:
    assert metrics.hole_error(TWO_HOLES, ONE_HOLE) == 1
    assert metrics.hole_error(TWO_HOLES, ONE_HOLE, connectivity="face") == 0
    shell = np.zeros((5, 5, 5), bool)
    shell[1:4, 1:4, 1:4] = True
    solid = shell.copy()
    shell[2, 2, 2] = False
    assert metrics.cavity_error(shell, solid) == 1
    assert metrics.hole_error(shell, solid) == metrics.component_error(shell, solid) == 0


def test_empty_masks_by_option_and_by_convention() -> None:
    empty, one = np.zeros((4, 4), bool), np.eye(4, dtype=bool)
    assert metrics.dice(empty, empty, empty=1.0) == metrics.iou(empty, empty, empty=1) == 1
    assert metrics.fbeta(empty, empty, empty=0) == 0
    assert metrics.dice(empty, one, empty=1.0) == 0
    assert metrics.dice(empty, empty, convention="metrics-reloaded") == 1
    assert metrics.precision(one, empty, convention="metrics-reloaded") == 0
    assert math.isnan(metrics.dice(empty, one, convention="monai"))
    assert metrics.dice(one, empty, convention="monai") == 0
    assert metrics.hd95(one, empty, convention="monai", one_empty="diagonal") == math.hypot(4, 4)


def test_sizes_by_hand() -> None:
    assert metrics.volume_difference(TRUTH, PREDICTED, signed=True) == 1 / 4
    assert metrics.volume_difference(PREDICTED, TRUTH, signed=True) == -1 / 5
    assert metrics.volumetric_similarity(TRUTH, PREDICTED) == pytest.approx(1 - 1 / 9)
