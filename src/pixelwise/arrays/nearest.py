"""Nearest neighbours among rim pixels packed as bits: work follows the error, not the image."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled, leading_zeros, prepare, trailing_zeros

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint64]

NEAR_ROWS = {2: 24, 3: 6}
"""Rows up to this far are asked one by one in order of distance; beyond, block by block."""

BLOCK = 8
GROUP = 32
"""Rows of a block along z and y, and of a group of blocks; a block is one word of bits wide."""


class PointSet:
    """A set of grid points that answers how far the nearest of them is.

    The memory for its bits, one per pixel of the grid, is used again for the next set.
    """

    def __init__(self, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> None:
        depth, height, width = shape
        self.shape = shape
        self.spacing = spacing
        self._bits = np.zeros((depth * height, (width + 63) // 64), np.uint64)
        self._extents = np.empty((depth * height, 2), np.int32)
        self._near = _near_offsets(spacing[0] if depth > 1 else 0.0, spacing[1])
        prepare("distance loops", lambda: _first_call(self._near))

    def distances(self, rows: Ints, columns: Ints, to_rows: Ints, to_columns: Ints) -> Floats:
        """From every point to the nearest of the second set, in units of spacing; inf if none."""
        if rows.size == 0 or to_rows.size == 0:
            return np.full(rows.size, np.inf)
        _fill(self._bits, self._extents, to_rows, to_columns)
        blocks, groups = _blocks(self._bits, self._extents, self.shape[0], self.shape[1])
        found = _search(
            rows, columns, self._bits, self._extents, blocks, groups, self.shape[1],
            np.asarray(self.spacing), *self._near,
        )  # fmt: skip
        _clear(self._bits, to_rows, to_columns)
        return np.sqrt(found, out=found)


@functools.lru_cache(maxsize=16)
def _near_offsets(z_step: float, y_step: float) -> tuple[Ints, Ints, Floats]:
    """Row offsets (dz, dy) in order of distance, complete up to a radius; their squares."""
    reach = NEAR_ROWS[3 if z_step > 0 else 2]
    steps = np.arange(-reach, reach + 1)
    z_steps = steps if z_step > 0 else np.zeros(1, int)
    dz, dy = (a.ravel() for a in np.meshgrid(z_steps, steps, indexing="ij"))
    squares = (dz * z_step) ** 2 + (dy * y_step) ** 2
    radius = reach * (min(z_step, y_step) if z_step > 0 else y_step)
    order = np.argsort(squares, kind="stable")
    order = order[squares[order] <= radius**2]
    return dz[order].astype(np.int32), dy[order].astype(np.int32), squares[order]


def _first_call(near: tuple[Ints, Ints, Floats]) -> None:
    bits, extents = np.zeros((1, 1), np.uint64), np.empty((1, 2), np.int32)
    point = np.zeros(1, np.int32)
    _fill(bits, extents, point, point)
    blocks, groups = _blocks(bits, extents, 1, 1)
    _search(point, point, bits, extents, blocks, groups, 1, np.ones(3), *near)
    _clear(bits, point, point)


@compiled
def _fill(bits: Bits, extents: Ints, rows: Ints, columns: Ints) -> None:
    """Set the bits of points given in row-major order, and each row's first and last column."""
    extents[:, 0] = 2**30
    extents[:, 1] = -1
    for i in range(rows.size):
        r, x = rows[i], columns[i]
        bits[r, x >> 6] |= np.uint64(1) << np.uint64(x & 63)
        if x < extents[r, 0]:
            extents[r, 0] = x
        if x > extents[r, 1]:
            extents[r, 1] = x


@compiled
def _clear(bits: Bits, rows: Ints, columns: Ints) -> None:
    for i in range(rows.size):
        bits[rows[i], columns[i] >> 6] = np.uint64(0)


