"""Nearest neighbours of very many far points: exact distances of one column plane at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


@compiled
def sweep_columns(  # noqa: C901 - a compiled loop
    rows: Ints, columns: Ints, to_rows: Ints, to_columns: Ints, shape: tuple[int, int, int],
    spacing: Floats,
) -> Floats:  # fmt: skip
    """Squared distance from each point to the nearest of the second set, which is not empty.

    Points in row-major order: row (z * Y + y) and column. A distance transform by lower
    envelopes of parabolas (Felzenszwalb and Huttenlocher 2012) that holds one plane (z, y)
    instead of the grid, and is made only for columns that are asked about.
    """
    depth, height, width = shape
    squares = spacing * spacing
    by_column, starts = _by_column(columns, width)
    first = np.zeros(depth * height + 1, np.int64)
    for i in range(to_rows.size):
        first[to_rows[i] + 1] += 1
    for r in range(depth * height):
        first[r + 1] += first[r]
    here = first[:-1].copy()
    along_y = np.empty((depth, height), np.float64)
    plane = np.empty((depth, height), np.float64)
    has_points = np.zeros(depth, np.bool_)
    for i in range(to_rows.size):
        has_points[to_rows[i] // height] = True
    vertex = np.empty(max(depth, height), np.int64)
    border = np.empty(max(depth, height) + 1, np.float64)
    found = np.empty(rows.size, np.float64)
    for x in range(width):
        if starts[x] == starts[x + 1]:
            continue
        for z in range(depth):
            if has_points[z]:
                for y in range(height):
                    along_y[z, y] = _row_square(
                        to_columns, here, first, z * height + y, x, squares[2]
                    )
                _envelope(along_y[z], plane[z], squares[1], vertex, border)
            else:
                plane[z, :] = np.inf
        if depth > 1:
            for y in range(height):
                _envelope(plane[:, y], along_y[:, y], squares[0], vertex, border)
            plane, along_y = along_y, plane
        for k in range(starts[x], starts[x + 1]):
            i = by_column[k]
            found[i] = plane[rows[i] // height, rows[i] % height]
    return found


@compiled
def _by_column(columns: Ints, width: int) -> tuple[Ints, npt.NDArray[np.int64]]:
    """Indices of points ordered by column, and where each column begins."""
    starts = np.zeros(width + 1, np.int64)
    for i in range(columns.size):
        starts[columns[i] + 1] += 1
    for x in range(width):
        starts[x + 1] += starts[x]
    place = starts.copy()
    ordered = np.empty(columns.size, np.int32)
    for i in range(columns.size):
        ordered[place[columns[i]]] = i
        place[columns[i]] += 1
    return ordered, starts


@compiled
def _row_square(to_columns: Ints, here: Any, first: Any, row: int, x: int, square: float) -> float:
    """Squared distance from column x to the nearest point of a row; `here` only moves on."""
    at = here[row]
    end = first[row + 1]
    while at < end and to_columns[at] < x:
        at += 1
    here[row] = at
    nearest = np.inf
    if at < end:
        nearest = float(to_columns[at] - x)
    if at > first[row]:
        nearest = min(nearest, float(x - to_columns[at - 1]))
    return nearest * nearest * square


@compiled
def _envelope(values: Floats, out: Floats, square: float, vertex: Any, border: Floats) -> None:
    """out[q] = min over p of values[p] + (q - p)² square; infinite values take no part."""
    n = 0
    for q in range(values.size):
        if values[q] == np.inf:
            continue
        crossing = -np.inf
        while n > 0:
            p = vertex[n - 1]
            crossing = (values[q] - values[p]) / (2 * square * (q - p)) + (q + p) / 2
            if crossing > border[n - 1]:
                break
            n -= 1
        border[n] = -np.inf if n == 0 else crossing
        vertex[n] = q
        n += 1
    if n == 0:
        out[:] = np.inf
        return
    border[n] = np.inf
    k = 0
    for q in range(values.size):
        while border[k + 1] < q:
            k += 1
        p = vertex[k]
        out[q] = values[p] + (q - p) * (q - p) * square
