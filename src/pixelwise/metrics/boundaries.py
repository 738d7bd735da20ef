"""Metrics of a band along the boundary: boundary IoU, boundary F1."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy import ndimage

from pixelwise.arrays.mesh_surfaces import Mask
from pixelwise.core.errors import BadData
from pixelwise.metrics.pair import MaskPair
from pixelwise.metrics.registration import metric
from pixelwise.metrics.tolerances import check_tolerance

SEGNET_SHARE = 0.0075
"""Tolerance of boundary F1 as a share of the image diagonal (Csurka et al. 2013, SegNet)."""


@metric("boundary_iou", "boundary", best=1, higher_is_better=True)
def boundary_iou(
    pair: MaskPair,
    *,
    dilation_ratio: float = 0.02,
    d: int | None = None,
    method: Literal["erosion", "euclid"] = "erosion",
) -> float:
    """IoU of the inner bands along both boundaries.

    "erosion": band = mask minus its d-fold 3 x 3 (x 3) erosion, beyond the frame is outside,
    d = max(1, round(dilation_ratio x diagonal in pixels)) unless given.
    "euclid": band = object pixels nearer than d pixels to the rim (MetricsReloaded).
    Range 0 to 1. Empty: both -> NaN; exactly one -> 0. Source: Cheng et al. 2021.
    """
    shape = pair.truth.shape
    diagonal = math.sqrt(sum(n * n for n in shape))
    width = max(1, round(dilation_ratio * diagonal)) if d is None else d
    if width < 1:
        raise BadData(
            f"the band is {width} pixels wide", "at least 1", "Leave d out.", code="bad-width"
        )
    bands = [_band(mask, width, method) for mask in (pair.truth, pair.predicted)]
    union = int(np.count_nonzero(bands[0] | bands[1]))
    return int(np.count_nonzero(bands[0] & bands[1])) / union if union else math.nan


@metric("boundary_f1", "boundary", best=1, higher_is_better=True)
def boundary_f1(pair: MaskPair, *, tolerance: float | None = None) -> float:
    """F1 of rim pixels that lie within a tolerance of the other rim (BF score).

    precision: share of the prediction's rim near the truth's; recall: the reverse.
    tolerance in units of spacing; by default 0.75 % of the image diagonal, the SegNet rule.
    Range 0 to 1. Empty: both -> NaN; exactly one -> 0. Source: Csurka et al. 2013.
    """
    if tolerance is not None:
        check_tolerance(tolerance, pair.diagonal)
    d = pair.distances
    if d.n_empty:
        return math.nan if d.n_empty == 2 else 0.0
    near = SEGNET_SHARE * pair.diagonal if tolerance is None else tolerance
    recall = float((d.truth_to_predicted <= near).mean())
    precision = float((d.predicted_to_truth <= near).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _band(mask: Mask, width: int, method: str) -> Mask:
    padded = np.pad(mask, 1)
    inner = (slice(1, -1),) * mask.ndim
    if method == "erosion":
        depth = ndimage.distance_transform_cdt(padded, "chessboard")[inner]
        return np.asarray(mask & (depth <= width))
    rim = mask & ~ndimage.binary_erosion(padded)[inner]
    if not rim.any():
        return np.asarray(rim)
    return np.asarray(mask & (ndimage.distance_transform_edt(~rim) < width))
