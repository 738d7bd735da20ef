"""Probabilities of a whole set against the truth: counted by value, so that memory is bounded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import IGNORE
from pixelwise.core.errors import BadData, ShapeMismatch
from pixelwise.core.records import ProbabilityScores

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

N_BINS = 15
MAX_POINTS = 240
"""Points of a curve that are kept for drawing; areas come from all of them."""

SEARCHED_ON = ("train", "val")
"""A threshold chosen on test cases makes their scores worthless."""

_ONE = int(np.float16(1).view(np.uint16))
_LEVELS: Floats = np.arange(_ONE + 1, dtype=np.uint16).view(np.float16).astype(np.float64)


@dataclass(frozen=True, slots=True)
class LevelCounts:
    """Pixels of one class by the value of their probability, a float16 number from 0 to 1.

    positive, negative: how many pixels inside and outside the class have each value.
    """

    positive: Counts
    negative: Counts

    def __add__(self, other: LevelCounts) -> LevelCounts:
        return LevelCounts(self.positive + other.positive, self.negative + other.negative)


def count_levels(
    truth: npt.NDArray[np.uint8], probabilities: npt.NDArray[np.floating]
) -> tuple[LevelCounts, ...]:
    """Count every class of one case. Probabilities are rounded to float16, as `predict` writes.

    Shape: truth ([z,] y, x) class ids, 255 = not scored; probabilities (k, [z,] y, x).
    Raises ShapeMismatch for other grids, BadData for what is no probability.
    """
    if probabilities.shape[1:] != truth.shape:
        raise ShapeMismatch(
            f"the probabilities have shape {probabilities.shape}, the truth {truth.shape}",
            "(k, [z,] y, x) on the grid of the truth", "Give the file of the same image.",
            code="other-shape",
        )  # fmt: skip
    is_scored = truth != IGNORE
    ids = truth[is_scored]
    found = []
    for class_id, plane in enumerate(probabilities):
        values = plane[is_scored]
        _check_range(values)
        levels = values.astype(np.float16).view(np.uint16) & 0x7FFF
        both = np.bincount(
            levels + np.int32(_ONE + 1) * (ids == class_id), minlength=2 * (_ONE + 1)
        )
        found.append(LevelCounts(both[_ONE + 1 :], both[: _ONE + 1]))
    return tuple(found)


def level_values(counts: LevelCounts) -> dict[str, float]:
    """roc_auc, pr_auc, brier and ece of one class; NaN where the truth does not allow them."""
    scores = summarise_levels(counts, 0)
    names = ("roc_auc", "pr_auc", "brier", "ece")
    values = (getattr(scores, name) for name in names)
    return {
        name: math.nan if value is None else value
        for name, value in zip(names, values, strict=True)
    }


def summarise_levels(
    counts: LevelCounts, class_id: int, *, split: str | None = None
) -> ProbabilityScores:
    """Everything about the probabilities of one class.

    split: where the cases come from; the threshold of best Dice is searched on "val" and
    "train" only. Areas: trapezoids for ROC (Fawcett 2006), steps for precision and recall
    (average precision, Davis and Goadrich 2006). Calibration: 15 equal bins, L1 (Naeini et
    al. 2015), the first one with 0.
    """
    positive, negative = counts.positive.astype(np.float64), counts.negative.astype(np.float64)
    n_positive, n_negative = positive.sum(), negative.sum()
    n = n_positive + n_negative
    occurs = np.flatnonzero((counts.positive + counts.negative)[::-1])
    tp = np.cumsum(positive[::-1])[occurs]
    fp = np.cumsum(negative[::-1])[occurs]
    has_both = n_positive > 0 and n_negative > 0
    x = np.concatenate([[0.0], fp / n_negative]) if has_both else np.zeros(0)
    y = np.concatenate([[0.0], tp / n_positive]) if has_both else np.zeros(0)
    recall = tp / n_positive if n_positive else np.zeros(0)
    precision = tp / (tp + fp) if n_positive else np.zeros(0)
    squares = ((_LEVELS - 1) ** 2 * positive + _LEVELS**2 * negative).sum()
    bins, ece, mce = _reliability(positive, negative)
    dice = 2 * tp / (tp + fp + n_positive) if n_positive else np.zeros(0)
    is_searched = has_both and split in SEARCHED_ON
    best = int(np.argmax(dice)) if is_searched else 0
    thresholds = _LEVELS[::-1][occurs]
    return ProbabilityScores(
        class_id=class_id,
        n_pixels=int(n),
        n_positive=int(n_positive),
        roc_auc=float((np.diff(x) * (y[1:] + y[:-1]) / 2).sum()) if has_both else None,
        pr_auc=float((np.diff(recall, prepend=0.0) * precision).sum()) if n_positive else None,
        brier=float(squares / n) if n else None,
        ece=ece if n else None,
        mce=mce if n else None,
        roc=_thinned(x, y),
        pr=_thinned(recall, precision),
        reliability=bins,
        dice_at_half=_dice_from(dice, thresholds, 0.5) if n_positive else None,
        best_threshold=float(thresholds[best]) if is_searched else None,
        best_dice=float(dice[best]) if is_searched else None,
    )


def _dice_from(dice: Floats, thresholds: Floats, threshold: float) -> float:
    """Dice of `probability >= threshold`; thresholds fall."""
    n_above = int(np.count_nonzero(thresholds >= threshold))
    return float(dice[n_above - 1]) if n_above else 0.0


def _reliability(
    positive: Floats, negative: Floats
) -> tuple[tuple[tuple[float, float, int], ...], float, float]:
    place = np.clip(np.ceil(_LEVELS * N_BINS).astype(np.int64) - 1, 0, N_BINS - 1)
    both = positive + negative
    counts = np.bincount(place, both, minlength=N_BINS)
    kept = counts > 0
    confidence = np.bincount(place, both * _LEVELS, minlength=N_BINS)[kept] / counts[kept]
    frequency = np.bincount(place, positive, minlength=N_BINS)[kept] / counts[kept]
    gaps = np.abs(confidence - frequency)
    bins = tuple(
        (float(c), float(f), int(n))
        for c, f, n in zip(confidence, frequency, counts[kept], strict=True)
    )
    if not bins:
        return (), math.nan, math.nan
    return bins, float((gaps * counts[kept]).sum() / counts.sum()), float(gaps.max())


def _thinned(x: Floats, y: Floats) -> tuple[tuple[float, float], ...]:
    """At most MAX_POINTS of a curve, those that are farthest along it."""
    if x.size <= MAX_POINTS:
        places: Sequence[int] = range(x.size)
    else:
        along = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
        wanted = np.linspace(0, along[-1], MAX_POINTS)
        places = np.unique(np.searchsorted(along, wanted).clip(0, x.size - 1)).tolist()
    return tuple((round(float(x[i]), 5), round(float(y[i]), 5)) for i in places)


def _check_range(values: npt.NDArray[np.floating]) -> None:
    if values.size == 0:
        return
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 1):
        with_nan = ", with NaN" if np.isnan(values).any() else ""
        raise BadData(
            f"the probabilities run from {np.nanmin(values):g} to {np.nanmax(values):g}{with_nan}",
            "numbers from 0 to 1", "Apply softmax or a sigmoid to logits first.",
            code="no-probabilities",
        )  # fmt: skip
