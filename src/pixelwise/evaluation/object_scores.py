"""Scores of single objects of a class: numbered in the files, or the components of masks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pixelwise.core.case import IGNORE
from pixelwise.metrics.instances import (
    DSB_THRESHOLDS,
    InstanceErrors,
    find_overlaps,
    instance_errors,
    match_objects,
)
from pixelwise.metrics.partitions import adapted_rand_error, variation_of_information

ObjectRule = Literal["numbered", "components", "numbered-truth"]
Numbers = npt.NDArray[Any]

RULES: dict[str, str] = {
    "numbered": "the files number the objects, 0 is none",
    "components": "an object is a part of a class that hangs together, corners count",
    "numbered-truth": (
        "the truth numbers its objects; a predicted object is a part of the mask that hangs "
        "together, corners count"
    ),
}
"""What an object is, by `--instances`."""

_NO_ERRORS = InstanceErrors(missed=0, extra=0, merges=0, splits=0)
_TOUCHING = 0.0
_HALF = 0.5
_THREE_QUARTERS = 0.75
_MATCHED_AT = (_TOUCHING, _HALF, _THREE_QUARTERS, *DSB_THRESHOLDS)


@dataclass(frozen=True, slots=True)
class ObjectTally:
    """What the objects of one case, or of several, add up to.

    matched: pairs of objects at every threshold of IoU; iou_sum: of the pairs above 0.5;
    seg_sum: of truths that a prediction covers over half.
    """

    n_truth: int
    n_predicted: int
    matched: tuple[int, ...]
    iou_sum: float
    seg_sum: float
    errors: InstanceErrors


@dataclass(frozen=True, slots=True)
class CaseObjects:
    """The objects of one class in one case: what they add up to, and every truth by itself.

    sizes in pixels; touched: sharing a pixel with a prediction; found: matched above IoU 0.5.
    """

    tally: ObjectTally
    values: dict[str, float]
    sizes: npt.NDArray[np.int64]
    touched: npt.NDArray[np.bool_]
    found: npt.NDArray[np.bool_]


def number_components(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """Fully connected (8, 26) components of a mask ([z,] y, x), numbered from 1."""
    return np.asarray(ndimage.label(mask, np.ones((3,) * mask.ndim, dtype=bool))[0], np.int32)


def score_objects(truth: Numbers, predicted: Numbers, *, only_sizes: bool = False) -> CaseObjects:
    """All scores of numbered objects of one case, 0 = none.

    only_sizes: which truths were found, and no scores; that takes a third of the time.

    Shape: ([z,] y, x) whole numbers on one grid. Scores and their rules for what is empty
    are in core/score_facts. Raises BadData for negative numbers, ShapeMismatch.
    """
    overlaps = find_overlaps(truth, predicted)
    pairs = {iou: match_objects(overlaps, iou) for iou in dict.fromkeys(_MATCHED_AT)}
    covers = 2 * overlaps.shared > overlaps.truth_sizes[overlaps.truth_index]
    tally = ObjectTally(
        n_truth=int(overlaps.truth_sizes.size),
        n_predicted=int(overlaps.predicted_sizes.size),
        matched=tuple(int(pairs[iou].size) for iou in _MATCHED_AT),
        iou_sum=float(overlaps.iou[pairs[_HALF]].sum()),
        seg_sum=float(overlaps.iou[covers].sum()),
        errors=_NO_ERRORS if only_sizes else instance_errors(truth, predicted),
    )
    values = {} if only_sizes else tally_values(tally) | _partition_values(truth, predicted)
    touched = np.zeros(tally.n_truth, dtype=bool)
    touched[overlaps.truth_index] = True
    found = np.zeros(tally.n_truth, dtype=bool)
    found[overlaps.truth_index[pairs[_HALF]]] = True
    return CaseObjects(tally, values, overlaps.truth_sizes, touched, found)


def _partition_values(truth: Numbers, predicted: Numbers) -> dict[str, float]:
    rand = adapted_rand_error(truth, predicted, ignore_labels=(0,))
    information = variation_of_information(truth, predicted, ignore_labels=(0,))
    return {
        "adapted_rand": rand.error,
        "voi_split": information.split,
        "voi_merge": information.merge,
    }


def score_components(
    truth: npt.NDArray[np.uint8],
    predicted: npt.NDArray[np.uint8],
    class_id: int,
    *,
    only_sizes: bool = False,
) -> CaseObjects:
    """The same for the components of a class; pixels that are void (255) are in none."""
    is_scored = truth != IGNORE
    return score_objects(
        number_components((truth == class_id) & is_scored),
        number_components((predicted == class_id) & is_scored),
        only_sizes=only_sizes,
    )


def tally_values(tally: ObjectTally) -> dict[str, float]:
    """The scores that sums of objects give: of one case, or pooled over a set."""
    t = tally
    at = dict(zip(_MATCHED_AT, t.matched, strict=True))
    mean_size = (t.n_truth + t.n_predicted) / 2
    n_half = at[_HALF]
    return {
        "pq": _ratio(t.iou_sum, mean_size),
        "sq": (t.iou_sum / n_half if n_half else 0.0) if mean_size else math.nan,
        "rq": _ratio(n_half, mean_size),
        "object_f1_touching": _ratio(at[_TOUCHING], mean_size),
        "ap50": _precision_at(t, n_half),
        "ap75": _precision_at(t, at[_THREE_QUARTERS]),
        "ap_dsb": float(np.mean([_precision_at(t, at[iou]) for iou in DSB_THRESHOLDS])),
        "seg": _ratio(t.seg_sum, t.n_truth),
        "missed_objects": float(t.errors.missed),
        "extra_objects": float(t.errors.extra),
        "merges": float(t.errors.merges),
        "splits": float(t.errors.splits),
    }


def add_tallies(tallies: Iterable[ObjectTally]) -> ObjectTally:
    """The sum over cases."""
    every = list(tallies)
    return ObjectTally(
        n_truth=sum(t.n_truth for t in every),
        n_predicted=sum(t.n_predicted for t in every),
        matched=tuple(sum(t.matched[i] for t in every) for i in range(len(_MATCHED_AT))),
        iou_sum=sum(t.iou_sum for t in every),
        seg_sum=sum(t.seg_sum for t in every),
        errors=InstanceErrors(
            missed=sum(t.errors.missed for t in every),
            extra=sum(t.errors.extra for t in every),
            merges=sum(t.errors.merges for t in every),
            splits=sum(t.errors.splits for t in every),
        ),
    )


def _precision_at(tally: ObjectTally, n_matched: int) -> float:
    return _ratio(n_matched, tally.n_truth + tally.n_predicted - n_matched)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
