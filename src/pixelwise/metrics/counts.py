"""Metrics of pixel counts: accuracy, overlap, precision, sensitivity and their kin."""

from __future__ import annotations

import math

from pixelwise.metrics.conventions import CountConvention, count_when_empty, undefined_count
from pixelwise.metrics.pair import MaskPair
from pixelwise.metrics.registration import metric


@metric("dice", "counts", best=1, higher_is_better=True, pools=True)
def dice(
    pair: MaskPair, *, empty: float | None = None, convention: CountConvention = "pixelwise"
) -> float:
    """Dice overlap 2 TP / (2 TP + FP + FN), equal to the F1 score.

    Range 0 to 1. Empty: both empty -> NaN, or `empty` (1: nothing to find, nothing found);
    exactly one empty -> 0. convention: a tool's own values there; "monai" has NaN if the
    truth is empty, "metrics-reloaded", "seg_metrics" and others 1 if both are.
    Source: Dice 1945; Sørensen 1948.
    """
    c = pair.counts
    return _overlap(pair, "dice", (2 * c.tp, 2 * c.tp + c.fp + c.fn), empty, convention)


@metric("iou", "counts", best=1, higher_is_better=True, pools=True)
def iou(
    pair: MaskPair, *, empty: float | None = None, convention: CountConvention = "pixelwise"
) -> float:
    """Intersection over union TP / (TP + FP + FN), the Jaccard index.

    Range 0 to 1; equals Dice / (2 - Dice). Empty: both empty -> NaN, or `empty`; exactly
    one -> 0. convention: a tool's own values there. Source: Jaccard 1912.
    """
    c = pair.counts
    return _overlap(pair, "iou", (c.tp, c.tp + c.fp + c.fn), empty, convention)


@metric("fbeta", "counts", best=1, higher_is_better=True, pools=True)
def fbeta(
    pair: MaskPair,
    *,
    beta: float = 2.0,
    empty: float | None = None,
    convention: CountConvention = "pixelwise",
) -> float:
    """F-beta (1 + b²) TP / ((1 + b²) TP + b² FN + FP); beta > 1 weighs misses more.

    Range 0 to 1. Empty: both empty -> NaN, or `empty`; exactly one -> 0. convention: a
    tool's own values there. Source: van Rijsbergen 1979.
    """
    c, b = pair.counts, beta * beta
    parts = (1 + b) * c.tp, (1 + b) * c.tp + b * c.fn + c.fp
    return _overlap(pair, "fbeta", parts, empty, convention)


@metric("accuracy", "counts", best=1, higher_is_better=True, pools=True)
def accuracy(pair: MaskPair) -> float:
    """Share of scored pixels that are right about this class, (TP + TN) / N.

    Range 0 to 1. Misleads where the class is rare. No scored pixel -> NaN.
    """
    c = pair.counts
    return _ratio(c.tp + c.tn, c.tp + c.fp + c.fn + c.tn)


@metric("balanced_accuracy", "counts", best=1, higher_is_better=True, pools=True)
def balanced_accuracy(pair: MaskPair, *, convention: CountConvention = "pixelwise") -> float:
    """Mean of sensitivity and specificity.

    Range 0 to 1. NaN unless the truth has pixels inside and outside the class. convention:
    "miseval" then takes the one that is defined, "mikan" counts the other as 0.
    """
    c = pair.counts
    parts = [
        _ratio(c.tp, c.tp + c.fn, undefined_count("sensitivity", convention)),
        _ratio(c.tn, c.tn + c.fp, undefined_count("specificity", convention)),
    ]
    if convention == "miseval" and (c.tp + c.fn == 0 or c.tn + c.fp == 0):
        return max(parts)
    return (parts[0] + parts[1]) / 2


@metric("sensitivity", "counts", best=1, higher_is_better=True, pools=True)
def sensitivity(pair: MaskPair, *, convention: CountConvention = "pixelwise") -> float:
    """Share of the truth that was found, TP / (TP + FN); also called recall.

    Range 0 to 1. Empty truth -> NaN, or as the convention has it.
    """
    c = pair.counts
    return _rate(pair, "sensitivity", (c.tp, c.tp + c.fn), convention)


