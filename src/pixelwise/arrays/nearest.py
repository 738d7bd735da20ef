"""Nearest neighbours among rim pixels packed as bits: work follows the error, not the image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.column_sweep import sweep_columns
from pixelwise.arrays.compiled import prepare
from pixelwise.arrays.far_search import find_blocks, search_far
from pixelwise.arrays.near_search import near_margins, search_near
from pixelwise.arrays.point_bits import clear_bits, room_for, set_bits

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

PATIENCE = {2: 32, 3: 1}
"""Rows that a search may visit for each pixel of the grid before every pixel is visited."""


class PointSet:
    """A set of grid points that answers how far the nearest of them is.

    The memory for its bits, about one per pixel of the grid, is used again for the next set.
    """

    def __init__(self, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> None:
        self.shape = shape
        self.spacing = spacing
        self._bits, self._place = room_for(shape, near_margins(shape[0] > 1))
        patience = PATIENCE[3 if shape[0] > 1 else 2]
        self._patience = patience * shape[0] * shape[1] * shape[2]
        prepare("distance loops", _first_call)

    def distances(self, rows: Ints, columns: Ints, to_rows: Ints, to_columns: Ints) -> Floats:
        """From every point to the nearest of the second set, in units of spacing; inf if none.

        Points in row-major order: row (z * Y + y) and column.
        """
        if rows.size == 0 or to_rows.size == 0:
            return np.full(rows.size, np.inf)
        set_bits(self._bits, to_rows, to_columns, self._place)
        found = search_near(rows, columns, self._bits, self._place, self.spacing)
        is_far = found < 0
        if is_far.any():
            found[is_far] = self._far(rows[is_far], columns[is_far], to_rows, to_columns)
        clear_bits(self._bits, to_rows, to_columns, self._place)
        return np.sqrt(found, out=found)

    def _far(self, rows: Ints, columns: Ints, to_rows: Ints, to_columns: Ints) -> Floats:
        """Squares; a search among blocks as long as it is quicker than to visit every pixel."""
        spacing = np.asarray(self.spacing)
        found = search_far(
            rows, columns, self._bits, self._place,
            find_blocks(to_rows, to_columns, *self.shape), spacing, self._patience,
        )  # fmt: skip
        left = found < 0
        if left.any():
            found[left] = sweep_columns(
                rows[left], columns[left], to_rows, to_columns, self.shape, spacing
            )
        return found


def _first_call() -> None:
    """A point with a near neighbour and one without, so that all loops are compiled."""
    bits, place = room_for((1, 1, 99), near_margins(is_volume=False))
    points, other = np.array([0, 90], np.int32), np.zeros(1, np.int32)
    set_bits(bits, other, other, place)
    search_near(np.zeros(2, np.int32), points, bits, place, (1.0, 1.0, 1.0))
    search_far(other, points[1:], bits, place, find_blocks(other, other, 1, 1, 99), np.ones(3), 99)
    sweep_columns(other, points[1:], other, other, (1, 1, 99), np.ones(3))
    clear_bits(bits, other, other, place)
