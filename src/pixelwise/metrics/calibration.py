"""Metrics of calibration: reliability diagram, expected and maximum calibration error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pixelwise.core.errors import BadData
from pixelwise.metrics.probabilities import class_probabilities, probabilities_of

Floats = npt.NDArray[np.float64]
BinConvention = Literal["pixelwise", "monai", "torchmetrics", "metrics-reloaded"]

_CONVENTIONS = ("pixelwise", "monai", "torchmetrics", "metrics-reloaded")


@dataclass(frozen=True, slots=True)
class Reliability:
    """Per bin: mean probability, share of positives, pixels; ece and mce over all bins."""

    confidence: Floats
    frequency: Floats
    counts: npt.NDArray[np.int64]
    ece: float
    mce: float


def reliability(
    truth: Any,
    probabilities: Any,
    *,
    bins: int = 15,
    valid: Any = None,
    convention: BinConvention = "pixelwise",
) -> Reliability:
    """Reliability diagram with expected and maximum calibration error, equal bins, L1.

    Shape: truth, probabilities on one grid; the error is of the class's own probability.
    A bin holds its upper edge, the first one 0 as well (MONAI, which has 20 bins by
    default). convention "torchmetrics": a bin holds its lower edge, probability 1 is a bin
    of its own; "metrics-reloaded": probability 0 is dropped (it has 10 bins by default).
    Even a calibrated model has an error above 0 for few pixels: state their number.
    Range 0 to 1. No pixel -> NaN. Source: Naeini et al. 2015.
    """
    positive, p = probabilities_of(truth, probabilities, valid)
    return _binned(positive, p, bins, convention)


def ece(
    truth: Any,
    probabilities: Any,
    *,
    bins: int = 15,
    valid: Any = None,
    convention: BinConvention = "pixelwise",
) -> float:
    """Expected calibration error: mean gap of the bins, weighted by pixels; see reliability.

    Range 0 to 1. No pixel -> NaN.
    """
    return reliability(truth, probabilities, bins=bins, valid=valid, convention=convention).ece


def mce(
    truth: Any,
    probabilities: Any,
    *,
    bins: int = 15,
    valid: Any = None,
    convention: BinConvention = "pixelwise",
) -> float:
    """Maximum calibration error: the largest gap of a bin that has pixels; see reliability.

    Range 0 to 1. No pixel -> NaN.
    """
    return reliability(truth, probabilities, bins=bins, valid=valid, convention=convention).mce


def ece_top_label(
    truth: Any,
    probabilities: Any,
    *,
    bins: int = 15,
    valid: Any = None,
    convention: BinConvention = "pixelwise",
) -> float:
    """Calibration error of the most likely class: is it right as often as it says?

    Shape: truth ([z,] y, x) class ids 0..k-1, probabilities (k, [z,] y, x). Range 0 to 1.
    No pixel -> NaN. Source: Guo et al. 2017.
    """
    ids, table = class_probabilities(truth, probabilities, valid)
    if ids.size == 0:
        return math.nan
    right = (table.argmax(axis=0) == ids).astype(np.float64)
    return _binned(right, table.max(axis=0), bins, convention).ece


def _binned(positive: Floats, p: Floats, bins: int, convention: str) -> Reliability:
    if bins < 1:
        raise BadData(f"there are {bins} bins", "1 or more", "Take 15.", code="bad-bins")
    if convention not in _CONVENTIONS:
        raise BadData(
            f"the convention is {convention!r}", f"one of {', '.join(_CONVENTIONS)}",
            "Leave it out.", code="unknown-name",
        )  # fmt: skip
    is_single = np.array_equal(p, p.astype(np.float32))
    edges = _inner_edges(bins, np.float32 if is_single else np.float64, convention)
    n_bins = bins
    if convention == "torchmetrics":
        place = np.searchsorted(edges, p, side="right")
        n_bins = bins + 1
        place[p == 1] = bins
    else:
        place = np.searchsorted(edges, p, side="left")
    if convention == "metrics-reloaded":
        positive, p, place = positive[p > 0], p[p > 0], place[p > 0]
    counts = np.bincount(place, minlength=n_bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, p, minlength=n_bins) / counts
        frequency = np.bincount(place, positive, minlength=n_bins) / counts
    gaps = np.abs(confidence - frequency)[counts > 0]
    total = float((gaps * counts[counts > 0]).sum() / p.size) if p.size else math.nan
    largest = float(gaps.max()) if gaps.size else math.nan
    return Reliability(confidence, frequency, counts.astype(np.int64), total, largest)


def _inner_edges(bins: int, kind: type[np.floating[Any]], convention: str) -> Floats:
    """Edges between the bins, in the precision of the probabilities, so that 0.2 meets 0.2.

    torchmetrics takes those of torch.linspace: steps from both ends, some off by a last bit.
    """
    i = np.arange(1, bins)
    edges = (i / bins).astype(kind)
    if convention == "torchmetrics":
        step = kind(1) / kind(bins)
        edges = np.where(i < (bins + 1) // 2, i.astype(kind) * step, 1 - step * (bins - i))
    return edges.astype(kind).astype(np.float64)
