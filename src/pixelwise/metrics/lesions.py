"""Metrics of the components of a mask: lesions found, invented, split and merged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pixelwise.arrays.object_overlaps import Overlaps
from pixelwise.metrics.choices import choose_metrics
from pixelwise.metrics.inputs import as_spacing
from pixelwise.metrics.pair import Connectivity, MaskPair, pair_of
from pixelwise.metrics.registration import metric

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LesionCounts:
    """Components that touch the other mask, and those that do not.

    found, missed: of the truth; hits, false_alarms: of the prediction.
    """

    found: int
    missed: int
    hits: int
    false_alarms: int


@dataclass(frozen=True, slots=True)
class ComponentScores:
    """A metric in the neighbourhood of every truth component, and its mean over the defined."""

    mean: float
    values: tuple[float, ...]


@metric("lesion_sensitivity", "objects", best=1, higher_is_better=True)
def lesion_sensitivity(pair: MaskPair, *, connectivity: Connectivity = "full") -> float:
    """Share of the truth's components that share a pixel with the prediction.

    connectivity: "full" (8, 26), or "face" (4, 6) as MetricsReloaded. Range 0 to 1.
    Empty truth -> NaN.
    """
    c = lesion_counts(pair, connectivity)
    return _ratio(c.found, c.found + c.missed)


@metric("lesion_precision", "objects", best=1, higher_is_better=True)
def lesion_precision(pair: MaskPair, *, connectivity: Connectivity = "full") -> float:
    """Lesions found over lesions found and false alarms, TP / (TP + FP).

    TP counts components of the truth, FP components of the prediction that touch none (as
    MetricsReloaded). connectivity as in lesion_sensitivity. Range 0 to 1. Empty
    prediction -> NaN.
    """
    c = lesion_counts(pair, connectivity)
    return _ratio(c.found, c.found + c.false_alarms) if c.hits + c.false_alarms else math.nan


@metric("lesion_f1", "objects", best=1, higher_is_better=True)
def lesion_f1(pair: MaskPair, *, connectivity: Connectivity = "full") -> float:
    """F1 of lesions, TP / (TP + FP / 2 + FN / 2); one pixel in common counts as found.

    TP, FN: components of the truth; FP: components of the prediction that touch none.
    connectivity as in lesion_sensitivity. Range 0 to 1. Empty: both -> NaN; exactly one
    -> 0. Source: ISLES and ATLAS challenges, MetricsReloaded.
    """
    c = lesion_counts(pair, connectivity)
    return _ratio(2 * c.found, 2 * c.found + c.false_alarms + c.missed)


@metric("lesion_dice", "objects", best=1, higher_is_better=True)
def lesion_dice(pair: MaskPair, *, connectivity: Connectivity = "full") -> float:
    """Mean Dice over lesions: every truth component against all that touches it.

    A missed component and a false alarm count as 0 each. connectivity as in
    lesion_sensitivity. Range 0 to 1. Empty: both -> NaN; exactly one -> 0.
    Source: BraTS 2023, without its dilation of the truth.
    """
    o, c = pair.components(connectivity), lesion_counts(pair, connectivity)
    n = c.found + c.missed + c.false_alarms
    shared = np.bincount(o.truth_index, o.shared, minlength=o.truth_sizes.size)
    touching = np.bincount(
        o.truth_index, o.predicted_sizes[o.predicted_index], minlength=o.truth_sizes.size
    )
    return _ratio(float((2 * shared / (o.truth_sizes + touching)).sum()), n)


@metric("component_splits", "objects", best=0, higher_is_better=False)
def component_splits(pair: MaskPair, *, connectivity: Connectivity = "full") -> float:
    """Predicted components beyond the first that touch one component of the truth.

    connectivity as in lesion_sensitivity. A mask that is empty has none: 0.
    """
    o = pair.components(connectivity)
    return float(_beyond_first(o.truth_index, o.truth_sizes.size))


@metric("component_merges", "objects", best=0, higher_is_better=False)
def component_merges(pair: MaskPair, *, connectivity: Connectivity = "full") -> float:
    """Truth components beyond the first that one predicted component touches.

    connectivity as in lesion_sensitivity. A mask that is empty has none: 0.
    """
    o = pair.components(connectivity)
    return float(_beyond_first(o.predicted_index, o.predicted_sizes.size))


def lesion_counts(pair: MaskPair, connectivity: Connectivity = "full") -> LesionCounts:
    """Components of both masks that touch the other, and that do not."""
    overlaps: Overlaps = pair.components(connectivity)
    found, hits = np.unique(overlaps.truth_index).size, np.unique(overlaps.predicted_index).size
    return LesionCounts(
        found, overlaps.truth_sizes.size - found, hits, overlaps.predicted_sizes.size - hits
    )


def per_component(
    truth: Any,
    predicted: Any,
    metric: str = "dice",
    *,
    spacing: Sequence[float] | float | None = None,
    connectivity: Connectivity = "full",
    **options: Any,
) -> ComponentScores:
    """A metric of mask pairs within the neighbourhood of every component of the truth.

    Shape: truth, predicted ([z,] y, x), nonzero is the object. A pixel belongs to the
    neighbourhood of the component nearest to it, in units of spacing. metric: a name with
    options, as in `measure`. No component -> the metric of the whole masks.
    Raises BadData, BadPlan, ShapeMismatch. Source: Jaus et al. 2024 (CC-Metrics).
    """
    (choice,) = choose_metrics([metric], options)
    pair = pair_of(truth, predicted, spacing)
    near = ndimage.generate_binary_structure(
        pair.truth.ndim, pair.truth.ndim if connectivity == "full" else 1
    )
    numbers, n = ndimage.label(pair.truth, near)
    if n == 0:
        value = choice.of(pair)
        return ComponentScores(value, (value,))
    places = ndimage.distance_transform_edt(
        numbers == 0, as_spacing(spacing, numbers.ndim), return_distances=False,
        return_indices=True,
    )  # fmt: skip
    nearest = numbers[tuple(places)]
    values = tuple(
        choice.of(pair_of(pair.truth & (nearest == k), pair.predicted & (nearest == k), spacing))
        for k in range(1, n + 1)
    )
    known = [value for value in values if not math.isnan(value)]
    return ComponentScores(float(np.mean(known)) if known else math.nan, values)


def _beyond_first(index: Ints, n: int) -> int:
    return int(np.maximum(np.bincount(index, minlength=n) - 1, 0).sum())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
