"""Nearest neighbours anywhere: blocks of the grid are passed over as wholes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled, leading_zeros, load_word, trailing_zeros
from pixelwise.arrays.point_bits import Place, row_start

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]

BLOCK = 8
GROUP = 32
"""Rows of a block along z and y, and of a group of blocks; a block is one word of bits wide."""


@compiled
def find_blocks(
    rows: Ints, columns: Ints, depth: int, height: int, width: int
) -> tuple[Ints, Ints]:
    """(blocks, groups) of points in row-major order.

    Blocks: first z and y, first and last column that is set. Groups: the same of all their
    blocks, and the range of these.
    """
    deep = (depth + BLOCK - 1) // BLOCK
    tall, wide = (height + BLOCK - 1) // BLOCK, (width + 63) // 64
    extents = np.empty((deep * tall * wide, 2), np.int32)
    extents[:, 0] = 2**30
    extents[:, 1] = -1
    row = -1
    line = np.int64(0)
    for i in range(rows.size):
        if rows[i] != row:
            row = rows[i]
            line = ((row // height // BLOCK) * tall + row % height // BLOCK) * wide
        k = line + (columns[i] >> 6)
        extents[k, 0] = min(extents[k, 0], columns[i])
        extents[k, 1] = max(extents[k, 1], columns[i])
    blocks = np.empty((np.count_nonzero(extents[:, 1] >= 0), 4), np.int32)
    side = GROUP // BLOCK
    groups = np.empty((((deep + side - 1) // side) * ((tall + side - 1) // side), 6), np.int32)
    n = n_groups = 0
    for gz in range(0, deep, side):
        for gy in range(0, tall, side):
            start = n
            for bz in range(gz, min(gz + side, deep)):
                for by in range(gy, min(gy + side, tall)):
                    for k in range((bz * tall + by) * wide, (bz * tall + by + 1) * wide):
                        if extents[k, 1] >= 0:
                            blocks[n, 0], blocks[n, 1] = bz * BLOCK, by * BLOCK
                            blocks[n, 2], blocks[n, 3] = extents[k, 0], extents[k, 1]
                            n += 1
            if n > start:
                groups[n_groups, 0], groups[n_groups, 1] = gz * BLOCK, gy * BLOCK
                groups[n_groups, 2] = blocks[start:n, 2].min()
                groups[n_groups, 3] = blocks[start:n, 3].max()
                groups[n_groups, 4], groups[n_groups, 5] = start, n
                n_groups += 1
    return blocks, groups[:n_groups]


@compiled
def search_far(  # noqa: C901 - a compiled loop
    rows: Ints, columns: Ints, bits: Bytes, place: Place, boxes: tuple[Ints, Ints],
    spacing: Floats, patience: int,
) -> Floats:  # fmt: skip
    """Squared distance from each point to the nearest set bit; -1 behind the last point asked.

    boxes: blocks and groups of the set bits, as find_blocks gives them. No more than about
    `patience` rows are visited: equally far points cost many each.
    """
    squares = spacing * spacing
    blocks, groups = boxes
    n_visits = 0
    depth = bits.size // (place.tall * place.stride) - 2 * place.margin_z
    found = np.empty(rows.size, np.float64)
    last_z = last_y = last_x = np.int64(-1)
    for i in range(rows.size):
        z, y = rows[i] // place.height, rows[i] % place.height
        x: Any = np.int64(columns[i])
        if n_visits > patience:
            found[i:] = -1.0
            return found
        best = np.inf
        if last_x >= 0:
            best = (
                (z - last_z) ** 2 * squares[0]
                + (y - last_y) ** 2 * squares[1]
                + (x - last_x) ** 2 * squares[2]
            )
        for g in range(groups.shape[0]):
            if _gap(groups[g], GROUP, z, y, x, squares) >= best:
                continue
            for j in range(groups[g, 4], groups[g, 5]):
                n_visits += 1
                if _gap(blocks[j], BLOCK, z, y, x, squares) >= best:
                    continue
                n_visits += BLOCK * BLOCK
                base: Any = np.int64(blocks[j, 2]) & ~np.int64(63)
                for zz in range(blocks[j, 0], min(blocks[j, 0] + BLOCK, depth)):
                    for yy in range(blocks[j, 1], min(blocks[j, 1] + BLOCK, place.height)):
                        square = (zz - z) ** 2 * squares[0] + (yy - y) ** 2 * squares[1]
                        if square >= best:
                            continue
                        at = row_start(zz * place.height + yy, place) + (base >> 3)
                        column = _nearest_column(load_word(bits, at), base, x)
                        if column < 0:
                            continue
                        square += (column - x) * (column - x) * squares[2]
                        if square < best:
                            best = square
                            last_z, last_y, last_x = np.int64(zz), np.int64(yy), column
        found[i] = best
    return found


@compiled
def _gap(box: Ints, rows: int, z: int, y: int, x: int, squares: Floats) -> float:
    """Squared distance from a point to a box of rows, 0 inside."""
    dz = max(box[0] - z, z - (box[0] + rows - 1), 0)
    dy = max(box[1] - y, y - (box[1] + rows - 1), 0)
    dx = max(box[2] - x, x - box[3], 0)
    return float(dz * dz * squares[0] + dy * dy * squares[1] + dx * dx * squares[2])


@compiled
def _nearest_column(word: np.uint64, base: int, x: int) -> np.int64:
    """Column of the set bit of a word nearest to x, where bit 0 is `base`; -1 if none is set."""
    if word == np.uint64(0):
        return np.int64(-1)
    if x <= base:
        return np.int64(base) + np.int64(trailing_zeros(word))
    last = np.int64(base) + 63 - np.int64(leading_zeros(word))
    if x >= last:
        return last
    here = np.uint64(x - base)
    right = word >> here
    if right & np.uint64(1):
        return np.int64(x)
    after = np.int64(x) + np.int64(trailing_zeros(right))
    left = word & ((np.uint64(1) << here) - np.uint64(1))
    if left == np.uint64(0):
        return after
    before = np.int64(base) + 63 - np.int64(leading_zeros(left))
    return before if x - before <= after - x else after