@compiled
def _blocks(bits: Bits, extents: Ints, depth: int, height: int) -> tuple[Ints, Ints]:
    """(blocks, groups): first z and y, first and last column; groups also their blocks' range."""
    capacity = ((depth + 7) // 8) * ((height + 7) // 8) * bits.shape[1]
    blocks = np.empty((capacity, 4), np.int32)
    groups = np.empty((((depth + 31) // 32) * ((height + 31) // 32), 6), np.int32)
    n = n_groups = 0
    for gz in range(0, depth, GROUP):
        for gy in range(0, height, GROUP):
            start = n
            first, last = 2**30, -1
            for z in range(gz, min(gz + GROUP, depth), BLOCK):
                for y in range(gy, min(gy + GROUP, height), BLOCK):
                    n = _add_blocks(bits, extents, z, y, depth, height, blocks, n)
            for i in range(start, n):
                first = min(first, blocks[i, 2])
                last = max(last, blocks[i, 3])
            if n > start:
                groups[n_groups, 0], groups[n_groups, 1] = gz, gy
                groups[n_groups, 2], groups[n_groups, 3] = first, last
                groups[n_groups, 4], groups[n_groups, 5] = start, n
                n_groups += 1
    return blocks[:n], groups[:n_groups]


@compiled
def _add_blocks(  # noqa: PLR0913 - compiled loops take plain arrays
    bits: Bits, extents: Ints, z0: int, y0: int, depth: int, height: int, blocks: Ints, n: int
) -> int:
    """Append the nonempty words of a block of rows; the new number of blocks."""
    for w in range(bits.shape[1]):
        word = np.uint64(0)
        for z in range(z0, min(z0 + BLOCK, depth)):
            for y in range(y0, min(y0 + BLOCK, height)):
                if extents[z * height + y, 1] >= 0:
                    word |= bits[z * height + y, w]
        if word != np.uint64(0):
            blocks[n, 0], blocks[n, 1] = z0, y0
            blocks[n, 2] = w * 64 + np.int64(trailing_zeros(word))
            blocks[n, 3] = w * 64 + 63 - np.int64(leading_zeros(word))
            n += 1
    return n


@compiled
def _gap(box: Ints, rows: int, z: int, y: int, x: int, squares: Floats) -> float:
    """Squared distance from a point to a box of rows, 0 inside."""
    dz = max(box[0] - z, z - (box[0] + rows - 1), 0)
    dy = max(box[1] - y, y - (box[1] + rows - 1), 0)
    dx = max(box[2] - x, x - box[3], 0)
    return float(dz * dz * squares[0] + dy * dy * squares[1] + dx * dx * squares[2])


@compiled
def _in_row(bits: Bits, r: int, x: int, room: float, x_square: float) -> np.int64:
    """Column of the nearest set bit of a row, -1 if none is nearer than sqrt(room)."""
    w = x >> 6
    b = np.uint64(x & 63)
    word = bits[r, w]
    if (word >> b) & np.uint64(1):
        return np.int64(x)
    found = np.int64(-1)
    best = room
    left = word & ((np.uint64(1) << b) - np.uint64(1))
    i = w
    while True:
        if left != np.uint64(0):
            column = i * 64 + 63 - np.int64(leading_zeros(left))
            distance = (x - column) * (x - column) * x_square
            if distance < best:
                best = distance
                found = column
            break
        i -= 1
        gap = x - (i * 64 + 63)
        if i < 0 or gap * gap * x_square >= best:
            break
        left = bits[r, i]
    right = word & ~((np.uint64(2) << b) - np.uint64(1))
    i = w
    while True:
        if right != np.uint64(0):
            column = i * 64 + np.int64(trailing_zeros(right))
            if (column - x) * (column - x) * x_square < best:
                found = column
            break
        i += 1
        gap = i * 64 - x
        if i >= bits.shape[1] or gap * gap * x_square >= best:
            break
        right = bits[r, i]
    return found


@compiled
def _nearest_column(
    bits: Bits, extents: Ints, r: int, x: int, room: float, x_square: float
) -> np.int64:
    """As _in_row, asking the row's extent first."""
    first, last = extents[r, 0], extents[r, 1]
    if last < 0:
        return np.int64(-1)
    if x <= first or x >= last:
        column = first if x <= first else last
        gap = column - x
        return np.int64(column) if gap * gap * x_square < room else np.int64(-1)
    return _in_row(bits, r, x, room, x_square)


@compiled
def _search(  # noqa: C901, PLR0913, PLR0915 - compiled loops take plain arrays
    rows: Ints, columns: Ints, bits: Bits, extents: Ints, blocks: Ints, groups: Ints,
    height: int, spacing: Floats, near_z: Ints, near_y: Ints, near_squares: Floats,
) -> Floats:  # fmt: skip
    """Squared distance from each point to the nearest set bit."""
    depth = bits.shape[0] // height
    squares = spacing * spacing
    z_square, y_square, x_square = squares[0], squares[1], squares[2]
    found = np.empty(rows.size, np.float64)
    last_z = last_y = -1
    last_x: Any = -1
    for i in range(rows.size):
        x = columns[i]
        if (bits[rows[i], x >> 6] >> np.uint64(x & 63)) & np.uint64(1):
            found[i] = 0.0
            continue
        z, y = rows[i] // height, rows[i] % height
        best = np.inf
        if last_x >= 0:
            best = (
                (z - last_z) ** 2 * z_square
                + (y - last_y) ** 2 * y_square
                + (x - last_x) ** 2 * x_square
            )
        is_settled = False
        for j in range(near_squares.size):
            if near_squares[j] >= best:
                is_settled = True
                break
            zz, yy = z + near_z[j], y + near_y[j]
            if zz < 0 or zz >= depth or yy < 0 or yy >= height:
                continue
            room = best - near_squares[j]
            column = _nearest_column(bits, extents, zz * height + yy, x, room, x_square)
            if column >= 0:
                best = near_squares[j] + (column - x) * (column - x) * x_square
                last_z, last_y, last_x = zz, yy, column
        if not is_settled:
            for g in range(groups.shape[0]):
                if _gap(groups[g], GROUP, z, y, x, squares) >= best:
                    continue
                for j in range(groups[g, 4], groups[g, 5]):
                    if _gap(blocks[j], BLOCK, z, y, x, squares) >= best:
                        continue
                    for zz in range(blocks[j, 0], min(blocks[j, 0] + BLOCK, depth)):
                        for yy in range(blocks[j, 1], min(blocks[j, 1] + BLOCK, height)):
                            square = (zz - z) ** 2 * z_square + (yy - y) ** 2 * y_square
                            if square >= best:
                                continue
                            r = zz * height + yy
                            column = _nearest_column(bits, extents, r, x, best - square, x_square)
                            if column >= 0:
                                best = square + (column - x) * (column - x) * x_square
                                last_z, last_y, last_x = zz, yy, column
        found[i] = best
    return found
