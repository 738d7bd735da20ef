"""Skeletons equal to scikit-image's; in 2D thinned along the rim only, not over the image."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
from skimage import morphology

from pixelwise.arrays.compiled import compiled, prepare
from pixelwise.core.errors import ShapeMismatch

Mask = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]

SkeletonMethod = Literal["default", "lee"]

_LEE: Callable[..., Mask] = morphology.skeletonize

_EXCEPTIONS = {
    3: 1, 6: 1, 10: 3, 11: 1, 12: 1, 14: 1, 24: 2, 26: 2, 40: 3, 48: 0, 56: 2, 96: 2, 104: 2,
    108: 2, 129: 0, 130: 3, 131: 1, 134: 1, 160: 3, 161: 1, 176: 2, 192: 2, 194: 1, 198: 1, 224: 2,
}  # fmt: skip
"""Neighbourhoods where scikit-image departs from Zhang and Suen 1984, found by comparison."""


def skeleton(mask: Mask, method: SkeletonMethod = "default") -> Mask:
    """Centre lines of a mask.

    Shape: mask ([z,] y, x). Source: 2D Zhang and Suen 1984 with scikit-image's table of
    neighbourhoods (equal pixel by pixel), 3D and "lee" Lee 1994 by scikit-image on the
    cropped mask.
    """
    if mask.ndim not in (2, 3):
        raise ShapeMismatch(
            f"centre lines of {mask.ndim} dimensions were asked for", "([z,] y, x)",
            "Give an image or a volume.", code="bad-dimensions",
        )  # fmt: skip
    box = _bounding_box(mask)
    thin = np.zeros_like(mask)
    if box is None:
        return thin
    if mask.ndim == 3 or method == "lee":
        thin[box] = _LEE(np.ascontiguousarray(mask[box]), method="lee")
    else:
        prepare("thinning loops", lambda: _thin(np.zeros(9, np.uint8), 3, _removal_table()))
        padded = np.pad(mask[box], 1).astype(np.uint8)
        flat = padded.reshape(-1)
        _thin(flat, padded.shape[1], _removal_table())
        thin[box] = padded[1:-1, 1:-1] > 0
    return thin


def _bounding_box(mask: Mask) -> tuple[slice, ...] | None:
    slices = []
    for axis in range(mask.ndim):
        others = tuple(i for i in range(mask.ndim) if i != axis)
        places = np.flatnonzero(mask.any(axis=others))
        if places.size == 0:
            return None
        slices.append(slice(int(places[0]), int(places[-1]) + 1))
    return tuple(slices)


@functools.cache
def _removal_table() -> Bytes:
    """For each of 256 neighbourhoods: bit 0 removed in the first half step, bit 1 in the second.

    Neighbours clockwise from the upper left, lowest bit first.
    """
    table = np.zeros(256, np.uint8)
    for code in range(256):
        ring = [code >> i & 1 for i in range(8)]
        north, east, south, west = ring[1::2]
        rises = sum(not ring[i] and ring[(i + 1) % 8] for i in range(8))
        if 2 <= sum(ring) <= 6 and rises == 1:
            table[code] = (not east & south & (north | west)) | (
                2 * (not north & west & (east | south))
            )
        table[code] = _EXCEPTIONS.get(code, table[code])
    return table


@compiled
def _list_rim(image: Bytes, width: int, candidates: Indices) -> int:
    """Write the places of all pixels with an empty neighbour, return their number."""
    n = 0
    rim = np.zeros(width, np.uint8)
    for row in range(width, image.size - width, width):
        above = image[row - width : row]
        here = image[row : row + width]
        below = image[row + width : row + 2 * width]
        for x in range(1, width - 1):
            is_full = above[x - 1] & above[x] & above[x + 1] & here[x - 1] & here[x + 1]
            is_full &= below[x - 1] & below[x] & below[x + 1]
            rim[x] = here[x] & (is_full ^ 1)
        for x in range(1, width - 1):
            if rim[x]:
                candidates[n] = row + x
                n += 1
    return n


@compiled
def _thin(image: Bytes, width: int, table: Bytes) -> None:  # noqa: C901 - a compiled loop
    """Thin a padded, flattened image in place. Only neighbours of removed pixels are looked at."""
    around = np.array(
        [-width - 1, -width, -width + 1, 1, width + 1, width, width - 1, -1], np.int64
    )
    candidates = np.empty(image.size, np.int64)
    is_listed = np.zeros(image.size, np.uint8)
    removed = np.empty((2, image.size), np.int64)
    n_removed = np.zeros(2, np.int64)
    step = 0
    while step < 2 or n_removed[0] + n_removed[1] > 0:
        n = 0
        if step < 2:
            n = _list_rim(image, width, candidates)
        else:
            for half in range(2):
                for i in range(n_removed[half]):
                    for j in range(8):
                        q = removed[half, i] + around[j]
                        if image[q] and not is_listed[q]:
                            is_listed[q] = 1
                            candidates[n] = q
                            n += 1
            for i in range(n):
                is_listed[candidates[i]] = 0
        bit = np.uint8(1 << (step & 1))
        half = step & 1
        n_removed[half] = 0
        for i in range(n):
            p = candidates[i]
            code = np.int64(0)
            for j in range(8):
                code |= np.int64(image[p + around[j]]) << j
            if table[code] & bit:
                removed[half, n_removed[half]] = p
                n_removed[half] += 1
        for i in range(n_removed[half]):
            image[removed[half, i]] = 0
        step += 1
