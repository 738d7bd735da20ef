"""Nearest neighbours that are near: one word of bits per row holds all that can matter."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled, leading_zeros, load_word, trailing_zeros
from pixelwise.arrays.point_bits import Place, row_start

Ints = npt.NDArray[np.int32]
Jumps = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]

REACH = 28
"""Columns to either side that are seen: a word from the byte below holds 57 bits for certain."""

NEAR_ROWS = {2: 12, 3: 5}
"""Rows up to this far are asked, in order of their distance."""

GIVE_UP = 256
"""After so many points, most of them without a near neighbour, the rest is not asked."""


def near_margins(is_volume: bool) -> tuple[int, int, int]:
    """Rows, rows and bytes around the grid that the search reads."""
    return (NEAR_ROWS[3], NEAR_ROWS[3], REACH // 8 + 1) if is_volume else (
        0, NEAR_ROWS[2], REACH // 8 + 1,
    )  # fmt: skip


@functools.lru_cache(maxsize=16)
def near_offsets(z_step: float, y_step: float) -> tuple[Ints, Ints, Floats]:
    """Row offsets (dz, dy) in order of distance, complete up to a radius; their squares.

    z_step is 0 for images. Behind the last one stands the square of the radius that is
    complete: nothing nearer is missed.
    """
    reach = NEAR_ROWS[3 if z_step > 0 else 2]
    steps = np.arange(-reach, reach + 1)
    z_steps = steps if z_step > 0 else np.zeros(1, int)
    dz, dy = (a.ravel() for a in np.meshgrid(z_steps, steps, indexing="ij"))
    squares = (dz * z_step) ** 2 + (dy * y_step) ** 2
    radius = (reach + 1) * (min(z_step, y_step) if z_step > 0 else y_step)
    order = np.argsort(squares, kind="stable")
    order = order[squares[order] < radius**2]
    return (
        dz[order].astype(np.int32), dy[order].astype(np.int32),
        np.append(squares[order], radius**2),
    )  # fmt: skip


def search_near(
    rows: Ints, columns: Ints, bits: Bytes, place: Place, spacing: tuple[float, float, float]
) -> Floats:
    """Squared distance from every point to the nearest set bit, -1 where that is not near."""
    z_step = spacing[0] if place.margin_z else 0.0
    dz, dy, squares = near_offsets(z_step, spacing[1])
    jumps = (dz.astype(np.int64) * place.tall + dy) * place.stride
    column_squares: Floats = (np.arange(REACH + 2, dtype=np.float64) * spacing[2]) ** 2
    column_squares[REACH + 1] = np.inf
    return _near(rows, columns, bits, jumps, squares, column_squares, place)


@compiled
def _near(
    rows: Ints, columns: Ints, bits: Bytes, jumps: Jumps, squares: Floats,
    column_squares: Floats, place: Place,
) -> Floats:  # fmt: skip
    found = np.empty(rows.size, np.float64)
    n_rows = jumps.size
    beyond = min(squares[n_rows], column_squares[REACH])
    last = -1
    start: Any = np.int64(0)
    n_missing = 0
    # bit REACH of a word is the point's own column; a guard bit ends the way to either side
    guard = np.uint64(1) << np.uint64(REACH + 1)
    for i in range(rows.size):
        if rows[i] != last:
            last = rows[i]
            start = row_start(last, place)
        first = columns[i] - REACH
        at = start + (first >> 3)
        shift = np.uint64(first & 7)
        best = np.inf
        for j in range(n_rows):
            if squares[j] >= best:
                break
            word = load_word(bits, at + jumps[j]) >> shift
            right = np.int64(trailing_zeros((word >> np.uint64(REACH)) | guard))
            low = ((word & (guard - np.uint64(1))) << np.uint64(1)) | np.uint64(1)
            left = np.int64(leading_zeros(low)) - (62 - REACH)
            square = squares[j] + column_squares[min(left, right)]
            if square < best:
                best = square
        if best <= beyond:
            found[i] = best
        else:
            found[i] = -1.0
            n_missing += 1
            if n_missing >= GIVE_UP and 2 * n_missing > i:
                found[i:] = -1.0
                return found
    return found
