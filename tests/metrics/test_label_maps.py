"""Averages of label maps: by hand, by every rule of averaging, and pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelwise import metrics
from pixelwise.core.errors import BadData, BadPlan, ShapeMismatch
from tests.twins import slow_metrics as slow

# class 0: 4 right, 1 predicted as 1; class 1: 2 right, 1 as 0; class 2 only in the second image
FIRST_TRUTH = np.array([[0, 0, 0, 0, 0, 1, 1, 1]])
FIRST_GUESS = np.array([[0, 0, 0, 0, 1, 1, 1, 0]])
SECOND_TRUTH = np.array([[0, 0, 0, 2, 2, 2, 2, 2]])
SECOND_GUESS = np.array([[0, 0, 1, 2, 2, 2, 2, 0]])
BOTH = [FIRST_TRUTH, SECOND_TRUTH], [FIRST_GUESS, SECOND_GUESS]
ONE, TWO = [4 / 6, 2 / 4, None], [2 / 4, 0, 4 / 5]
"""IoU of each class in each image; in the second class 1 is a false alarm."""


def test_one_image_and_several() -> None:
    assert metrics.confusion_matrix(FIRST_TRUTH, FIRST_GUESS, 3).tolist() == [
        [4, 1, 0], [1, 2, 0], [0, 0, 0],
    ]  # fmt: skip
    assert metrics.confusion_matrix(*BOTH, 3).tolist() == [[6, 2, 0], [1, 2, 0], [1, 0, 4]]
    assert metrics.pixel_accuracy(*BOTH, 3) == 12 / 16
    assert metrics.mean_accuracy(*BOTH, 3) == pytest.approx((6 / 8 + 2 / 3 + 4 / 5) / 3)
    ious = [6 / 10, 2 / 5, 4 / 5]
    assert metrics.mean_iou(*BOTH, 3) == pytest.approx(np.mean(ious))
    weighted = (8 * ious[0] + 3 * ious[1] + 5 * ious[2]) / 16
    assert metrics.frequency_weighted_iou(*BOTH, 3) == pytest.approx(weighted)
    assert metrics.mean_iou(*BOTH, 3, average="weighted") == pytest.approx(weighted)
    assert metrics.mean_iou(*BOTH, 3, average="micro") == pytest.approx(12 / 20)
    assert metrics.mean_iou(*BOTH, 3, average="none") == pytest.approx(ious)
    assert metrics.mean_dice(*BOTH, 3) == pytest.approx(np.mean([12 / 16, 4 / 7, 8 / 9]))
    found = metrics.mean_iou(*BOTH, 3, include_background=False)
    assert found == pytest.approx(np.mean(ious[1:]))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"aggregate": "per_image"}, (np.mean([4 / 6, 1 / 2]) + np.mean([1 / 2, 0, 4 / 5])) / 2),
        ({"aggregate": "per_class"}, np.mean([(4 / 6 + 1 / 2) / 2, 1 / 4, 4 / 5])),
        ({"aggregate": "per_image", "absent": "zero"},
         (np.mean([4 / 6, 1 / 2, 0]) + np.mean([1 / 2, 0, 4 / 5])) / 2),
        ({"aggregate": "per_image", "absent": "one"},
         (np.mean([4 / 6, 1 / 2, 1]) + np.mean([1 / 2, 0, 4 / 5])) / 2),
        ({"aggregate": "per_image", "absent": "skip_without_truth"},
         (np.mean([4 / 6, 1 / 2]) + np.mean([1 / 2, 4 / 5])) / 2),
    ],
)  # fmt: skip
def test_same_predictions_many_means(options: dict, expected: float) -> None:
    assert metrics.mean_iou(*BOTH, 3, **options) == pytest.approx(expected)


def test_void_of_any_value_and_absent_classes() -> None:
    for void in (255, -1, 7):
        truth = np.where(np.arange(8)[None] == 4, void, FIRST_TRUTH)
        found = metrics.confusion_matrix(truth, FIRST_GUESS, 2, ignore_label=void)
        assert found.tolist() == [[4, 0], [1, 2]]
    assert metrics.mean_iou(FIRST_TRUTH, FIRST_GUESS, 9) == pytest.approx((4 / 6 + 2 / 4) / 2)
    nothing = np.full((2, 2), 255)
    assert math.isnan(metrics.mean_iou(nothing, nothing * 0, 2, ignore_label=255))
    assert math.isnan(metrics.pixel_accuracy(nothing, nothing * 0, 2, ignore_label=255))


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
@settings(deadline=None)
def test_equal_to_counting_pixel_by_pixel(seed: int, n_classes: int) -> None:
    generator = np.random.default_rng(seed)
    shape = tuple(generator.integers(1, 7, generator.integers(1, 4)))
    truth, guess = generator.integers(0, n_classes, (2, *shape))
    counts = slow.confusion(truth, guess, n_classes)
    np.testing.assert_array_equal(metrics.confusion_matrix(truth, guess, n_classes), counts)
    values = []
    for k in range(n_classes):
        both, either = ((truth == k) & (guess == k)).sum(), ((truth == k) | (guess == k)).sum()
        if either:
            values.append(both / either)
    assert metrics.mean_iou(truth, guess, n_classes) == pytest.approx(np.mean(values))


def test_what_cannot_be_averaged() -> None:
    with pytest.raises(BadPlan, match="one of macro"):
        metrics.mean_iou(*BOTH, 3, average="makro")  # type: ignore[arg-type]
    with pytest.raises(ShapeMismatch, match="2 truths, 1 predictions"):
        metrics.mean_iou(BOTH[0], BOTH[1][:1], 3)
    with pytest.raises(BadData, match="class ids 0 to 1"):
        metrics.mean_iou(*BOTH, 2)
    with pytest.raises(BadData, match="no image"):
        metrics.mean_iou([], [], 3)
