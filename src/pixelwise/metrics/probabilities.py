"""Metrics of probabilities: ROC and precision-recall curves, Brier, best threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pixelwise.core.errors import BadData, ShapeMismatch
from pixelwise.metrics.inputs import as_array, as_labels, check_not_negative, check_same_grid

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of a curve with the threshold (>=) of each, and the area under it."""

    x: Floats
    y: Floats
    thresholds: Floats
    area: float


def roc_curve(truth: Any, scores: Any, *, valid: Any = None) -> Curve:
    """False positive rate (x) against sensitivity (y); area by trapezoids, equal values as one.

    Shape: truth, scores on one grid; nonzero truth is positive. scores: probabilities, or
    any finite numbers that grow with them. Area NaN unless the truth has both kinds of
    pixels. Source: Fawcett 2006; equal to scikit-learn's.
    """
    tp, fp, thresholds = _cumulated(*_scored(truth, scores, valid))
    if tp.size == 0 or tp[-1] == 0 or fp[-1] == 0:
        nothing = np.zeros(0)
        return Curve(nothing, nothing, nothing, math.nan)
    x, y = np.concatenate([[0], fp / fp[-1]]), np.concatenate([[0], tp / tp[-1]])
    area = float((np.diff(x) * (y[1:] + y[:-1]) / 2).sum())
    return Curve(x, y, np.concatenate([[np.inf], thresholds]), area)


def precision_recall_curve(truth: Any, scores: Any, *, valid: Any = None) -> Curve:
    """Recall (x) against precision (y); area as average precision, steps without interpolation.

    Inputs as in roc_curve. Area NaN if the truth is empty. Source: Davis and Goadrich 2006;
    equal to scikit-learn's average_precision_score.
    """
    tp, fp, thresholds = _cumulated(*_scored(truth, scores, valid))
    if tp.size == 0 or tp[-1] == 0:
        nothing = np.zeros(0)
        return Curve(nothing, nothing, nothing, math.nan)
    recall, precision = tp / tp[-1], tp / (tp + fp)
    area = float((np.diff(recall, prepend=0.0) * precision).sum())
    return Curve(recall, precision, thresholds, area)


def roc_auc(truth: Any, scores: Any, *, valid: Any = None) -> float:
    """Area under roc_curve: the chance that a positive pixel scores higher than a negative one.

    Range 0 to 1. NaN unless the truth has both kinds of pixels.
    """
    return roc_curve(truth, scores, valid=valid).area


def pr_auc(truth: Any, scores: Any, *, valid: Any = None) -> float:
    """Area under precision_recall_curve, the average precision of pixels.

    Range 0 to 1. Empty truth -> NaN.
    """
    return precision_recall_curve(truth, scores, valid=valid).area


def brier(truth: Any, probabilities: Any, *, valid: Any = None) -> float:
    """Mean squared difference between probability and truth, 0 (best) to 1.

    Shape: both ([z,] y, x); or probabilities (k, [z,] y, x) of class ids, then squares are
    summed over the classes, 0 to 2. No pixel -> NaN. Source: Brier 1950.
    """
    labels, p = as_labels(truth, "truth"), as_array(probabilities, "probabilities", axes=(1, 4))
    if p.ndim == labels.ndim + 1:
        ids, table = class_probabilities(truth, probabilities, valid)
        hit = ids[None] == np.arange(len(table))[:, None]
        return float(((table - hit) ** 2).sum(axis=0).mean()) if ids.size else math.nan
    positive, p = probabilities_of(truth, probabilities, valid)
    return float(((p - positive) ** 2).mean()) if p.size else math.nan


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
    scores worthless, so only "train" and "val" are taken. Of equal scores the highest
    threshold. Raises BadData otherwise, or if the truth lacks one kind of pixel.
    """
    if split not in ("train", "val"):
        raise BadData(
            f"a threshold was to be chosen on the split {split!r}", "train or val",
            "Choose it on validation cases and score the test set once.", code="test-threshold",
        )  # fmt: skip
    tp, fp, thresholds = _cumulated(*_scored(truth, probabilities, valid))
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
    }
    if metric not in values:
        raise BadData(
            f"the best {metric} was asked for", f"one of {', '.join(values)}", "Take dice.",
            code="unknown-name",
        )  # fmt: skip
    best = int(np.argmax(values[metric]))
    return float(thresholds[best]), float(values[metric][best])


def probabilities_of(truth: Any, probabilities: Any, valid: Any) -> tuple[Floats, Floats]:
    """(1 or 0, probability) of every scored pixel. Raises BadData for what is no probability."""
    positive, p = _scored(truth, probabilities, valid)
    check_probabilities(p)
    return positive, p


def class_probabilities(
    truth: Any, probabilities: Any, valid: Any
) -> tuple[npt.NDArray[np.int64], Floats]:
    """(class ids, probabilities (k, n)) of every scored pixel; ids are 0..k-1."""
    labels = as_labels(truth, "truth")
    p = as_array(probabilities, "probabilities", axes=(2, 4)).astype(np.float64)
    if p.shape[1:] != labels.shape:
        raise ShapeMismatch(
            f"the probabilities have shape {p.shape}, the truth {labels.shape}",
            "(k, [z,] y, x) and ([z,] y, x)", "Put the classes first.", code="other-shape",
        )  # fmt: skip
    kept = _kept(labels, valid)
    ids, table = labels[kept].astype(np.int64), p[:, kept]
    check_probabilities(table)
    if ids.size and not (ids.min() >= 0 and ids.max() < len(p)):
        raise BadData(
            f"the truth holds ids from {ids.min()} to {ids.max()}",
            f"class ids 0 to {len(p) - 1}, one per plane of probabilities",
            "Leave void pixels out by valid=…", code="unknown-label",
        )  # fmt: skip
    return ids, table


def check_probabilities(p: Floats) -> None:
    """Raise BadData unless all numbers lie between 0 and 1."""
    if p.size and not (np.isfinite(p).all() and p.min() >= 0 and p.max() <= 1):
        raise BadData(
            f"the probabilities run from {np.nanmin(p):g} to {np.nanmax(p):g}"
            + (", with NaN" if np.isnan(p).any() else ""),
            "numbers from 0 to 1", "Apply softmax or a sigmoid to logits first.",
            code="no-probabilities",
        )  # fmt: skip


def _scored(truth: Any, scores: Any, valid: Any) -> tuple[Floats, Floats]:
    labels = as_labels(truth, "truth")
    values = as_array(scores, "probabilities").astype(np.float64)
    check_same_grid(labels, values)
    check_not_negative(labels)
    kept = _kept(labels, valid)
    positive, values = (labels[kept] != 0).astype(np.float64), values[kept]
    if not np.isfinite(values).all():
        n = int(np.count_nonzero(~np.isfinite(values)))
        raise BadData(
            f"the scores hold {n} numbers that are NaN or infinite", "finite numbers",
            "Find out where they come from.", code="nan",
        )  # fmt: skip
    return positive, values


def _kept(labels: npt.NDArray[Any], valid: Any) -> npt.NDArray[np.bool_]:
    if valid is None:
        return np.ones(labels.shape, dtype=bool)
    inside = as_labels(valid, "valid")
    check_same_grid(labels, inside)
    return np.asarray(inside != 0)


def _cumulated(positive: Floats, scores: Floats) -> tuple[Floats, Floats, Floats]:
    """True and false positives at every distinct threshold, from the highest on."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], ordered.size > 0))
    tp = np.cumsum(positive[order])[last]
    return tp, last + 1.0 - tp, ordered[last]
