"""Metrics of topology: components, holes, cavities, and how many were lost or invented."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.centre_lines import skeleton
from pixelwise.arrays.run_topology import Betti, betti_of_runs
from pixelwise.arrays.scanning import scan_labels
from pixelwise.metrics.inputs import as_labels
from pixelwise.metrics.pair import MaskPair
from pixelwise.metrics.registration import metric

Connectivity = Literal["full", "face"]

_OBJECT = np.arange(256) == 1


def betti_numbers(mask: npt.ArrayLike, *, connectivity: Connectivity = "full") -> Betti:
    """Components, loops (holes in 2D, handles in 3D) and cavities of a mask.

    connectivity: "full" joins pixels that share a corner (8, 26; background 4, 6), "face"
    only those that share a side (4, 6; background 8, 26). Background that reaches the
    frame is outside, no hole. An empty mask has none of anything.
    """
    array = as_labels(mask, "mask") != 0
    if connectivity == "face":
        return _betti_by_duality(array)
    return _betti(array)


def euler_number(mask: npt.ArrayLike, *, connectivity: Connectivity = "full") -> int:
    """Euler characteristic of a mask: components - loops + cavities."""
    return betti_numbers(mask, connectivity=connectivity).euler


@metric("betti_error", "topology", best=0, higher_is_better=False)
def betti_error(pair: MaskPair, *, connectivity: Connectivity = "full") -> float:
    """Sum over dimensions of |predicted - truth| Betti numbers, whole image.

    A lost and an invented piece cancel here: see betti_lost and betti_extra, and
    betti_matching_error for pieces in wrong places. Both empty -> 0.
    """
    return float(sum(abs(difference) for difference in _differences(pair, connectivity)))


@metric("betti_lost", "topology", best=0, higher_is_better=False)
def betti_lost(pair: MaskPair, *, connectivity: Connectivity = "full") -> float:
    """Components, holes and cavities of the truth that the prediction has too few of.

    A mask without pixels has none; both empty -> 0.
    """
    return float(sum(max(-difference, 0) for difference in _differences(pair, connectivity)))


@metric("betti_extra", "topology", best=0, higher_is_better=False)
def betti_extra(pair: MaskPair, *, connectivity: Connectivity = "full") -> float:
    """Components, holes and cavities that the prediction has too many of.

    A mask without pixels has none; both empty -> 0.
    """
    return float(sum(max(difference, 0) for difference in _differences(pair, connectivity)))


@metric("component_error", "topology", best=0, higher_is_better=False)
def component_error(pair: MaskPair, *, connectivity: Connectivity = "full") -> float:
    """|predicted - truth| number of connected components; both empty -> 0."""
    return float(abs(_differences(pair, connectivity)[0]))


@metric("euler_error", "topology", best=0, higher_is_better=False)
def euler_error(pair: MaskPair, *, connectivity: Connectivity = "full") -> float:
    """|predicted - truth| Euler characteristic; errors of different kinds can cancel.

    Both empty -> 0.
    """
    components, loops, cavities = _differences(pair, connectivity)
    return float(abs(components - loops + cavities))


@metric("cldice", "topology", best=1, higher_is_better=True)
def cldice(pair: MaskPair) -> float:
    """Centre-line Dice: harmonic mean of how much of each centre line lies in the other mask.

    Blind to thickness; centre lines of blobs are noise. Range 0 to 1. Skeletons as in
    scikit-image (2D Zhang's table, 3D Lee). Empty: both -> NaN; exactly one -> 0.
    Source: Shit et al. 2021.
    """
    c = pair.counts
    if c.tp + c.fn == 0 or c.tp + c.fp == 0:
        return math.nan if c.tp + c.fn + c.fp == 0 else 0.0
    shares = []
    for line_of, other in ((pair.predicted, pair.truth), (pair.truth, pair.predicted)):
        line = skeleton(line_of)
        shares.append(np.count_nonzero(line & other) / np.count_nonzero(line))
    total = sum(shares)
    return 2 * shares[0] * shares[1] / total if total else 0.0


def _differences(pair: MaskPair, connectivity: Connectivity) -> tuple[int, int, int]:
    """Predicted minus truth: components, loops, cavities."""
    if connectivity == "full":
        truth, predicted = pair.betti
    else:
        truth, predicted = _betti_by_duality(pair.truth), _betti_by_duality(pair.predicted)
    return (
        predicted.components - truth.components,
        predicted.loops - truth.loops,
        predicted.cavities - truth.cavities,
    )


def _betti(mask: npt.NDArray[np.bool_]) -> Betti:
    runs = scan_labels(mask.view(np.uint8), _OBJECT).runs
    shape = (1, 1, *mask.shape)[-3:]
    return betti_of_runs(*runs.of_class(1), (shape[0], shape[1], shape[2]), mask.ndim == 3)


def _betti_by_duality(mask: npt.NDArray[np.bool_]) -> Betti:
    """Face-connected Betti numbers from the fully connected background (Alexander duality)."""
    outside = _betti(np.pad(~mask, 1, constant_values=True))
    if mask.ndim == 3:
        return Betti(outside.cavities, outside.loops, outside.components - 1)
    return Betti(outside.loops, outside.components - 1, 0)
