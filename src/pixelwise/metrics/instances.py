"""Metrics of single objects: matches, panoptic quality, average precision, SEG, splits, merges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from pixelwise.arrays.object_overlaps import Overlaps, overlap_objects
from pixelwise.core.errors import BadData
from pixelwise.metrics.inputs import as_labels, check_not_negative, check_same_grid

DSB_THRESHOLDS = tuple(i / 20 for i in range(10, 20))
"""0.50, 0.55 … 0.95, as in the 2018 Data Science Bowl."""


@dataclass(frozen=True, slots=True)
class PanopticQuality:
    """pq = sq x rq; sq: mean IoU of the matches; rq: their F1. NaN if neither has an object."""

    pq: float
    sq: float
    rq: float
    tp: int
    fp: int
    fn: int


@dataclass(frozen=True, slots=True)
class InstanceErrors:
    """Objects by what happened to them, as counts.

    An object is covered by another if more than half of it lies inside. missed: truths
    that no prediction covers or is covered by; extra: the reverse; merges: truths beyond
    the first that one prediction covers; splits: predictions beyond the first that one
    truth covers.
    """

    missed: int
    extra: int
    merges: int
    splits: int


def find_overlaps(truth: Any, predicted: Any) -> Overlaps:
    """Sizes of all objects and of all pairs that share pixels; 0 is no object.

    Raises BadData for floats or negative numbers, ShapeMismatch for other grids.
    """
    one, other = as_labels(truth, "truth"), as_labels(predicted, "predicted")
    check_same_grid(one, other)
    check_not_negative(one, other)
    return overlap_objects(one, other)


def panoptic_quality(
    truth: Any, predicted: Any, *, iou: float = 0.5, inclusive: bool = False
) -> PanopticQuality:
    """Panoptic quality of numbered objects; a match has an IoU strictly above the threshold.

    Shape: truth, predicted ([z,] y, x) whole numbers, 0 = no object. inclusive: at least
    the threshold (StarDist, panoptica's default). Where that leaves a choice, matches are
    made unique by the best total IoU. Range 0 to 1. Empty: neither has an object -> NaN;
    exactly one -> 0. Source: Kirillov et al. 2019.
    """
    overlaps = find_overlaps(truth, predicted)
    matched = match_objects(overlaps, iou, inclusive=inclusive)
    tp, fp, fn = _count(overlaps, matched)
    if tp + fp + fn == 0:
        return PanopticQuality(math.nan, math.nan, math.nan, 0, 0, 0)
    total = float(overlaps.iou[matched].sum())
    rq = tp / (tp + fp / 2 + fn / 2)
    return PanopticQuality(
        total / (tp + fp / 2 + fn / 2), total / tp if tp else 0.0, rq, tp, fp, fn
    )


def average_precision(
    truth: Any,
    predicted: Any,
    *,
    thresholds: Sequence[float] = DSB_THRESHOLDS,
    inclusive: bool = False,
) -> tuple[float, tuple[float, ...]]:
    """(mean, per threshold) of TP / (TP + FP + FN): what DSB 2018 and StarDist call AP.

    Not COCO's AP, which needs scores. A match has an IoU strictly above the threshold;
    inclusive: at least (StarDist). Neither has an object -> NaN; exactly one -> 0.
    """
    overlaps = find_overlaps(truth, predicted)
    values = []
    for threshold in thresholds:
        tp, fp, fn = _count(overlaps, match_objects(overlaps, threshold, inclusive=inclusive))
        values.append(tp / (tp + fp + fn) if tp + fp + fn else math.nan)
    return float(np.mean(values)), tuple(values)


def ap_dsb(truth: Any, predicted: Any) -> float:
    """Mean over IoU 0.50, 0.55 … 0.95 of TP / (TP + FP + FN), strictly above (DSB 2018)."""
    return average_precision(truth, predicted)[0]


def f1_at_iou(truth: Any, predicted: Any, *, iou: float = 0.5, inclusive: bool = False) -> float:
    """F1 of objects matched with an IoU strictly above a threshold (inclusive: at least).

    iou=0 matches whatever touches, each object once. Range 0 to 1. Neither has an
    object -> NaN; exactly one -> 0.
    """
    overlaps = find_overlaps(truth, predicted)
    tp, fp, fn = _count(overlaps, match_objects(overlaps, iou, inclusive=inclusive))
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else math.nan


def aggregated_jaccard(truth: Any, predicted: Any) -> float:
    """AJI: every truth takes the prediction of best IoU; shared pixels over all pixels taken.

    Predictions that nothing took count as errors; one may be taken twice. Kept for
    comparison with older results: prefer panoptic quality. Range 0 to 1. Neither has an
    object -> NaN; exactly one -> 0. Source: Kumar et al. 2017.
    """
    o = find_overlaps(truth, predicted)
    order = np.lexsort((-o.iou, o.truth_index))
    _, first = np.unique(o.truth_index[order], return_index=True)
    best = order[first]
    shared = float(o.shared[best].sum())
    taken = np.zeros(o.predicted_sizes.size, dtype=bool)
    taken[o.predicted_index[best]] = True
    union = float(o.truth_sizes.sum() + o.predicted_sizes[o.predicted_index[best]].sum()) - shared
    whole = union + float(o.predicted_sizes[~taken].sum())
    return shared / whole if whole else math.nan


def seg_score(truth: Any, predicted: Any) -> float:
    """SEG: mean over truth objects of the IoU with the prediction that covers over half of it.

    Unmatched truths count 0; predictions in excess do not count. No truth -> NaN.
    Source: Cell Tracking Challenge (Maška et al. 2014).
    """
    overlaps = find_overlaps(truth, predicted)
    if overlaps.truth_sizes.size == 0:
        return math.nan
    covers = 2 * overlaps.shared > overlaps.truth_sizes[overlaps.truth_index]
    return float(overlaps.iou[covers].sum() / overlaps.truth_sizes.size)


def instance_errors(truth: Any, predicted: Any) -> InstanceErrors:
    """Missed, extra, merged and split objects; see InstanceErrors."""
    o = find_overlaps(truth, predicted)
    in_predicted = 2 * o.shared > o.truth_sizes[o.truth_index]
    in_truth = 2 * o.shared > o.predicted_sizes[o.predicted_index]
    related = in_predicted | in_truth
    merged = np.bincount(o.predicted_index[in_predicted], minlength=o.predicted_sizes.size)
    split = np.bincount(o.truth_index[in_truth], minlength=o.truth_sizes.size)
    return InstanceErrors(
        missed=o.truth_sizes.size - np.unique(o.truth_index[related]).size,
        extra=o.predicted_sizes.size - np.unique(o.predicted_index[related]).size,
        merges=int(np.maximum(merged - 1, 0).sum()),
        splits=int(np.maximum(split - 1, 0).sum()),
    )


def recall_by_size(
    truth: Any, predicted: Any, *, edges: Sequence[float], iou: float = 0.5
) -> tuple[tuple[int, int], ...]:
    """(found, all) truth objects per size class; sizes in pixels, classes between the edges.

    n edges make n + 1 classes; an object on an edge belongs to the larger class.
    """
    overlaps = find_overlaps(truth, predicted)
    size_class = np.digitize(overlaps.truth_sizes, np.asarray(edges, dtype=float))
    found = size_class[overlaps.truth_index[match_objects(overlaps, iou)]]
    n = len(edges) + 1
    return tuple(
        zip(np.bincount(found, minlength=n).tolist(), np.bincount(size_class, minlength=n).tolist(),
            strict=True)
    )  # fmt: skip


def match_objects(
    overlaps: Overlaps, iou: float, *, inclusive: bool = False
) -> npt.NDArray[np.int64]:
    """Indices of the pairs that match: IoU above the threshold, every object at most once.

    Compared in whole numbers, so that 4 of 5 pixels are not above 0.8 however it is written.
    """
    if not 0 <= iou <= 1:
        raise BadData(f"the IoU threshold is {iou:g}", "0 to 1", "Take 0.5.", code="bad-threshold")
    limit = Fraction(iou).limit_denominator(1_000_000)
    union = (
        overlaps.truth_sizes[overlaps.truth_index]
        + overlaps.predicted_sizes[overlaps.predicted_index]
        - overlaps.shared
    )
    excess = overlaps.shared * limit.denominator - union * limit.numerator
    is_over = excess >= 0 if inclusive else excess > 0
    candidates = np.flatnonzero(is_over)
    is_unique = all(
        np.unique(index[candidates]).size == candidates.size
        for index in (overlaps.truth_index, overlaps.predicted_index)
    )
    if is_unique:
        return candidates
    return _best_matches(overlaps, candidates)


def _best_matches(overlaps: Overlaps, candidates: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The assignment of largest total IoU among candidate pairs."""
    rows, row_of = np.unique(overlaps.truth_index[candidates], return_inverse=True)
    columns, column_of = np.unique(overlaps.predicted_index[candidates], return_inverse=True)
    gains = np.zeros((rows.size, columns.size))
    gains[row_of, column_of] = overlaps.iou[candidates]
    place = np.full(gains.shape, -1, dtype=np.int64)
    place[row_of, column_of] = candidates
    chosen = place[linear_sum_assignment(gains, maximize=True)]
    return np.asarray(chosen[chosen >= 0])


def _count(overlaps: Overlaps, matched: npt.NDArray[np.int64]) -> tuple[int, int, int]:
    tp = int(matched.size)
    return tp, overlaps.predicted_sizes.size - tp, overlaps.truth_sizes.size - tp
