"""Values that MONAI publishes in its own tests of counts, objects and probabilities, rebuilt.

Source: github.com/Project-MONAI/MONAI, tests/metrics (Apache-2.0), one test file per test here.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from pixelwise import metrics

NAN = math.nan

PLANES_PREDICTED = np.array(
    [[[[0, 1], [0, 0]], [[0, 0], [1, 1]], [[1, 0], [0, 0]]],
     [[[0, 0], [0, 1]], [[1, 0], [0, 0]], [[0, 1], [1, 0]]]],
)  # fmt: skip
PLANES_TRUTH = np.array(
    [[[[0, 0], [0, 1]], [[1, 0], [1, 0]], [[0, 1], [0, 0]]],
     [[[0, 0], [0, 1]], [[1, 1], [0, 0]], [[0, 0], [1, 0]]]],
)  # fmt: skip
GAPPY_PREDICTED = np.array(
    [[[[1, 1], [1, 0]], [[0, 1], [0, 0]], [[0, 1], [1, 1]]],
     [[[1, 0], [1, 1]], [[0, 1], [1, 1]], [[0, 1], [1, 0]]]],
)  # fmt: skip
GAPPY_TRUTH = np.array(
    [[[[1, 1], [1, 1]], [[0, 0], [0, 0]], [[0, 0], [0, 0]]],
     [[[0, 0], [0, 1]], [[1, 1], [0, 0]], [[0, 0], [1, 0]]]],
)  # fmt: skip
EMPTY_TRUTH = np.array(
    [[[[1, 1], [1, 1]], [[0, 0], [0, 0]], [[0, 0], [0, 0]]]] * 2,
)  # fmt: skip


def plane_values(name: str, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """(cases, planes) of a metric under MONAI's convention."""
    call = getattr(metrics, name)
    given = {"convention": "monai"} if name not in ("accuracy",) else {}
    return np.array(
        [[call(t, p, **given) for t, p in zip(ts, ps, strict=True)]
         for ts, ps in zip(truth, predicted, strict=True)]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "single", "second", "per_plane", "mean", "summed", "last"),
    [
        ("dice", 0.8, [[0.5, 0.0], [2 / 3, 2 / 3]], [0.678571, 0.4, 0.666667], 0.689683,
         1.714286, 0.857143),
        ("iou", 2 / 3, [[1 / 3, 0.0], [0.5, 0.5]], [0.541667, 0.25, 0.5], 0.555556, 1.5, 0.75),
    ],
)  # fmt: skip
def test_mean_dice_and_iou(
    name: str, single: float, second: list, per_plane: list, mean: float, summed: float, last: float
) -> None:
    """test_compute_meandice.py and test_compute_meaniou.py, cases 1 to 12."""
    call = getattr(metrics, name)
    found = call(np.array([[1, 0], [1, 1]]), np.array([[1, 0], [0, 1]]), convention="monai")
    assert found == pytest.approx(single)
    assert plane_values(name, PLANES_TRUTH, PLANES_PREDICTED)[:, 1:] == pytest.approx(
        np.array(second)
    )
    values = plane_values(name, GAPPY_TRUTH, GAPPY_PREDICTED)
    assert np.nanmean(values, axis=0) == pytest.approx(per_plane, abs=1e-6)
    assert np.nanmean(np.nanmean(values, axis=1)) == pytest.approx(mean, abs=1e-6)
    values = plane_values(name, EMPTY_TRUTH, GAPPY_PREDICTED)
    assert np.nansum(values, axis=0) == pytest.approx([summed, 0, 0], abs=1e-6)
    assert np.isnan(values[:, 1:]).all()
    assert np.nanmean(values[:, 0]) == pytest.approx(last, abs=1e-6)
    ones, zeros = np.ones((3, 3), bool), np.zeros((3, 3), bool)
    assert call(ones, ones) == 1
    # ignore_empty=False
    assert call(zeros, zeros, empty=1.0) == 1
    assert call(zeros, ones, empty=1.0) == 0