@metric("specificity", "counts", best=1, higher_is_better=True, pools=True)
def specificity(pair: MaskPair, *, convention: CountConvention = "pixelwise") -> float:
    """Share of the rest that was left alone, TN / (TN + FP).

    Range 0 to 1. Nothing outside the truth -> NaN, or as the convention has it.
    """
    c = pair.counts
    return _rate(pair, "specificity", (c.tn, c.tn + c.fp), convention)


@metric("precision", "counts", best=1, higher_is_better=True, pools=True)
def precision(pair: MaskPair, *, convention: CountConvention = "pixelwise") -> float:
    """Share of the prediction that is right, TP / (TP + FP).

    Range 0 to 1. Empty prediction -> NaN, or as the convention has it.
    """
    c = pair.counts
    return _rate(pair, "precision", (c.tp, c.tp + c.fp), convention)


@metric("mcc", "counts", best=1, higher_is_better=True, pools=True)
def mcc(pair: MaskPair, *, convention: CountConvention = "pixelwise") -> float:
    """Matthews correlation of the two masks.

    Range -1 to 1. NaN if either mask is constant, or as the convention has it.
    Source: Matthews 1975.
    """
    c = pair.counts
    margins = (c.tp + c.fp) * (c.tp + c.fn) * (c.tn + c.fp) * (c.tn + c.fn)
    parts = c.tp * c.tn - c.fp * c.fn, math.sqrt(margins)
    return _rate(pair, "mcc", parts, convention)


@metric("kappa", "counts", best=1, higher_is_better=True, pools=True)
def kappa(pair: MaskPair, *, convention: CountConvention = "pixelwise") -> float:
    """Cohen's kappa: agreement beyond chance, 2 (TP TN - FP FN) / sum of margin products.

    Range -1 to 1. NaN if both masks are constant and equal, or as the convention has it.
    Source: Cohen 1960.
    """
    c = pair.counts
    chance = (c.tp + c.fp) * (c.fp + c.tn) + (c.tp + c.fn) * (c.fn + c.tn)
    return _ratio(2 * (c.tp * c.tn - c.fp * c.fn), chance, undefined_count("kappa", convention))


@metric("volume_difference", "counts", best=0, higher_is_better=False, pools=True)
def volume_difference(pair: MaskPair, *, signed: bool = False) -> float:
    """Relative difference of size, |predicted - truth| / truth.

    signed: without the bars, above 0 where the prediction is too large (MedPy's ravd).
    Range 0 (signed: -1) to infinity; blind to position: never use it instead of an overlap.
    Empty: both empty -> NaN; only prediction -> infinite; only truth -> 1 (signed: -1).
    """
    c = pair.counts
    truth, predicted = c.tp + c.fn, c.tp + c.fp
    if truth == 0:
        return math.nan if predicted == 0 else math.inf
    difference = (predicted - truth) / truth
    return difference if signed else abs(difference)


@metric("volumetric_similarity", "counts", best=1, higher_is_better=True, pools=True)
def volumetric_similarity(pair: MaskPair) -> float:
    """1 - |predicted - truth| / (predicted + truth), the similarity of two sizes.

    Range 0 to 1; blind to position: never use it instead of an overlap. Empty: both
    empty -> NaN; exactly one -> 0. Source: Taha and Hanbury 2015.
    """
    c = pair.counts
    truth, predicted = c.tp + c.fn, c.tp + c.fp
    return 1 - _ratio(abs(predicted - truth), predicted + truth)


def _ratio(part: float, whole: float, undefined: float = math.nan) -> float:
    return part / whole if whole else undefined


def _overlap(
    pair: MaskPair,
    name: str,
    parts: tuple[float, float],
    empty: float | None,
    convention: CountConvention,
) -> float:
    """A ratio, or what was said about empty masks: by the user, then by the convention."""
    c = pair.counts
    has_truth, has_predicted = c.tp + c.fn > 0, c.tp + c.fp > 0
    if empty is not None and not (has_truth or has_predicted):
        return empty
    special = count_when_empty(name, convention, has_truth, has_predicted)
    return _ratio(*parts) if special is None else special


def _rate(
    pair: MaskPair, name: str, parts: tuple[float, float], convention: CountConvention
) -> float:
    """A ratio, or the convention's value for empty masks, or for a division by nothing."""
    c = pair.counts
    special = count_when_empty(name, convention, c.tp + c.fn > 0, c.tp + c.fp > 0)
    return _ratio(*parts, undefined_count(name, convention)) if special is None else special
