"""Objects, partitions and probabilities against values by hand and the tools they follow."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata
from skimage.metrics import adapted_rand_error as skimage_are
from skimage.metrics import variation_of_information as skimage_voi

from pixelwise.core.errors import BadData
from pixelwise.metrics import calibration, instances, partitions, probabilities


def two_cells() -> tuple[np.ndarray, np.ndarray]:
    """IoU 0.8 and 15/35, and one object in excess."""
    truth, predicted = np.zeros((12, 60), int), np.zeros((12, 60), int)
    truth[0:5, 0:5], predicted[0:4, 0:5] = 1, 4  # 20 of 25
    truth[0:5, 10:15], predicted[0:5, 12:17] = 2, 7  # 15 of 35
    predicted[8:10, 50:55] = 9
    return truth, predicted


def test_dsb_rule_and_panoptic_quality_by_hand() -> None:
    truth, predicted = two_cells()
    mean, values = instances.average_precision(truth, predicted)
    assert values[0] == pytest.approx(0.25)
    assert values[6] == 0  # an IoU of 0.8 does not count at 0.8
    assert mean == pytest.approx(0.15)
    inclusive = instances.average_precision(truth, predicted, inclusive=True)[1]
    assert inclusive[6] == pytest.approx(0.25)
    found = instances.panoptic_quality(truth, predicted)
    assert (found.tp, found.fp, found.fn) == (1, 2, 1)
    assert found.pq == pytest.approx(0.32)
    assert (found.sq, found.rq) == (pytest.approx(0.8), pytest.approx(0.4))
    assert instances.seg_score(truth, predicted) == pytest.approx((0.8 + 15 / 35) / 2)
    assert instances.f1_at_iou(truth, predicted, iou=0.1) == pytest.approx(0.8)


def test_splits_merges_missed_and_sizes() -> None:
    truth, predicted = np.zeros((10, 40), int), np.zeros((10, 40), int)
    truth[2:8, 2:8] = 1
    predicted[2:8, 2:5], predicted[2:8, 5:8] = 1, 2  # split in two
    truth[2:8, 12:15], truth[2:8, 15:18] = 2, 3
    predicted[2:8, 12:18] = 3  # merged
    truth[2:4, 25:27] = 4  # missed
    predicted[2:4, 35:37] = 5  # extra
    errors = instances.instance_errors(truth, predicted)
    assert (errors.missed, errors.extra, errors.merges, errors.splits) == (1, 1, 1, 1)
    recall = instances.recall_by_size(truth, predicted, edges=(10, 30), iou=0.4)
    assert recall == ((0, 1), (1, 2), (1, 1))


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.9))
@settings(deadline=None)
def test_matches_equal_trying_every_pair(seed: int, threshold: float) -> None:
    generator = np.random.default_rng(seed)
    truth, predicted = (generator.integers(0, 4, (5, 6)) * 300 for _ in range(2))
    found = instances.panoptic_quality(truth, predicted, iou=max(threshold, 0.5))
    matches = []
    for t in set(truth.ravel()) - {0}:
        for p in set(predicted.ravel()) - {0}:
            both, either = ((truth == t) & (predicted == p)), ((truth == t) | (predicted == p))
            if both.sum() / either.sum() > max(threshold, 0.5):
                matches.append(both.sum() / either.sum())
    n = len(set(truth.ravel()) - {0}) + len(set(predicted.ravel()) - {0})
    assert found.tp == len(matches)
    if n:
        assert found.pq == pytest.approx(2 * sum(matches) / n)


def test_empty_object_images() -> None:
    nothing, one = np.zeros((4, 4), int), np.eye(4, dtype=int)
    assert math.isnan(instances.panoptic_quality(nothing, nothing).pq)
    assert instances.panoptic_quality(one, nothing).pq == 0
    assert instances.panoptic_quality(nothing, one).pq == 0
    assert math.isnan(instances.f1_at_iou(nothing, nothing))
    with pytest.raises(BadData, match="negative"):
        instances.panoptic_quality(one - 1, one)


SPLIT_TRUTH = np.repeat([[1, 1, 2, 2]], 4, axis=0).T
SPLIT = SPLIT_TRUTH.copy()
SPLIT[3] = 3


def test_partition_scores_by_hand() -> None:
    """Two halves; the second is split in two rows."""
    rand = partitions.v_rand(SPLIT_TRUTH, SPLIT)
    assert rand.score == pytest.approx(6 / 7)
    assert (rand.split, rand.merge) == (pytest.approx(0.75), pytest.approx(1))
    assert partitions.v_info(SPLIT_TRUTH, SPLIT).score == pytest.approx(0.8)
    varied = partitions.variation_of_information(SPLIT_TRUTH, SPLIT)
    assert (varied.split, varied.merge) == (pytest.approx(0.5), 0)
    merged = np.ones_like(SPLIT_TRUTH)
    assert partitions.v_rand(SPLIT_TRUTH, merged).score == pytest.approx(2 / 3)
    assert partitions.v_info(SPLIT_TRUTH, merged).score == 0
    assert partitions.v_rand(SPLIT_TRUTH, SPLIT_TRUTH).score == 1
    assert partitions.adapted_rand_error(SPLIT_TRUTH, SPLIT).error == pytest.approx(1 / 6)
    assert partitions.adapted_rand_error(SPLIT_TRUTH, merged).error == pytest.approx(4 / 11)


def test_membranes_are_left_out() -> None:
    truth = np.where(np.arange(16).reshape(4, 4) % 4 == 1, 0, SPLIT_TRUTH)
    predicted = np.where(truth == 0, 9, SPLIT_TRUTH)
    assert partitions.v_rand(truth, predicted).score == 1
    assert math.isnan(partitions.v_rand(truth * 0, predicted).score)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_partitions_equal_scikit_image(seed: int) -> None:
    generator = np.random.default_rng(seed)
    truth, predicted = (generator.integers(0, 5, (7, 9)) for _ in range(2))
    found = partitions.adapted_rand_error(truth, predicted)
    error, precision, recall = skimage_are(truth, predicted, ignore_labels=())
    assert found.error == pytest.approx(error)
    assert sorted([found.precision, found.recall]) == pytest.approx(sorted([precision, recall]))
    varied = partitions.variation_of_information(truth, predicted)
    assert (varied.split, varied.merge) == pytest.approx(tuple(skimage_voi(truth, predicted)))


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_area_under_roc_is_the_rank_sum(seed: int) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 2, (1, 30))
    truth[0, :2] = (0, 1)
    p = np.round(generator.random((1, 30)), 1)
    ranks = rankdata(p.ravel())[truth.ravel() == 1]
    n, m = int(truth.sum()), 30 - int(truth.sum())
    expected = (ranks.sum() - n * (n + 1) / 2) / (n * m)
    assert probabilities.roc_curve(truth, p).area == pytest.approx(expected)


def test_probabilities_by_hand() -> None:
    truth, p = np.array([[1, 1, 0, 0]]), np.array([[0.8, 0.6, 0.7, 0.1]])
    curve = probabilities.precision_recall_curve(truth, p)
    assert curve.area == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert probabilities.brier(truth, p) == pytest.approx((0.04 + 0.16 + 0.49 + 0.01) / 4)
    assert probabilities.best_threshold(truth, p, split="val") == (0.6, pytest.approx(0.8))
    with pytest.raises(BadData, match="test"):
        probabilities.best_threshold(truth, p, split="test")  # type: ignore[arg-type]
    with pytest.raises(BadData, match="softmax"):
        probabilities.brier(truth, p * 5)


def test_calibration_keeps_probability_zero() -> None:
    """Four pixels of probability 0, one of them positive: an error of 0.25."""
    found = calibration.reliability(np.array([[1, 0, 0, 0]]), np.zeros((1, 4)), bins=10)
    assert found.ece == found.mce == pytest.approx(0.25)
    even = calibration.reliability(np.array([[1, 0]]), np.array([[0.5, 0.5]]), bins=2)
    assert even.ece == 0
    assert even.counts.tolist() == [2, 0]
