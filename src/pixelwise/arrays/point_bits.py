"""Grid points as one bit each, in rows with room around them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled

Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]


class Place(NamedTuple):
    """Where the bits of a row are: rows, and bytes of a row, with empty ones around the grid."""

    height: int
    tall: int
    stride: int
    margin_z: int
    margin_y: int
    margin_x: int


def room_for(shape: tuple[int, int, int], margins: tuple[int, int, int]) -> tuple[Bytes, Place]:
    """Empty bits for a grid (z, y, x) with margins in rows, rows and bytes on every side."""
    depth, height, width = shape
    place = Place(height, height + 2 * margins[1], (width + 7) // 8 + 2 * margins[2] + 8, *margins)
    return np.zeros((depth + 2 * margins[0]) * place.tall * place.stride, np.uint8), place


@compiled
def row_start(row: int, place: Place) -> int:
    """First byte of a row (z * Y + y), behind its empty margin."""
    z = row // place.height
    y = row - z * place.height
    above = (z + place.margin_z) * place.tall + y + place.margin_y
    return above * place.stride + place.margin_x


@compiled
def set_bits(bits: Bytes, rows: Ints, columns: Ints, place: Place) -> None:
    """Set the bits of points in row-major order."""
    last = -1
    start: Any = np.int64(0)
    for i in range(rows.size):
        if rows[i] != last:
            last = rows[i]
            start = row_start(last, place)
        bits[start + (columns[i] >> 3)] |= np.uint8(1 << (columns[i] & 7))


@compiled
def clear_bits(bits: Bytes, rows: Ints, columns: Ints, place: Place) -> None:
    """Clear the bits of points in row-major order, and their neighbours in the same byte."""
    last = -1
    start: Any = np.int64(0)
    for i in range(rows.size):
        if rows[i] != last:
            last = rows[i]
            start = row_start(last, place)
        bits[start + (columns[i] >> 3)] = 0
