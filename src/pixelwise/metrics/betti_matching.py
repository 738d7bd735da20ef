"""Betti matching: components, holes, cavities that both masks have in the same places."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pixelwise.arrays.compiled import compiled, prepare
from pixelwise.arrays.loop_deaths import loop_deaths
from pixelwise.core.errors import ShapeMismatch
from pixelwise.metrics.inputs import as_labels, check_not_negative, check_same_grid
from pixelwise.metrics.topology import betti_numbers

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BettiMatching:
    """Features of both masks: matched pairs, and what is left over on either side.

    Holes are loops and handles in 3D; cavities are 0 in 2D.
    """

    matched_components: int
    matched_holes: int
    lost_components: int
    lost_holes: int
    extra_components: int
    extra_holes: int
    matched_cavities: int = 0
    lost_cavities: int = 0
    extra_cavities: int = 0

    @property
    def error(self) -> int:
        """Betti matching error: the unmatched features of both masks."""
        lost = self.lost_components + self.lost_holes + self.lost_cavities
        return lost + self.extra_components + self.extra_holes + self.extra_cavities


def betti_matching(truth: Any, predicted: Any) -> BettiMatching:
    """Match components, holes and cavities through the union of both masks; corners connect.

    Shape: truth, predicted ([z,] y, x), nonzero is the object. Two features match if the
    persistence of truth and prediction, mapped into that of their union, gives them the
    same end (pixels of one value enter in reading order). Both empty -> nothing to match,
    error 0. Time in 3D grows with pixels times loops. Raises BadData, ShapeMismatch for
    other grids or dimensions.
    Source: Stucki et al. 2023, on binary masks: the error counts unmatched features.
    """
    one, other = as_labels(truth, "truth"), as_labels(predicted, "predicted")
    check_same_grid(one, other)
    check_not_negative(one, other)
    one, other = one != 0, other != 0
    if one.ndim not in (2, 3):
        raise ShapeMismatch(
            f"Betti matching was asked for {one.ndim} dimensions", "([z,] y, x)",
            "Give an image or a volume.", code="bad-dimensions",
        )  # fmt: skip
    components, top = _match_components(one, other), _match_holes(one, other)
    b, c = betti_numbers(one), betti_numbers(other)
    loops, cavities = (top, 0) if one.ndim == 2 else (_match_loops(one, other), top)
    return BettiMatching(
        components, loops, b.components - components, b.loops - loops, c.components - components,
        c.loops - loops, cavities, b.cavities - cavities, c.cavities - cavities,
    )  # fmt: skip


def betti_matching_error(truth: Any, predicted: Any) -> int:
    """Unmatched components, holes and cavities of both masks, 0 (best) up; see betti_matching.

    Both empty -> 0.
    """
    return betti_matching(truth, predicted).error


def _match_components(truth: Mask, predicted: Mask) -> int:
    """Merges of the growing union in which truth and prediction both have a part on both sides.

    The last component never ends; it matches if both masks have one.
    """
    if not (truth.any() and predicted.any()):
        return 0
    tiny = np.ones((1, 1, 1), dtype=np.uint8)
    prepare("matching loops", lambda: _count_common_merges(tiny, _SIDES[2]))
    parts = truth.astype(np.uint8) | (predicted.astype(np.uint8) * np.uint8(2))
    volume = parts.reshape((1, *parts.shape)[-3:])
    return 1 + int(_count_common_merges(volume, _SIDES[truth.ndim]))


def _match_holes(truth: Mask, predicted: Mask) -> int:
    """Holes (3D: cavities) of the union whose last empty pixel is that of both masks' too."""
    union = truth | predicted
    order = np.arange(union.size).reshape(union.shape)
    ends = [_last_empty_pixels(mask, ~union, order) for mask in (union, truth, predicted)]
    return len(ends[0] & ends[1] & ends[2])


def _last_empty_pixels(mask: Mask, empty: Mask, order: npt.NDArray[np.int64]) -> set[int]:
    """For every hole of a mask the last of its pixels, in reading order, that is `empty`."""
    labels, n = ndimage.label(np.pad(~mask, 1, constant_values=True))
    inner = labels[(slice(1, -1),) * mask.ndim]
    last = np.full(n + 1, -1, dtype=np.int64)
    np.maximum.at(last, inner[empty], order[empty])
    outside = int(labels.flat[0])
    return {int(place) for k, place in enumerate(last) if k not in (0, outside) and place >= 0}


def _match_loops(truth: Mask, predicted: Mask) -> int:
    """Loops of a volume that are filled by one square, seen from truth and from prediction."""
    union = truth | predicted
    ends = [loop_deaths(mask, union) for mask in (truth, predicted)]
    return int(np.intersect1d(ends[0], ends[1], assume_unique=True).size)


def _sides(n_dims: int) -> npt.NDArray[np.int32]:
    """Sides of a pixel as pairs of corners (z, y, x), in the order in which they enter.

    Shape: (sides, 2, 3). A side is an edge; its place is (-1, 1 or, along it, 0) per axis.
    """
    found = []
    for place in itertools.product((-1, 0, 1), repeat=n_dims):
        if place.count(0) != 1:
            continue
        corners = []
        for end in (0, 1):
            corner = [end if p == 0 else (p + 1) // 2 for p in place]
            corners.append([0] * (3 - n_dims) + corner)
        found.append(corners)
    return np.array(found, dtype=np.int32)


_SIDES = {n_dims: _sides(n_dims) for n_dims in (2, 3)}


@compiled
def _root(parents: npt.NDArray[np.int64], i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@compiled
def _count_common_merges(  # noqa: C901 - a compiled loop
    parts: npt.NDArray[np.uint8], sides: npt.NDArray[np.int32]
) -> int:
    """Corners joined by the sides of pixels: those of the union first, then reading order."""
    depth, height, width = parts.shape
    wide = width + 1
    tall = (height + 1) * wide
    parents = np.arange((depth + 1) * tall)
    kinds = np.zeros(parents.size, np.uint8)
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                for side in range(sides.shape[0]):
                    for end in range(2):
                        corner = sides[side, end]
                        place = (z + corner[0]) * tall + (y + corner[1]) * wide + x + corner[2]
                        kinds[place] |= parts[z, y, x]
    merges = 0
    for level in range(2):
        for z in range(depth):
            for y in range(height):
                for x in range(width):
                    if (parts[z, y, x] == 0) == (level == 0):
                        continue
                    here = z * tall + y * wide + x
                    for side in range(sides.shape[0]):
                        a, b = sides[side, 0], sides[side, 1]
                        one = _root(parents, here + a[0] * tall + a[1] * wide + a[2])
                        other = _root(parents, here + b[0] * tall + b[1] * wide + b[2])
                        if one == other:
                            continue
                        merges += level == 1 and kinds[one] == 3 and kinds[other] == 3
                        parents[max(one, other)] = min(one, other)
                        kinds[min(one, other)] |= kinds[max(one, other)]
    return merges
