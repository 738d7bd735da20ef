"""Metrics of the distance between surfaces: Hausdorff, percentiles, means, surface Dice."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.distances import SurfaceDistances, percentile_of, weighted_percentile
from pixelwise.arrays.surfaces import Norm, RimConnectivity, SurfaceKind, SurfaceRule
from pixelwise.core.errors import BadData
from pixelwise.metrics.conventions import (
    DISTANCE_RULES,
    DistanceConvention,
    DistanceRules,
    OneEmpty,
    Pooling,
    distance_when_empty,
)
from pixelwise.metrics.pair import MaskPair
from pixelwise.metrics.registration import metric
from pixelwise.metrics.tolerances import check_tolerance

Floats = npt.NDArray[np.float64]


@metric("hd", "distance", best=0, higher_is_better=False, unit="spacing", unbounded=True)
def hd(
    pair: MaskPair,
    *,
    directed: bool = False,
    convention: DistanceConvention = "pixelwise",
    surface: SurfaceKind | None = None,
    connectivity: RimConnectivity | None = None,
    norm: Norm = "euclidean",
    one_empty: OneEmpty | None = None,
) -> float:
    """Hausdorff distance: the largest surface distance of both directions.

    Surface: object pixels with a face neighbour outside; beyond the frame is outside.
    directed: only from the prediction to the truth. convention: "simpleitk" and
    "scikit-image" take all pixels of the object, "deepmind" outlines on the corner grid,
    "seg_metrics" rims by corners and without the frame, "mikan" without the frame; the
    others equal ours. surface, connectivity: None as the convention says. norm:
    "chessboard" and "taxicab" count steps of pixels. Units of spacing, 0 to infinity.
    Empty: both empty -> NaN; exactly one -> infinite ("diagonal", "nan" by `one_empty`);
    None: as the convention has it. One stray pixel decides it.
    """
    _, rule = _rules(convention, surface, connectivity, norm)
    d = pair.distances_by(rule)
    missing = _missing(pair, d, "hd", convention, one_empty)
    if missing is not None:
        return missing
    return float(max(d.predicted_to_truth.max(), 0 if directed else d.truth_to_predicted.max()))


@metric("hd95", "distance", best=0, higher_is_better=False, unit="spacing", unbounded=True)
def hd95(  # noqa: PLR0913 - options of one metric
    pair: MaskPair,
    *,
    percentile: float = 95.0,
    pooling: Pooling | None = None,
    directed: bool = False,
    convention: DistanceConvention = "pixelwise",
    surface: SurfaceKind | None = None,
    connectivity: RimConnectivity | None = None,
    norm: Norm = "euclidean",
    one_empty: OneEmpty | None = None,
) -> float:
    """Percentile of the surface distances, the larger of the two directions.

    Surface: object pixels with a face neighbour outside; beyond the frame is outside.
    Percentile: any from 0 to 100, linear interpolation, per direction. pooling: "max" of
    the two directions, "mean" of them, or one percentile of all distances "pooled".
    directed: only from the prediction to the truth.
    convention: "monai" and "metrics-reloaded" equal ours; "medpy" and "panoptica" pool;
    "deepmind" weighs outlines on the corner grid by length or area and does not
    interpolate; "seg_metrics" pools over rims by corners without the frame; "mikan" leaves
    out the frame and takes the closest observation. Options that are None follow it.
    Units of spacing, 0 to infinity. Empty: both empty -> NaN; exactly one -> infinite
    ("diagonal", "nan" by `one_empty`); None: as the convention has it.
    """
    _check_percentile(percentile)
    rules, rule = _rules(convention, surface, connectivity, norm)
    d = pair.distances_by(rule)
    missing = _missing(pair, d, "hd95", convention, one_empty)
    if missing is not None:
        return missing
    if directed:
        return _percentile(d.predicted_to_truth, d.predicted_weights, percentile, rules)
    pooling = pooling or rules.pooling
    if pooling == "pooled":
        return _percentile(*_pooled(d), percentile, rules)
    one = _percentile(d.truth_to_predicted, d.truth_weights, percentile, rules)
    other = _percentile(d.predicted_to_truth, d.predicted_weights, percentile, rules)
    return max(one, other) if pooling == "max" else (one + other) / 2


@metric("assd", "distance", best=0, higher_is_better=False, unit="spacing", unbounded=True)
def assd(
    pair: MaskPair,
    *,
    convention: DistanceConvention = "pixelwise",
    surface: SurfaceKind | None = None,
    connectivity: RimConnectivity | None = None,
    norm: Norm = "euclidean",
    one_empty: OneEmpty | None = None,
) -> float:
    """Average symmetric surface distance: mean of all distances, both directions pooled.

    Equal to MONAI (symmetric), MetricsReloaded and MedPy. convention: "panoptica",
    "deepmind" and "simpleitk" mean `masd` by this name, each with its surface;
    "seg_metrics" and "mikan" pool, each with its surface. Units of spacing, 0 to infinity.
    Empty: both -> NaN; exactly one -> infinite ("diagonal", "nan" by `one_empty`); None:
    as the convention has it.
    """
    rules, rule = _rules(convention, surface, connectivity, norm)
    d = pair.distances_by(rule)
    missing = _missing(pair, d, "assd", convention, one_empty)
    if missing is not None:
        return missing
    if rules.assd == "directions":
        return sum(_directed_means(d)) / 2
    if d.truth_weights is None or d.predicted_weights is None:
        total = float(d.truth_to_predicted.sum() + d.predicted_to_truth.sum())
        return total / (d.truth_to_predicted.size + d.predicted_to_truth.size)
    values, weights = _pooled(d)
    return float(np.average(values, weights=weights))


@metric("masd", "distance", best=0, higher_is_better=False, unit="spacing", unbounded=True)
def masd(
    pair: MaskPair,
    *,
    convention: DistanceConvention = "pixelwise",
    surface: SurfaceKind | None = None,
    connectivity: RimConnectivity | None = None,
    norm: Norm = "euclidean",
    one_empty: OneEmpty | None = None,
) -> float:
    """Mean average surface distance: mean of the two directed means.

    convention: "deepmind" weighs outlines on the corner grid by length or area,
    "simpleitk" (its average Hausdorff distance) takes all pixels of the object,
    "scikit-image" (its modified Hausdorff distance) too and the larger of the two means.
    Units of spacing, 0 to infinity. Empty: both -> NaN; exactly one -> infinite
    ("diagonal", "nan" by `one_empty`); None: as the convention has it.
    """
    rules, rule = _rules(convention, surface, connectivity, norm)
    d = pair.distances_by(rule)
    missing = _missing(pair, d, "masd", convention, one_empty)
    if missing is not None:
        return missing
    sides = _directed_means(d)
    return max(sides) if rules.masd_pooling == "max" else sum(sides) / 2


@metric("asd", "distance", best=0, higher_is_better=False, unit="spacing", unbounded=True)
def asd(
    pair: MaskPair,
    *,
    direction: Literal["predicted-to-truth", "truth-to-predicted"] = "predicted-to-truth",
    convention: DistanceConvention = "pixelwise",
    surface: SurfaceKind | None = None,
    connectivity: RimConnectivity | None = None,
    norm: Norm = "euclidean",
    one_empty: OneEmpty | None = None,
) -> float:
    """Average surface distance in one direction, from the prediction unless said otherwise.

    From the prediction it does not see what was missed; from the truth not what was
    invented. MONAI's SurfaceDistanceMetric means this unless it is told to be symmetric.
    Units of spacing, 0 to infinity. Empty: both -> NaN; exactly one -> infinite or by
    `one_empty`; "deepmind" has NaN where the side that it starts from is empty.
    """
    _, rule = _rules(convention, surface, connectivity, norm)
    d = pair.distances_by(rule)
    starts = d.truth_to_predicted if direction == "truth-to-predicted" else d.predicted_to_truth
    if convention == "deepmind" and one_empty is None and starts.size == 0:
        return math.nan
    missing = _missing(pair, d, "asd", convention, one_empty)
    if missing is not None:
        return missing
    sides = _directed_means(d)
    return sides[0] if direction == "truth-to-predicted" else sides[1]


@metric("nsd", "distance", best=1, higher_is_better=True)
def nsd(
    pair: MaskPair,
    *,
    tolerance: float,
    convention: DistanceConvention = "pixelwise",
    surface: SurfaceKind | None = None,
    connectivity: RimConnectivity | None = None,
    norm: Norm = "euclidean",
) -> float:
    """Normalised surface Dice: share of both surfaces within a tolerance (<=) of the other.

    tolerance has no default: it states what difference does not matter, in units of
    spacing. convention: "monai" and "metrics-reloaded" count rim pixels as we do,
    "deepmind" (and MONAI's use_subvoxels) weighs outlines on the corner grid by length or
    area, "panoptica" takes the mean of the two directed shares. Range 0 to 1.
    Empty: both empty -> NaN; exactly one -> 0; or as the convention has it.
    Source: Nikolov et al. 2018.
    """
    check_tolerance(tolerance, pair.diagonal)
    rules, rule = _rules(convention, surface, connectivity, norm)
    d = pair.distances_by(rule)
    if d.n_empty:
        has = d.truth_to_predicted.size > 0, d.predicted_to_truth.size > 0
        return distance_when_empty("nsd", convention, None, *has)
    near, size = zip(
        _near(d.truth_to_predicted, d.truth_weights, tolerance),
        _near(d.predicted_to_truth, d.predicted_weights, tolerance),
        strict=True,
    )
    if rules.nsd == "directions":
        return (near[0] / size[0] + near[1] / size[1]) / 2
    return (near[0] + near[1]) / (size[0] + size[1])


def _rules(
    convention: str,
    surface: SurfaceKind | None,
    connectivity: RimConnectivity | None,
    norm: Norm,
) -> tuple[DistanceRules, SurfaceRule]:
    """What a convention says, and the surface that follows from it and from the options."""
    rules = DISTANCE_RULES[convention]
    rule = SurfaceRule(
        surface or rules.surface.kind,
        connectivity or rules.surface.connectivity,
        rules.surface.frame_is_outside,
        norm,
    )
    return rules, rule


def _missing(
    pair: MaskPair,
    d: SurfaceDistances,
    name: str,
    convention: str,
    one_empty: OneEmpty | None,
) -> float | None:
    """The value where a surface has no pixel, None where both have some."""
    if d.n_empty == 0:
        return None
    has = d.truth_to_predicted.size > 0, d.predicted_to_truth.size > 0
    if any(has) and one_empty == "diagonal":
        return pair.diagonal
    return distance_when_empty(name, convention, one_empty, *has)


def _check_percentile(percentile: float) -> None:
    if not 0 <= percentile <= 100:
        raise BadData(
            f"the percentile is {percentile:g}",
            "0 to 100",
            "Give 95 for HD95.",
            code="bad-percentile",
        )


def _percentile(
    values: Floats, weights: Floats | None, percentile: float, rules: DistanceRules
) -> float:
    if weights is not None:
        return weighted_percentile(values, weights, percentile)
    if rules.percentile == "closest":
        return float(np.percentile(values, percentile, method="closest_observation"))
    return percentile_of(values, percentile)


def _pooled(d: SurfaceDistances) -> tuple[Floats, Floats | None]:
    values = np.concatenate([d.truth_to_predicted, d.predicted_to_truth])
    if d.truth_weights is None or d.predicted_weights is None:
        return values, None
    return values, np.concatenate([d.truth_weights, d.predicted_weights])


def _directed_means(d: SurfaceDistances) -> tuple[float, float]:
    one = np.average(d.truth_to_predicted, weights=d.truth_weights)
    other = np.average(d.predicted_to_truth, weights=d.predicted_weights)
    return float(one), float(other)


def _near(values: Floats, weights: Floats | None, tolerance: float) -> tuple[float, float]:
    """(within the tolerance, all), counted or weighed."""
    within = values <= tolerance
    if weights is None:
        return float(np.count_nonzero(within)), float(values.size)
    return float(weights[within].sum()), float(weights.sum())
