"""Metrics of probabilities: ROC and precision-recall curves, Brier, calibration, threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pixelwise.core.errors import BadData
from pixelwise.metrics.inputs import as_array, as_labels, check_same_grid

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of a curve with the threshold (>=) of each, and the area under it."""

    x: Floats
    y: Floats
    thresholds: Floats
    area: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Per bin: mean probability, share of positives, pixels; ece and mce over all bins."""

    confidence: Floats
    frequency: Floats
    counts: npt.NDArray[np.int64]
    ece: float
    mce: float


def roc_curve(truth: Any, probabilities: Any, *, valid: Any = None) -> Curve:
    """False positive rate (x) against sensitivity (y); area by trapezoids, equal values as one.

    Area NaN unless the truth has both kinds of pixels. Source: Fawcett 2006.
    """
    tp, fp, thresholds = _cumulated(*_inputs(truth, probabilities, valid))
    if tp.size == 0 or tp[-1] == 0 or fp[-1] == 0:
        nothing = np.zeros(0)
        return Curve(nothing, nothing, nothing, math.nan)
    x, y = np.concatenate([[0], fp / fp[-1]]), np.concatenate([[0], tp / tp[-1]])
    area = float((np.diff(x) * (y[1:] + y[:-1]) / 2).sum())
    return Curve(x, y, np.concatenate([[np.inf], thresholds]), area)


def precision_recall_curve(truth: Any, probabilities: Any, *, valid: Any = None) -> Curve:
    """Recall (x) against precision (y); area as average precision, steps without interpolation.

    Area NaN if the truth is empty. Source: Davis and Goadrich 2006; scikit-learn's rule.
    """
    tp, fp, thresholds = _cumulated(*_inputs(truth, probabilities, valid))
    if tp.size == 0 or tp[-1] == 0:
        nothing = np.zeros(0)
        return Curve(nothing, nothing, nothing, math.nan)
    recall, precision = tp / tp[-1], tp / (tp + fp)
    area = float((np.diff(recall, prepend=0.0) * precision).sum())
    return Curve(recall, precision, thresholds, area)


def brier(truth: Any, probabilities: Any, *, valid: Any = None) -> float:
    """Mean squared difference between probability and truth, 0 (best) to 1.

    No pixel -> NaN. Source: Brier 1950.
    """
    positive, p = _inputs(truth, probabilities, valid)
    return float(((p - positive) ** 2).mean()) if p.size else math.nan


def reliability(
    truth: Any, probabilities: Any, *, n_bins: int = 15, valid: Any = None
) -> Reliability:
    """Reliability diagram with expected and maximum calibration error, equal bins, L1.

    The first bin includes probability 0. Even a calibrated model has an error above 0 for
    few pixels: state their number. No pixel -> NaN. Source: Naeini et al. 2015.
    """
    if n_bins < 1:
        raise BadData(f"there are {n_bins} bins", "1 or more", "Take 15.", code="bad-bins")
    positive, p = _inputs(truth, probabilities, valid)
    place = np.clip(np.ceil(p * n_bins).astype(np.int64) - 1, 0, n_bins - 1)
    counts = np.bincount(place, minlength=n_bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, p, minlength=n_bins) / counts
        frequency = np.bincount(place, positive, minlength=n_bins) / counts
    gaps = np.abs(confidence - frequency)[counts > 0]
    ece = float((gaps * counts[counts > 0]).sum() / p.size) if p.size else math.nan
    mce = float(gaps.max()) if gaps.size else math.nan
    return Reliability(confidence, frequency, counts.astype(np.int64), ece, mce)


def best_threshold(
    truth: Any,
    probabilities: Any,
    *,
    split: Literal["train", "val"],
    metric: Literal["dice", "iou", "youden"] = "dice",
    valid: Any = None,
) -> tuple[float, float]:
    """(threshold, value) with the best pooled score of `probabilities >= threshold`.

    split says where the pixels come from: a threshold chosen on test cases makes their
    scores worthless, so only "train" and "val" are taken. Raises BadData otherwise, or if
    the truth lacks one kind of pixel.
    """
    if split not in ("train", "val"):
        raise BadData(
            f"a threshold was to be chosen on the split {split!r}", "train or val",
            "Choose it on validation cases and score the test set once.", code="test-threshold",
        )  # fmt: skip
    tp, fp, thresholds = _cumulated(*_inputs(truth, probabilities, valid))
    if tp.size == 0 or tp[-1] == 0 or fp[-1] == 0:
        raise BadData(
            "the truth has only one kind of pixel", "pixels inside and outside the class",
            "Give more cases.", code="one-class",
        )  # fmt: skip
    fn = tp[-1] - tp
    values = {
        "dice": 2 * tp / (2 * tp + fp + fn),
        "iou": tp / (tp + fp + fn),
        "youden": tp / tp[-1] - fp / fp[-1],
    }[metric]
    best = int(np.argmax(values))
    return float(thresholds[best]), float(values[best])


def _inputs(truth: Any, probabilities: Any, valid: Any) -> tuple[Floats, Floats]:
    labels = as_labels(truth, "truth")
    p = as_array(probabilities, "probabilities").astype(np.float64)
    check_same_grid(labels, p)
    kept = np.ones(labels.shape, dtype=bool)
    if valid is not None:
        inside = as_labels(valid, "valid")
        check_same_grid(labels, inside)
        kept = inside != 0
    positive, p = (labels[kept] != 0).astype(np.float64), p[kept]
    if p.size and not (np.isfinite(p).all() and p.min() >= 0 and p.max() <= 1):
        raise BadData(
            f"the probabilities run from {np.nanmin(p):g} to {np.nanmax(p):g}"
            + (", with NaN" if np.isnan(p).any() else ""),
            "numbers from 0 to 1", "Apply softmax or a sigmoid to logits first.",
            code="no-probabilities",
        )  # fmt: skip
    return positive, p


def _cumulated(positive: Floats, p: Floats) -> tuple[Floats, Floats, Floats]:
    """True and false positives at every distinct threshold, from the highest on."""
    order = np.argsort(-p, kind="stable")
    ordered = p[order]
    last = np.flatnonzero(np.diff(ordered, append=-1.0) != 0)
    tp = np.cumsum(positive[order])[last]
    return tp, last + 1.0 - tp, ordered[last]
