"""Metrics of the distance between rims: Hausdorff, percentiles, means, surface Dice."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from pixelwise.metrics.pair import MaskPair
from pixelwise.metrics.registration import OneEmpty, metric

Pooling = Literal["max", "pooled", "mean"]


def _missing(pair: MaskPair, one_empty: OneEmpty) -> float | None:
    """The value where a mask is empty, None where both have pixels."""
    d = pair.distances
    n_empty = (d.truth_to_predicted.size == 0) + (d.predicted_to_truth.size == 0)
    if n_empty == 0:
        return None
    if n_empty == 2 or one_empty == "nan":
        return math.nan
    return pair.diagonal if one_empty == "diagonal" else math.inf


@metric("hd95", "distance", best=0, higher_is_better=False, unit="spacing", unbounded=True)
def hd95(
    pair: MaskPair,
    *,
    percentile: float = 95.0,
    pooling: Pooling = "max",
    one_empty: OneEmpty = "infinite",
) -> float:
    """Percentile of the rim distances, the larger of the two directions.

    Rim: object pixels with a face neighbour outside; beyond the frame is outside.
    Percentile: linear interpolation, per direction; pooling "max" of the two directions,
    "mean" of them, or one percentile of all distances "pooled".
    Units of spacing, range 0 to infinity. Empty: both empty -> NaN; exactly one ->
    infinite, or the image diagonal, or NaN by `one_empty`.
    """
    missing = _missing(pair, one_empty)
    if missing is not None:
        return missing
    d = pair.distances
    if pooling == "pooled":
        both = np.concatenate([d.truth_to_predicted, d.predicted_to_truth])
        return float(np.percentile(both, percentile))
    sides = [np.percentile(x, percentile) for x in (d.truth_to_predicted, d.predicted_to_truth)]
    return float(max(sides) if pooling == "max" else (sides[0] + sides[1]) / 2)
