"""Metrics of pixel counts: accuracy, overlap, precision, sensitivity and their kin."""

from __future__ import annotations

import math

from pixelwise.metrics.pair import MaskPair
from pixelwise.metrics.registration import metric


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


@metric("dice", "counts", best=1, higher_is_better=True, pools=True)
def dice(pair: MaskPair) -> float:
    """Dice overlap 2 TP / (2 TP + FP + FN), equal to the F1 score.

    Range 0 to 1. Empty: both empty -> NaN; exactly one empty -> 0.
    Source: Dice 1945; Sørensen 1948.
    """
    c = pair.counts
    return _ratio(2 * c.tp, 2 * c.tp + c.fp + c.fn)


@metric("iou", "counts", best=1, higher_is_better=True, pools=True)
def iou(pair: MaskPair) -> float:
    """Intersection over union TP / (TP + FP + FN), the Jaccard index.

    Range 0 to 1; equals Dice / (2 - Dice). Empty: both empty -> NaN; exactly one -> 0.
    """
    c = pair.counts
    return _ratio(c.tp, c.tp + c.fp + c.fn)


@metric("fbeta", "counts", best=1, higher_is_better=True, pools=True)
def fbeta(pair: MaskPair, *, beta: float = 2.0) -> float:
    """F-beta (1 + b²) TP / ((1 + b²) TP + b² FN + FP); beta > 1 weighs misses more.

    Range 0 to 1. Empty: both empty -> NaN; exactly one -> 0. Source: van Rijsbergen 1979.
    """
    c, b = pair.counts, beta * beta
    return _ratio((1 + b) * c.tp, (1 + b) * c.tp + b * c.fn + c.fp)


@metric("accuracy", "counts", best=1, higher_is_better=True, pools=True)
def accuracy(pair: MaskPair) -> float:
    """Share of scored pixels that are right about this class, (TP + TN) / N.

    Range 0 to 1. Misleads where the class is rare. No scored pixel -> NaN.
    """
    c = pair.counts
    return _ratio(c.tp + c.tn, c.tp + c.fp + c.fn + c.tn)


@metric("balanced_accuracy", "counts", best=1, higher_is_better=True, pools=True)
def balanced_accuracy(pair: MaskPair) -> float:
    """Mean of sensitivity and specificity.

    Range 0 to 1. NaN unless the truth has pixels inside and outside the class.
    """
    c = pair.counts
    return (_ratio(c.tp, c.tp + c.fn) + _ratio(c.tn, c.tn + c.fp)) / 2


@metric("sensitivity", "counts", best=1, higher_is_better=True, pools=True)
def sensitivity(pair: MaskPair) -> float:
    """Share of the truth that was found, TP / (TP + FN); also called recall.

    Range 0 to 1. Empty truth -> NaN.
    """
    c = pair.counts
    return _ratio(c.tp, c.tp + c.fn)


@metric("specificity", "counts", best=1, higher_is_better=True, pools=True)
def specificity(pair: MaskPair) -> float:
    """Share of the rest that was left alone, TN / (TN + FP).

    Range 0 to 1. Nothing outside the truth -> NaN.
    """
    c = pair.counts
    return _ratio(c.tn, c.tn + c.fp)


@metric("precision", "counts", best=1, higher_is_better=True, pools=True)
def precision(pair: MaskPair) -> float:
    """Share of the prediction that is right, TP / (TP + FP).

    Range 0 to 1. Empty prediction -> NaN.
    """
    c = pair.counts
    return _ratio(c.tp, c.tp + c.fp)


@metric("mcc", "counts", best=1, higher_is_better=True, pools=True)
def mcc(pair: MaskPair) -> float:
    """Matthews correlation of the two masks.

    Range -1 to 1. NaN if either mask is constant. Source: Matthews 1975.
    """
    c = pair.counts
    margins = (c.tp + c.fp) * (c.tp + c.fn) * (c.tn + c.fp) * (c.tn + c.fn)
    return _ratio(c.tp * c.tn - c.fp * c.fn, math.sqrt(margins))


@metric("kappa", "counts", best=1, higher_is_better=True, pools=True)
def kappa(pair: MaskPair) -> float:
    """Cohen's kappa: agreement beyond chance, 2 (TP TN - FP FN) / sum of margin products.

    Range -1 to 1. NaN if both masks are constant and equal. Source: Cohen 1960.
    """
    c = pair.counts
    chance = (c.tp + c.fp) * (c.fp + c.tn) + (c.tp + c.fn) * (c.fn + c.tn)
    return _ratio(2 * (c.tp * c.tn - c.fp * c.fn), chance)


@metric("volume_difference", "counts", best=0, higher_is_better=False, pools=True)
def volume_difference(pair: MaskPair) -> float:
    """Relative difference of size, |predicted - truth| / truth.

    Range 0 to infinity; blind to position: never use it instead of an overlap.
    Empty: both empty -> NaN; only prediction -> infinite; only truth -> 1.
    """
    c = pair.counts
    truth, predicted = c.tp + c.fn, c.tp + c.fp
    if truth == 0:
        return math.nan if predicted == 0 else math.inf
    return abs(predicted - truth) / truth
