"""Metrics of the distance between rims: Hausdorff, percentiles, means, surface Dice."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from pixelwise.arrays.distances import SurfaceDistances, percentile_of, weighted_percentile
from pixelwise.core.errors import BadData
from pixelwise.metrics.pair import MaskPair
from pixelwise.metrics.registration import OneEmpty, metric

Pooling = Literal["max", "pooled", "mean"]
Convention = Literal["pixelwise", "monai", "metrics-reloaded", "medpy", "panoptica", "deepmind"]
Surface = Literal["voxels", "mesh"]

_POOLING: dict[str, Pooling] = {"medpy": "pooled", "panoptica": "pooled"}
"""Tools whose percentile is one of all distances; the others take the larger direction."""


@metric("hd", "distance", best=0, higher_is_better=False, unit="spacing", unbounded=True)
def hd(pair: MaskPair, *, directed: bool = False, one_empty: OneEmpty = "infinite") -> float:
    """Hausdorff distance: the largest rim distance of both directions.

    Rim: object pixels with a face neighbour outside; beyond the frame is outside.
    directed: only from the prediction to the truth. Units of spacing, 0 to infinity.
    Empty: both empty -> NaN; exactly one -> infinite, the image diagonal, or NaN.
    One stray pixel decides it.
    """
    missing = _missing(pair, one_empty)
    if missing is not None:
        return missing
    d = pair.distances
    return float(max(d.predicted_to_truth.max(), 0 if directed else d.truth_to_predicted.max()))


@metric("hd95", "distance", best=0, higher_is_better=False, unit="spacing", unbounded=True)
def hd95(
    pair: MaskPair,
    *,
    percentile: float = 95.0,
    pooling: Pooling = "max",
    convention: Convention = "pixelwise",
    one_empty: OneEmpty = "infinite",
) -> float:
    """Percentile of the rim distances, the larger of the two directions.

    Rim: object pixels with a face neighbour outside; beyond the frame is outside.
    Percentile: linear interpolation, per direction; pooling "max" of the two directions,
    "mean" of them, or one percentile of all distances "pooled".
    convention: "monai" and "metrics-reloaded" equal ours, "medpy" and "panoptica" pool,
    "deepmind" weighs outlines on the corner grid by length and does not interpolate (2D).
    Units of spacing, 0 to infinity. Empty: both empty -> NaN; exactly one -> infinite, or
    the image diagonal, or NaN by `one_empty`.
    """
    if not 0 <= percentile <= 100:
        raise BadData(
            f"the percentile is {percentile:g}",
            "0 to 100",
            "Give 95 for HD95.",
            code="bad-percentile",
        )
    missing = _missing(pair, one_empty)
    if missing is not None:
        return missing
    if convention == "deepmind":
        return _weighted_hausdorff(pair.mesh_distances, percentile)
    d = pair.distances
    pooling = _POOLING.get(convention, pooling)
    if pooling == "pooled":
        return percentile_of(_both(d), percentile)
    sides = [percentile_of(x, percentile) for x in (d.truth_to_predicted, d.predicted_to_truth)]
    return max(sides) if pooling == "max" else (sides[0] + sides[1]) / 2


@metric("assd", "distance", best=0, higher_is_better=False, unit="spacing", unbounded=True)
def assd(
    pair: MaskPair, *, convention: Convention = "pixelwise", one_empty: OneEmpty = "infinite"
) -> float:
    """Average symmetric surface distance: mean of all rim distances, both directions pooled.

    Equal to MONAI (symmetric), MetricsReloaded and MedPy; "panoptica" means `masd` by this
    name. Units of spacing. Empty: both -> NaN; exactly one -> infinite, diagonal, or NaN.
    """
    if convention in ("panoptica", "deepmind"):
        return _mean_of_means(pair, convention == "deepmind", one_empty)
    missing = _missing(pair, one_empty)
    if missing is not None:
        return missing
    d = pair.distances
    total = float(d.truth_to_predicted.sum() + d.predicted_to_truth.sum())
    return total / (d.truth_to_predicted.size + d.predicted_to_truth.size)


@metric("masd", "distance", best=0, higher_is_better=False, unit="spacing", unbounded=True)
def masd(pair: MaskPair, *, surface: Surface = "voxels", one_empty: OneEmpty = "infinite") -> float:
    """Mean average surface distance: mean of the two directed means.

    surface: "mesh" weighs outlines on the corner grid by their length (DeepMind, 2D).
    Units of spacing. Empty: both -> NaN; exactly one -> infinite, diagonal, or NaN.
    """
    return _mean_of_means(pair, surface == "mesh", one_empty)


@metric("asd", "distance", best=0, higher_is_better=False, unit="spacing", unbounded=True)
def asd(
    pair: MaskPair,
    *,
    direction: Literal["predicted-to-truth", "truth-to-predicted"] = "predicted-to-truth",
    surface: Surface = "voxels",
    one_empty: OneEmpty = "infinite",
) -> float:
    """Average surface distance in one direction.

    From the prediction it does not see what was missed; from the truth not what was
    invented. Units of spacing. Empty: both -> NaN; exactly one -> infinite, diagonal, NaN.
    """
    missing = _missing(pair, one_empty)
    if missing is not None:
        return missing
    sides = _directed_means(pair.mesh_distances if surface == "mesh" else pair.distances)
    return sides[0] if direction == "truth-to-predicted" else sides[1]


@metric("nsd", "distance", best=1, higher_is_better=True)
def nsd(pair: MaskPair, *, tolerance: float, surface: Surface = "voxels") -> float:
    """Normalised surface Dice: share of both rims within a tolerance (<=) of the other.

    tolerance has no default: it states what difference does not matter, in units of
    spacing. surface: "voxels" counts rim pixels (MONAI, MetricsReloaded), "mesh" weighs
    outlines by length (DeepMind, 2D). Range 0 to 1.
    Empty: both empty -> NaN; exactly one -> 0. Source: Nikolov et al. 2018.
    """
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise BadData(
            f"the tolerance is {tolerance!r}",
            "a finite number of at least 0, in units of spacing",
            "Take the spread between human annotators.",
            code="bad-tolerance",
        )
    if tolerance > pair.diagonal:
        raise BadData(
            f"the tolerance {tolerance:g} exceeds the image diagonal, {pair.diagonal:g}",
            "a tolerance in units of spacing",
            "Check its unit: every boundary would count as right.",
            code="bad-tolerance",
        )
    d = pair.mesh_distances if surface == "mesh" else pair.distances
    if d.n_empty:
        return math.nan if d.n_empty == 2 else 0.0
    within = [x <= tolerance for x in (d.truth_to_predicted, d.predicted_to_truth)]
    if d.truth_weights is None or d.predicted_weights is None:
        return float((within[0].sum() + within[1].sum()) / (within[0].size + within[1].size))
    near = d.truth_weights[within[0]].sum() + d.predicted_weights[within[1]].sum()
    return float(near / (d.truth_weights.sum() + d.predicted_weights.sum()))


def _missing(pair: MaskPair, one_empty: OneEmpty) -> float | None:
    """The value where a mask is empty, None where both have pixels."""
    c = pair.counts
    n_empty = (c.tp + c.fn == 0) + (c.tp + c.fp == 0)
    if n_empty == 0:
        return None
    if n_empty == 2 or one_empty == "nan":
        return math.nan
    return pair.diagonal if one_empty == "diagonal" else math.inf


def _both(d: SurfaceDistances) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.concatenate([d.truth_to_predicted, d.predicted_to_truth])


def _directed_means(d: SurfaceDistances) -> tuple[float, float]:
    one = np.average(d.truth_to_predicted, weights=d.truth_weights)
    other = np.average(d.predicted_to_truth, weights=d.predicted_weights)
    return float(one), float(other)


def _mean_of_means(pair: MaskPair, is_mesh: bool, one_empty: OneEmpty) -> float:
    missing = _missing(pair, one_empty)
    if missing is not None:
        return missing
    sides = _directed_means(pair.mesh_distances if is_mesh else pair.distances)
    return (sides[0] + sides[1]) / 2


def _weighted_hausdorff(d: SurfaceDistances, percentile: float) -> float:
    if d.truth_weights is None or d.predicted_weights is None:
        return math.nan
    return max(
        weighted_percentile(d.truth_to_predicted, d.truth_weights, percentile),
        weighted_percentile(d.predicted_to_truth, d.predicted_weights, percentile),
    )
