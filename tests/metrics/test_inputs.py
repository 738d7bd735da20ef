"""Bad input ends with one clear message and never with a number; good input of any layout works."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pixelwise import metrics
from pixelwise.core.errors import BadData, BadPlan, ShapeMismatch, UserError
from pixelwise.metrics import measure

GOOD = np.array([[0, 1, 2], [0, 1, 2]], np.uint8)


@pytest.mark.parametrize(
    ("truth", "predicted", "words"),
    [
        (GOOD, GOOD[:, :2], r"\(2, 3\).*\(2, 2\)"),
        (GOOD, GOOD.astype(float), "float64"),
        (GOOD, GOOD / 3.0, "probabilities"),
        (np.where(GOOD == 1, np.nan, 0.0), GOOD, "NaN"),
        (GOOD, np.array(1), "0 dimensions"),
        (np.zeros((1, 1, 2, 3), int), np.zeros((1, 1, 2, 3), int), "4 dimensions"),
        (GOOD, np.full((2, 3), "a"), "labels"),
        (GOOD.astype(int) - 1, GOOD, "-1"),
        (GOOD.astype(int) * 500, GOOD, "1001 classes"),
    ],
)
def test_arrays_that_are_no_labels(truth: np.ndarray, predicted: np.ndarray, words: str) -> None:
    with pytest.raises(UserError, match=words):
        measure(truth, predicted)


@pytest.mark.parametrize("spacing", [(1, 0), (1, -2), (1, 1, 1), (1, math.nan), (1, math.inf)])
def test_spacings_that_are_none(spacing: tuple[float, ...]) -> None:
    with pytest.raises(BadData, match="spacing"):
        metrics.hd(GOOD == 1, GOOD == 1, spacing)


def test_unknown_metrics_and_options_all_at_once() -> None:
    with pytest.raises(BadPlan) as caught:
        measure(GOOD, GOOD, ["dise", "nsd:tolerence=2", "hd95:percentile"])
    text = str(caught.value)
    assert "Did you mean dice" in text
    assert "tolerence" in text
    assert "without a value" in text


def test_any_layout_gives_the_same_numbers_and_changes_nothing() -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 3, (13, 17)).astype(np.uint8)
    predicted = np.where(generator.random(truth.shape) < 0.2, 0, truth).astype(np.uint8)
    expected = measure(truth, predicted)
    frozen = truth.copy()
    frozen.flags.writeable = False
    strided = np.repeat(truth, 2, axis=1)[:, ::2]
    for other in (frozen, strided, np.asfortranarray(truth), truth.astype(np.int64),
                  torch.from_numpy(truth.copy())):  # fmt: skip
        assert measure(other, predicted) == expected
    np.testing.assert_array_equal(frozen, truth)


def test_void_counts_nowhere() -> None:
    truth = np.array([[1, 1, 255, 0], [1, 1, 255, 0]], np.uint8)
    predicted = np.array([[1, 1, 1, 0], [1, 1, 1, 0]], np.uint8)
    assert measure(truth, predicted, ["dice", "hd"], ignore_label=255) == {
        1: {"dice": 1.0, "hd": 0.0}
    }
    valid = np.array([[1, 1, 0, 1], [1, 1, 0, 1]], bool)
    clean = np.where(truth == 255, 0, truth)
    assert measure(clean, predicted, ["dice", "hd"], valid=valid)[1] == {"dice": 1.0, "hd": 0.0}
    assert metrics.dice(clean, predicted) < 1


def test_a_volume_of_one_slice_is_a_volume() -> None:
    image = np.zeros((9, 9), bool)
    image[2:7, 2:7] = True
    hole = image.copy()
    hole[4, 4] = False
    assert metrics.hd(image, hole) == pytest.approx(1)
    assert metrics.hd(image[None], hole[None]) == 1
    assert metrics.assd(image, hole) != metrics.assd(image[None], hole[None])


def test_shapes_are_never_broadcast() -> None:
    with pytest.raises(ShapeMismatch):
        metrics.dice(np.ones((4, 4), bool), np.ones((1, 4), bool))
