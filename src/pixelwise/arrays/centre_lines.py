"""Skeletons equal to scikit-image's; in 2D 64 pixels at a time, rows at rest are left alone."""

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
Words = npt.NDArray[np.uint64]
Nodes = npt.NDArray[np.int64]

BAND = 128
"""Words of rows that are looked at together."""

_WEST, _EAST = (0, 7, 6), (2, 3, 4)
"""Neighbours to the left and right in the rows above, here and below."""

_ORDERS = ((1, 2, 5, 4, 6, 0, 3, 7), (1, 5, 6, 0, 2, 4, 3, 7))
"""Orders of the neighbours that give the smallest diagrams, 34 nodes each."""

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
        thin[box] = _thinned(mask[box])
    return thin


def _thinned(mask: Mask) -> Mask:
    """A thinned image; rows are packed as bits, with empty rows and words around them."""
    prepare("thinning loops", lambda: _thin(np.zeros((5, 3), np.uint64), *_diagrams()))
    height, width = mask.shape
    packed = np.packbits(mask, axis=1, bitorder="little")
    words = np.zeros((height + 4, (width + 63) // 64 + 2), np.uint64)
    inner = words.view(np.uint8)[2:-2, 8 : 8 + packed.shape[1]]
    inner[:] = packed
    _thin(words, *_diagrams())
    return np.unpackbits(inner, axis=1, count=width, bitorder="little").view(np.bool_)


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


@functools.cache
def _diagrams() -> tuple[Nodes, Nodes]:
    """The removal table as decision diagrams, one per half step, for 64 pixels at a time.

    Shape: (nodes, 3): which neighbour is asked, and the node that answers if it is empty or
    set; 0 and 1 are the answers no and yes, the first node is 2, the last is the root.
    """
    table = _removal_table()
    first, second = ((table >> half & 1).astype(np.uint8) for half in (0, 1))
    return _diagram(first, _ORDERS[0]), _diagram(second, _ORDERS[1])


def _diagram(answers: Bytes, order: tuple[int, ...]) -> Nodes:
    nodes: dict[tuple[int, int, int], int] = {}

    def build(level: int, code: int) -> int:
        if level == len(order):
            return int(answers[code])
        low, high = build(level + 1, code), build(level + 1, code | 1 << order[level])
        if low == high:
            return low
        return nodes.setdefault((order[level], low, high), len(nodes) + 2)

    build(0, 0)
    return np.array(list(nodes), np.int64)


@compiled
def _thin(words: Words, first: Nodes, second: Nodes) -> None:
    """Thin an image of packed rows in place; rows that nothing changes around are left alone."""
    height, n_words = words.shape
    most = max(BAND // n_words, 1)
    removed = np.zeros_like(words)
    values = np.zeros((max(len(first), len(second)) + 2, most * n_words), np.uint64)
    values[1] = ~np.uint64(0)
    around = np.zeros((8, most * n_words), np.uint64)
    changed = np.ones(height, np.int64)  # in which half step, counted from 2, a row last did
    step = 2
    while step < 4 or changed.max() >= step - 2:
        nodes = first if step % 2 == 0 else second
        y = 2
        while y < height - 2:
            end = y
            while end < min(height - 2, y + most) and (
                step < 4 or max(changed[end - 1], changed[end], changed[end + 1]) >= step - 2
            ):
                end += 1
            if end == y:
                y += 1
                continue
            _find_removable(words, y, end, nodes, around, values, removed)
            for row in range(y, end):
                if np.any(removed[row]):
                    changed[row] = step
            y = end
        for y in range(2, height - 2):
            if changed[y] == step:
                words[y] &= ~removed[y]
        step += 1


@compiled
def _find_removable(
    words: Words, y: int, end: int, nodes: Nodes, around: Words, values: Words, removed: Words
) -> None:
    """Pixels of some rows that a half step removes, by its decision diagram."""
    n_words = words.shape[1]
    here, n = y * n_words, (end - y) * n_words
    flat = words.reshape(-1)
    _look_around(flat, here, n_words, n, around)
    for k in range(len(nodes)):
        asked = around[nodes[k, 0]]
        low, high, out = values[nodes[k, 1]], values[nodes[k, 2]], values[k + 2]
        for i in range(n):
            out[i] = (asked[i] & high[i]) | (~asked[i] & low[i])
    root = values[len(nodes) + 1]
    gone = removed.reshape(-1)[here : here + n]
    centre = flat[here : here + n]
    for i in range(n):
        gone[i] = root[i] & centre[i]


@compiled
def _look_around(flat: Words, here: int, stride: int, n: int, around: Words) -> None:
    """The eight neighbours of n words of pixels, clockwise from the upper left."""
    one, most = np.uint64(1), np.uint64(63)
    for row in range(3):
        at = here + (row - 1) * stride
        centre, before, after = (
            flat[at : at + n],
            flat[at - 1 : at - 1 + n],
            flat[at + 1 : at + 1 + n],
        )
        to_west, to_east = around[_WEST[row]], around[_EAST[row]]
        for i in range(n):
            to_west[i] = (centre[i] << one) | (before[i] >> most)
            to_east[i] = (centre[i] >> one) | (after[i] << most)
    around[1, :n] = flat[here - stride : here - stride + n]
    around[5, :n] = flat[here + stride : here + stride + n]
