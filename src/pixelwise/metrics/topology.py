"""Metrics of topology: components, holes, cavities, and how many were lost or invented."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.centre_lines import SkeletonMethod
from pixelwise.arrays.centre_lines import skeleton as centre_lines
from pixelwise.arrays.run_topology import Betti, betti_of_runs
from pixelwise.arrays.scanning import scan_runs
from pixelwise.core.errors import BadData
from pixelwise.metrics.inputs import as_labels
from pixelwise.metrics.pair import Connectivity, MaskPair
from pixelwise.metrics.registration import metric

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
def betti_error(
    pair: MaskPair, *, connectivity: Connectivity = "full", patch: int | None = None
) -> float:
    """Sum over dimensions of |predicted - truth| Betti numbers, whole image.

    A lost and an invented piece cancel here: see betti_lost and betti_extra, and
    betti_matching_error for pieces in wrong places. patch: mean over square tiles of that
    many pixels instead, side by side from the first corner on, the last ones smaller (Hu et
    al. 2019 draw theirs at random; here nothing is random). Both empty -> 0.
    """
    if patch is None:
        return float(sum(abs(difference) for difference in _differences(pair, connectivity)))
    if patch < 1:
        raise BadData(
            f"the patch is {patch} pixels wide", "at least 1", "Take 64, or leave it out.",
            code="bad-width",
        )  # fmt: skip
    of = _betti if connectivity == "full" else _betti_by_duality
    errors = []
    for corner in itertools.product(*(range(0, n, patch) for n in pair.truth.shape)):
        tile = tuple(slice(start, start + patch) for start in corner)
        t, p = (of(np.ascontiguousarray(mask[tile])) for mask in (pair.truth, pair.predicted))
        errors.append(
            abs(p.components - t.components) + abs(p.loops - t.loops)
            + abs(p.cavities - t.cavities)
        )  # fmt: skip
    return float(np.mean(errors)) if errors else 0.0


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


@metric("hole_error", "topology", best=0, higher_is_better=False)
def hole_error(pair: MaskPair, *, connectivity: Connectivity = "full") -> float:
    """|predicted - truth| number of holes (2D) or of loops and handles (3D).

    Background that reaches the frame is no hole. Both empty -> 0.
    """
    return float(abs(_differences(pair, connectivity)[1]))


@metric("cavity_error", "topology", best=0, higher_is_better=False)
def cavity_error(pair: MaskPair, *, connectivity: Connectivity = "full") -> float:
    """|predicted - truth| number of enclosed cavities of a volume; images have none.

    Both empty -> 0.
    """
    return float(abs(_differences(pair, connectivity)[2]))


@metric("euler_error", "topology", best=0, higher_is_better=False)
def euler_error(pair: MaskPair, *, connectivity: Connectivity = "full") -> float:
    """|predicted - truth| Euler characteristic; errors of different kinds can cancel.

    Both empty -> 0.
    """
    components, loops, cavities = _differences(pair, connectivity)
    return float(abs(components - loops + cavities))


@metric("cldice", "topology", best=1, higher_is_better=True)
def cldice(pair: MaskPair, *, skeleton: SkeletonMethod = "default") -> float:
    """Centre-line Dice: harmonic mean of how much of each centre line lies in the other mask.

    Blind to thickness; centre lines of blobs are noise. Range 0 to 1. Skeletons as in
    scikit-image, "default": 2D Zhang's table, 3D Lee; "lee": Lee's method in both.
    Not the soft clDice of training losses. Empty: both -> NaN; exactly one -> 0; a mask
    whose skeleton vanishes (Lee's does for some small blobs) -> NaN. Source: Shit et al. 2021.
    """
    c = pair.counts
    if c.tp + c.fn == 0 or c.tp + c.fp == 0:
        return math.nan if c.tp + c.fn + c.fp == 0 else 0.0
    shares = []
    for line_of, other in ((pair.predicted, pair.truth), (pair.truth, pair.predicted)):
        line = centre_lines(line_of, skeleton)
        length = np.count_nonzero(line)
        if length == 0:
            return math.nan
        shares.append(np.count_nonzero(line & other) / length)
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
    runs = scan_runs(mask.view(np.uint8), _OBJECT)
    shape = (1, 1, *mask.shape)[-3:]
    return betti_of_runs(*runs.of_class(1), (shape[0], shape[1], shape[2]), mask.ndim == 3)


def _betti_by_duality(mask: npt.NDArray[np.bool_]) -> Betti:
    """Face-connected Betti numbers from the fully connected background (Alexander duality)."""
    outside = _betti(np.pad(~mask, 1, constant_values=True))
    if mask.ndim == 3:
        return Betti(outside.cavities, outside.loops, outside.components - 1)
    return Betti(outside.loops, outside.components - 1, 0)
