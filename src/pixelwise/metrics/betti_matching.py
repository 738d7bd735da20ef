"""Betti matching: components and holes that truth and prediction have in the same places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pixelwise.arrays.compiled import compiled, prepare
from pixelwise.core.errors import ShapeMismatch
from pixelwise.metrics.inputs import as_labels, check_same_grid
from pixelwise.metrics.topology import betti_numbers

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BettiMatching:
    """Features of both masks: matched pairs, and what is left over on either side."""

    matched_components: int
    matched_holes: int
    lost_components: int
    lost_holes: int
    extra_components: int
    extra_holes: int

    @property
    def error(self) -> int:
        """Betti matching error: the unmatched features of both masks."""
        return self.lost_components + self.lost_holes + self.extra_components + self.extra_holes


def betti_matching(truth: Any, predicted: Any) -> BettiMatching:
    """Match components and holes through the union of both masks; 2D, corners connect.

    Shape: truth, predicted (y, x), nonzero is the object. Two features match if the
    persistence of truth and prediction, mapped into that of their union, gives them the
    same end (pixels of one value enter in reading order). Both empty -> nothing to match,
    error 0. Raises ShapeMismatch for volumes or other grids.
    Source: Stucki et al. 2023, on binary masks: the error counts unmatched features.
    """
    one, other = as_labels(truth, "truth") != 0, as_labels(predicted, "predicted") != 0
    check_same_grid(one, other)
    if one.ndim != 2:
        raise ShapeMismatch(
            f"Betti matching was asked for {one.ndim} dimensions", "an image (y, x)",
            "Use betti_error for volumes.", code="bad-dimensions",
        )  # fmt: skip
    components, holes = _match_components(one, other), _match_holes(one, other)
    b, c = betti_numbers(one), betti_numbers(other)
    return BettiMatching(
        components, holes, b.components - components, b.loops - holes, c.components - components,
        c.loops - holes,
    )  # fmt: skip


def betti_matching_error(truth: Any, predicted: Any) -> int:
    """Unmatched components and holes of both masks; see betti_matching."""
    return betti_matching(truth, predicted).error


def _match_components(truth: Mask, predicted: Mask) -> int:
    """Merges of the growing union in which truth and prediction both have a part on both sides.

    The last component never ends; it matches if both masks have one.
    """
    if not (truth.any() and predicted.any()):
        return 0
    tiny = np.ones((1, 1), dtype=np.uint8)
    prepare("matching loops", lambda: _count_common_merges(tiny))
    parts = truth.astype(np.uint8) | (predicted.astype(np.uint8) * np.uint8(2))
    return 1 + int(_count_common_merges(parts))


def _match_holes(truth: Mask, predicted: Mask) -> int:
    """Holes of the union that are filled last in the hole of the truth and of the prediction."""
    union = truth | predicted
    order = np.arange(union.size).reshape(union.shape)
    ends = [_last_empty_pixels(mask, ~union, order) for mask in (union, truth, predicted)]
    return len(ends[0] & ends[1] & ends[2])


def _last_empty_pixels(mask: Mask, empty: Mask, order: npt.NDArray[np.int64]) -> set[int]:
    """For every hole of a mask the last of its pixels, in reading order, that is `empty`."""
    labels, n = ndimage.label(np.pad(~mask, 1, constant_values=True))
    inner = labels[1:-1, 1:-1]
    last = np.full(n + 1, -1, dtype=np.int64)
    np.maximum.at(last, inner[empty], order[empty])
    outside = int(labels[0, 0])
    return {int(place) for k, place in enumerate(last) if k not in (0, outside) and place >= 0}


@compiled
def _root(parents: npt.NDArray[np.int32], i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@compiled
def _count_common_merges(parts: npt.NDArray[np.uint8]) -> int:
    """Corners joined by the sides of pixels: those of the union first, then reading order."""
    height, width = parts.shape
    wide = width + 1
    parents = np.arange((height + 1) * wide).astype(np.int32)
    kinds = np.zeros((height + 1) * wide, np.uint8)
    for y in range(height):
        for x in range(width):
            corner = y * wide + x
            for place in (corner, corner + 1, corner + wide, corner + wide + 1):
                kinds[place] |= parts[y, x]
    merges = 0
    for level in range(2):
        for y in range(height):
            for x in range(width):
                if (parts[y, x] == 0) == (level == 0):
                    continue
                corner = y * wide + x
                below = corner + wide
                for side in range(4):  # top, left, bottom, right
                    start = below if side == 2 else corner + 1 if side == 3 else corner
                    end = corner + 1 if side == 0 else below if side == 1 else below + 1
                    one, other = _root(parents, start), _root(parents, end)
                    if one == other:
                        continue
                    merges += level == 1 and kinds[one] == 3 and kinds[other] == 3
                    parents[max(one, other)] = min(one, other)
                    kinds[min(one, other)] |= kinds[max(one, other)]
    return merges
