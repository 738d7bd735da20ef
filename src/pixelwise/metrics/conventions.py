"""What other tools mean by the same names: surfaces, percentiles, means, and empty masks."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from pixelwise.arrays.surfaces import SurfaceRule

CountConvention = Literal[
    "pixelwise", "monai", "metrics-reloaded", "medpy", "panoptica", "seg_metrics", "miseval",
    "torchmetrics", "simpleitk", "mikan", "pymia", "nnunet", "deepmind",
]  # fmt: skip
DistanceConvention = Literal[
    "pixelwise", "monai", "metrics-reloaded", "deepmind", "medpy", "panoptica", "seg_metrics",
    "simpleitk", "scikit-image", "mikan",
]  # fmt: skip
Pooling = Literal["max", "pooled", "mean"]
OneEmpty = Literal["infinite", "diagonal", "nan"]

_NAN, _INF = math.nan, math.inf

_OTHER_NAMES = {
    "surface-distance": "deepmind",
    "google-deepmind": "deepmind",
    "metricsreloaded": "metrics-reloaded",
    "seg-metrics": "seg_metrics",
    "segmetrics": "seg_metrics",
    "sitk": "simpleitk",
    "itk": "simpleitk",
    "skimage": "scikit-image",
    "mikan-rs": "mikan",
    "nnu-net": "nnunet",
}


def with_canonical_convention(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with the convention spelt our way: "SimpleITK", "skimage", "metrics_reloaded".

    Numbers of NumPy become plain ones.
    """
    given = {k: v.item() if isinstance(v, np.generic) else v for k, v in options.items()}
    if isinstance(given.get("convention"), str):
        name = given["convention"].strip().lower().replace("_", "-").replace(" ", "-")
        given["convention"] = _OTHER_NAMES.get(name, name)
    return given


@dataclass(frozen=True, slots=True)
class Empties:
    """A value where only the truth, only the prediction, or neither has a pixel."""

    only_truth: float
    only_predicted: float
    both_empty: float


@dataclass(frozen=True, slots=True)
class DistanceRules:
    """How a tool measures: its surface, how it pools directions, its values for empty masks.

    assd: "pooled" is one mean of all distances, "directions" the mean of two means.
    percentile: "linear" interpolates, "closest" takes the nearest observation, "weighted"
    the first distance at which the summed weights of the surface reach the share.
    empties: by metric; a metric that is missing takes ours. Where a tool stops with an
    error, ours are taken too.
    """

    surface: SurfaceRule = field(default_factory=SurfaceRule)
    pooling: Pooling = "max"
    masd_pooling: Pooling = "mean"
    assd: Literal["pooled", "directions"] = "pooled"
    percentile: Literal["linear", "closest", "weighted"] = "linear"
    nsd: Literal["pooled", "directions"] = "pooled"
    empties: Mapping[str, Empties] = field(default_factory=dict)


_OURS_FAR = Empties(_INF, _INF, _NAN)
_OURS_NEAR = Empties(0.0, 0.0, _NAN)
_UNDEFINED = Empties(_NAN, _NAN, _NAN)
_VOXEL_NAN = Empties(_NAN, _NAN, 0.0)
_ZERO = Empties(0.0, 0.0, 0.0)
_REGION = SurfaceRule(kind="region")

DISTANCE_RULES: Mapping[str, DistanceRules] = {
    "pixelwise": DistanceRules(),
    "monai": DistanceRules(empties={"hd95": _UNDEFINED}),
    "metrics-reloaded": DistanceRules(
        empties=dict.fromkeys(("hd", "hd95", "assd", "masd"), _VOXEL_NAN)
        | {"nsd": Empties(0.0, 0.0, 1.0)},
    ),
    "deepmind": DistanceRules(
        surface=SurfaceRule(kind="mesh"),
        assd="directions",
        percentile="weighted",
        empties=dict.fromkeys(("hd", "hd95"), Empties(_INF, _INF, _INF))
        | dict.fromkeys(("assd", "masd"), _UNDEFINED),
    ),
    "medpy": DistanceRules(pooling="pooled"),
    "panoptica": DistanceRules(
        pooling="pooled",
        assd="directions",
        nsd="directions",
        empties=dict.fromkeys(("assd", "masd", "nsd"), _UNDEFINED),
    ),
    "seg_metrics": DistanceRules(
        surface=SurfaceRule(connectivity="full", frame_is_outside=False),
        pooling="pooled",
        empties=dict.fromkeys(("hd", "hd95", "assd"), _ZERO),
    ),
    "simpleitk": DistanceRules(surface=_REGION, assd="directions"),
    "scikit-image": DistanceRules(
        surface=_REGION,
        masd_pooling="max",
        empties=dict.fromkeys(("hd", "masd"), Empties(_INF, _INF, 0.0)),
    ),
    "mikan": DistanceRules(
        surface=SurfaceRule(frame_is_outside=False),
        percentile="closest",
        empties=dict.fromkeys(("hd", "hd95", "assd", "masd"), Empties(_INF, _INF, 0.0)),
    ),
}
"""Checked against the tools themselves, versions as recorded beside the tests.

Sources: MONAI 1.6.1, MetricsReloaded, surface-distance 0.1, MedPy 0.5.2, panoptica 2.1.7,
seg_metrics 1.2.8, SimpleITK 2.5.7, scikit-image 0.26, mikan-rs 0.1.4.
"""