def test_confusion_matrix_metrics() -> None:
    """test_compute_confusion_matrix.py: per plane averaged over cases, and sums with NaN."""
    expected = {
        "sensitivity": [0.5, 0.5, 0.5], "specificity": [5 / 6, 0.75, 2 / 3],
        "precision": [0.5, 0.75, 0.25], "accuracy": [0.75, 0.625, 0.625],
        "balanced_accuracy": [2 / 3, 0.625, 7 / 12],
    }  # fmt: skip
    for name, values in expected.items():
        found = plane_values(name, PLANES_TRUTH, PLANES_PREDICTED)
        assert found.mean(axis=0) == pytest.approx(values), name
    found = plane_values("iou", PLANES_TRUTH, PLANES_PREDICTED)
    assert found.mean(axis=0) == pytest.approx([0.5, 5 / 12, 0.25])  # "ts"
    found = plane_values("dice", PLANES_TRUTH, PLANES_PREDICTED)
    assert found.mean(axis=0) == pytest.approx([0.5, 7 / 12, 1 / 3])  # "f1"
    found = plane_values("mcc", PLANES_TRUTH, PLANES_PREDICTED)
    assert found.mean(axis=0) == pytest.approx([1 / 3, 0.288675, 0.122008], abs=1e-6)
    truth = np.concatenate(
        [PLANES_TRUTH[:1], [[[[1, 1], [1, 1]], [[0, 0], [0, 0]], [[0, 0], [0, 0]]]],
         [[[[0, 1], [1, 0]], [[1, 0], [0, 1]], [[0, 0], [0, 0]]]]]
    )  # fmt: skip
    predicted = np.concatenate(
        [PLANES_PREDICTED[:1], [[[[0, 0], [0, 0]], [[0, 0], [0, 0]], [[1, 1], [1, 1]]]] * 2]
    )
    for name, sums, defined in (
        ("sensitivity", [0, 0.5, 0], [3, 2, 1]),
        ("specificity", [5 / 3, 2.5, 2 / 3], [2, 3, 3]),
    ):
        values = plane_values(name, truth, predicted)
        assert np.nansum(values, axis=0) == pytest.approx(sums)
        assert (~np.isnan(values)).sum(axis=0).tolist() == defined


def test_f_beta() -> None:
    """test_compute_f_beta.py: counts summed over all, three betas, an empty truth."""
    predicted = np.ones((3, 3), int)
    truth = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
    for beta, expected in ((1.0, 0.714286), (0.5, 0.609756), (2.0, 0.862069)):
        assert metrics.fbeta(truth, predicted, beta=beta) == pytest.approx(expected, abs=1e-6)
    assert metrics.fbeta(truth * 0, predicted, beta=2.0) == 0


def test_volume_difference() -> None:
    """test_absolute_volume_difference.py, relative to the truth: 7 against 4, 64 against 27."""
    line = np.arange(10)
    assert metrics.volume_difference(line < 4, line < 7) * 4 == pytest.approx(3)
    truth, predicted = np.zeros((2, 8, 8, 8), bool)
    predicted[:4, :4, :4] = truth[:3, :3, :3] = True
    assert metrics.volume_difference(truth, predicted) * 27 == pytest.approx(37)


def test_panoptic_quality() -> None:
    """test_compute_panoptic_quality.py: a small image at two thresholds, any numbering."""
    predicted = np.array([[0, 1, 1, 1], [0, 0, 0, 0], [2, 0, 3, 3], [4, 2, 2, 0]])
    renumbered = np.array([[0, 7, 7, 7], [0, 0, 0, 0], [1, 0, 8, 8], [9, 1, 1, 0]])
    truth = np.array([[1, 1, 2, 1], [0, 0, 0, 0], [1, 3, 0, 0], [4, 3, 3, 3]])
    assert metrics.panoptic_quality(truth, predicted).pq == pytest.approx(0.25)
    assert metrics.panoptic_quality(truth, predicted, iou=0.3).sq == pytest.approx(0.6)
    assert metrics.panoptic_quality(truth, renumbered, iou=0.3).rq == pytest.approx(0.75)
    any_image = np.random.default_rng(0).integers(0, 5, (64, 64))
    assert metrics.panoptic_quality(any_image, any_image, iou=0.99).pq == 1


def test_panoptic_quality_of_classes() -> None:
    """test_compute_panoptic_quality.py: objects of each class by themselves (B2HW input)."""
    predicted = np.array(
        [[[[2, 0, 1], [2, 1, 1], [0, 1, 1]], [[0, 1, 3], [0, 0, 0], [1, 2, 1]]],
         [[[1, 1, 1], [3, 2, 0], [3, 2, 1]], [[1, 1, 3], [3, 1, 1], [0, 3, 0]]]]
    )  # fmt: skip
    truth = np.array(
        [[[[2, 0, 0], [2, 0, 0], [2, 2, 3]], [[3, 3, 3], [3, 2, 1], [2, 2, 3]]],
         [[[1, 1, 1], [0, 0, 3], [0, 0, 3]], [[0, 1, 3], [2, 1, 0], [3, 0, 3]]]]
    )  # fmt: skip
    rq, pq = np.zeros((2, 2, 3))
    for i in range(2):
        for k in range(1, 4):
            both = [np.where(x[i, 1] == k, x[i, 0], 0) for x in (truth, predicted)]
            found = metrics.panoptic_quality(*both, iou=0.4)
            rq[i, k - 1], pq[i, k - 1] = np.nan_to_num([found.rq, found.pq])
    assert rq == pytest.approx(np.array([[0, 1, 0], [2 / 3, 0, 0.4]]))
    assert pq == pytest.approx(np.array([[0, 0.5, 0], [1 / 3, 0, 0.4]]))