def distance_when_empty(
    metric: str, convention: str, one_empty: OneEmpty | None, has_truth: bool, has_predicted: bool
) -> float:
    """The value of a distance where a mask is empty; NaN stands for the diagonal's place.

    `one_empty` is said by the user and wins over the convention where exactly one is empty.
    """
    ours = _OURS_NEAR if metric == "nsd" else _OURS_FAR
    empties = DISTANCE_RULES[convention].empties.get(metric, ours)
    if not (has_truth or has_predicted):
        return empties.both_empty
    if one_empty == "infinite":
        return _INF
    if one_empty is not None:
        return _NAN
    return empties.only_truth if has_truth else empties.only_predicted


COUNT_EMPTIES: Mapping[str, Mapping[str, Empties]] = {
    "monai": dict.fromkeys(("dice", "iou"), Empties(0.0, _NAN, _NAN)),
    "metrics-reloaded": {
        "dice": Empties(0.0, 0.0, 1.0),
        "fbeta": Empties(0.0, 0.0, 1.0),
        "precision": Empties(0.0, 0.0, _NAN),
    },
    "medpy": {"iou": Empties(0.0, 0.0, 1.0)},
    "panoptica": dict.fromkeys(("dice", "iou"), _ZERO),
    "seg_metrics": {
        "dice": Empties(0.0, 0.0, 1.0),
        "iou": Empties(0.0, 0.0, 1.0),
        "precision": Empties(0.0, 0.0, 1.0),
        "sensitivity": Empties(0.0, 0.0, 1.0),
    },
    "miseval": {
        "dice": Empties(0.0, 0.0, 1.0),
        "iou": _ZERO,
    },
    "torchmetrics": {"iou": Empties(0.0, 0.0, -1.0)},
    "simpleitk": {
        "dice": Empties(0.0, 0.0, _INF),
        "iou": Empties(0.0, 0.0, sys.float_info.max),
    },
    "mikan": dict.fromkeys(("dice", "iou", "mcc"), _ZERO),
    "pymia": dict.fromkeys(("dice", "iou"), Empties(0.0, 0.0, 1.0)),
}
"""Overlaps of empty masks where a tool departs from ours: 0, 0 and NaN."""

UNDEFINED_COUNTS: Mapping[str, Mapping[str, float]] = {
    "miseval": dict.fromkeys(("sensitivity", "specificity", "precision", "mcc", "kappa"), 0.0),
    "mikan": dict.fromkeys(("sensitivity", "specificity", "precision", "kappa"), 0.0),
    "pymia": {"sensitivity": -_INF, "precision": 0.0},
}
"""What a tool writes where a rate divides by nothing."""


def count_when_empty(
    metric: str, convention: str, has_truth: bool, has_predicted: bool
) -> float | None:
    """A tool's value of a count metric where a mask is empty; None: it has none of its own."""
    empties = COUNT_EMPTIES.get(convention, {}).get(metric)
    if empties is None or (has_truth and has_predicted):
        return None
    if has_truth:
        return empties.only_truth
    return empties.only_predicted if has_predicted else empties.both_empty


def undefined_count(metric: str, convention: str) -> float:
    """What a tool says where a rate divides by nothing; ours is NaN."""
    return UNDEFINED_COUNTS.get(convention, {}).get(metric, _NAN)