LOGITS = np.array([[0.1, 0.9], [0.3, 1.4], [0.2, 0.1], [0.1, 0.5]])
MORE_LOGITS = np.concatenate([LOGITS, [[0.1, 0.5]]])
MORE_LABELS = np.array([[1, 0], [0, 1], [0, 0], [1, 1], [0, 1]])


def areas(name: str, labels: np.ndarray, scores: np.ndarray) -> list[float]:
    call = getattr(metrics, name)
    return [call(labels[:, k], scores[:, k]) for k in range(labels.shape[1])]


@pytest.mark.parametrize(
    ("name", "classes", "expected"),
    [
        ("roc_auc", [0, 1, 0, 1], 0.75), ("pr_auc", [0, 0, 1, 1], 0.41667),
        ("pr_auc", [0, 1, 0, 1], 0.83333), ("roc_auc", [0, 0, 0, 0], NAN),
        ("roc_auc", [1, 1, 1, 1], NAN),
    ],
)  # fmt: skip
def test_areas_of_classes(name: str, classes: list[int], expected: float) -> None:
    """test_compute_roc_auc.py, test_compute_average_precision.py: macro over two classes."""
    values = areas(name, np.eye(2, dtype=int)[classes], special.softmax(LOGITS, axis=1))
    assert np.mean(values) == pytest.approx(expected, abs=1e-5, nan_ok=True)


def test_areas_of_scores_that_are_no_probabilities_and_of_several_labels() -> None:
    """The same files: scores above 1; weighted and micro averages of several labels."""
    scores, truth = np.array([0.5, 0.5, 0.2, 8.3]), np.array([0, 1, 0, 1])
    assert metrics.roc_auc(truth, scores) == 0.875
    assert metrics.pr_auc(truth, scores) == pytest.approx(0.83333, abs=1e-5)
    p = special.softmax(MORE_LOGITS, axis=1)
    weights = MORE_LABELS.sum(axis=0)
    for name, weighted, micro in (("roc_auc", 0.56667, 0.62), ("pr_auc", 0.66667, 0.71111)):
        values = areas(name, MORE_LABELS, p)
        assert np.average(values, weights=weights) == pytest.approx(weighted, abs=1e-5)
        assert getattr(metrics, name)(MORE_LABELS, p) == pytest.approx(micro, abs=1e-5)
    one_hot, p = np.eye(2, dtype=int)[[1, 1, 0, 0]], special.softmax(LOGITS, axis=1)
    assert metrics.pr_auc(one_hot, p) == pytest.approx(0.85417, abs=1e-5)


@pytest.mark.parametrize(
    ("p", "truth", "means", "shares", "counts", "ece", "mce"),
    [
        ([0.7, 0.3, 0.1, 0.9], [1, 0, 0, 1], [0.1, 0.3, NAN, 0.7, 0.9], [0, 0, NAN, 1, 1],
         [1, 1, 0, 1, 1], 0.2, 0.3),
        ([0.7, 0.3, 0.5, 0.5], [0, 1, 1, 0], [NAN, 0.3, 0.5, 0.7, NAN], [NAN, 1, 0.5, 0, NAN],
         [0, 1, 2, 1, 0], 0.35, 0.7),
        ([0.9, 0.9, 0.3, 0.3], [1, 1, 0, 0], [NAN, 0.3, NAN, NAN, 0.9], [NAN, 0, NAN, NAN, 1],
         [0, 2, 0, 0, 2], 0.2, 0.3),
        ([0.1, 0.1, 0.9, 0.7], [0, 0, 1, 1], [0.1, NAN, NAN, 0.7, 0.9], [0, NAN, NAN, 1, 1],
         [2, 0, 0, 1, 1], 0.15, 0.3),
        ([0.8, 0.2, 0.4, 0.6], [1, 0, 0, 1], [0.2, 0.4, 0.6, 0.8, NAN], [0, 0, 1, 1, NAN],
         [1, 1, 1, 1, 0], 0.3, 0.4),
    ],
)  # fmt: skip
def test_calibration(
    p: list, truth: list, means: list, shares: list, counts: list, ece: float, mce: float
) -> None:
    """test_calibration_metric.py: bins that hold their upper edge, in both precisions."""
    for kind in (np.float32, np.float64):
        found = metrics.reliability(np.array(truth), np.array(p, kind), bins=5, convention="monai")
        assert found.confidence == pytest.approx(means, abs=1e-6, nan_ok=True)
        assert found.frequency == pytest.approx(shares, abs=1e-6, nan_ok=True)
        assert found.counts.tolist() == counts
        assert (found.ece, found.mce) == pytest.approx((ece, mce), abs=1e-6)
