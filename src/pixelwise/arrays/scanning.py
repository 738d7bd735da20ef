"""One pass over a label map: rims and runs of all classes at once, whatever their number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled, prepare, trailing_zeros

Labels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]

N_VALUES = 256
_FIRST_CAPACITY = 4096


@dataclass(frozen=True, slots=True)
class Points:
    """Rim pixels by class: row (z * Y + y) and column; class k holds offsets[k]:offsets[k+1]."""

    rows: Ints
    columns: Ints
    offsets: npt.NDArray[np.int64]

    def of_class(self, class_id: int) -> tuple[Ints, Ints]:
        """(rows, columns) of one class, in row-major order."""
        part = slice(self.offsets[class_id], self.offsets[class_id + 1])
        return self.rows[part], self.columns[part]


@dataclass(frozen=True, slots=True)
class Runs:
    """Horizontal runs by class: row, first column, column after the last."""

    rows: Ints
    starts: Ints
    ends: Ints
    offsets: npt.NDArray[np.int64]

    def of_class(self, class_id: int) -> tuple[Ints, Ints, Ints]:
        """(rows, starts, ends) of one class, in row-major order."""
        part = slice(self.offsets[class_id], self.offsets[class_id + 1])
        return self.rows[part], self.starts[part], self.ends[part]


@dataclass(frozen=True, slots=True)
class Scan:
    """What one pass finds in a label map."""

    points: Points
    runs: Runs


def as_volume(labels: Labels) -> Labels:
    """([z,] y, x) as (z, y, x), C-contiguous; an image is one slice, a line one row."""
    shape = (1,) * (3 - labels.ndim) + labels.shape
    return np.ascontiguousarray(labels).reshape(shape)


def scan_labels(labels: Labels, wanted: npt.NDArray[np.bool_]) -> Scan:
    """Rim pixels and runs of every class k with wanted[k] (256 values).

    Shape: labels ([z,] y, x). Rim: pixels with a face neighbour of another value, or at
    the frame. The work does not depend on the number of classes.
    """
    pixel = np.zeros((1, 1, 1), np.uint8)
    prepare("scanning loops", lambda: _scan_all(pixel, np.ones(256, bool), True))
    return _scan_all(as_volume(labels), wanted, labels.ndim == 3)


def _scan_all(volume: Labels, wanted: npt.NDArray[np.bool_], is_volume: bool) -> Scan:
    if volume.size == 0:
        nothing, offsets = np.zeros(0, np.int32), np.zeros(N_VALUES + 1, np.int64)
        return Scan(Points(nothing, nothing, offsets), Runs(nothing, nothing, nothing, offsets))
    points, n_points, runs, n_runs = _scan(volume, wanted, is_volume)
    sorted_points, point_offsets = _sort_by_class(points, n_points)
    sorted_runs, run_offsets = _sort_by_class(runs, n_runs)
    return Scan(
        Points(sorted_points[0], sorted_points[1], point_offsets),
        Runs(sorted_runs[0], sorted_runs[1], sorted_runs[2], run_offsets),
    )


@compiled
def _grow(table: Ints) -> Ints:
    wider = np.empty((table.shape[0], 2 * table.shape[1]), np.int32)
    wider[:, : table.shape[1]] = table
    return wider


@compiled
def _scan(  # noqa: C901, PLR0915 - one fused loop reads every pixel once
    volume: Labels, wanted: npt.NDArray[np.bool_], is_volume: bool
) -> tuple[Ints, int, Ints, int]:
    """Tables (class, row, ...) of rim pixels and runs with the number of their columns in use."""
    depth, height, width = volume.shape
    n_words = (width + 7) // 8
    step = np.zeros(n_words * 8, np.uint8)
    differs = np.zeros(n_words * 8, np.uint8)
    step_words = step.view(np.uint64)
    differs_words = differs.view(np.uint64)
    points = np.empty((3, _FIRST_CAPACITY), np.int32)
    runs = np.empty((4, _FIRST_CAPACITY), np.int32)
    n_points = n_runs = 0
    byte = np.uint64(255)
    for z in range(depth):
        for y in range(height):
            row = volume[z, y]
            r = z * height + y
            step[0] = 1
            for x in range(1, width):
                step[x] = row[x] ^ row[x - 1]
            is_frame = y == 0 or y == height - 1 or (is_volume and (z == 0 or z == depth - 1))
            if is_frame:
                differs[:width] = 1
            else:
                up = volume[z, y - 1]
                down = volume[z, y + 1]
                for x in range(width - 1):
                    differs[x] = step[x] | step[x + 1] | (row[x] ^ up[x]) | (row[x] ^ down[x])
                if is_volume:
                    before = volume[z - 1, y]
                    after = volume[z + 1, y]
                    for x in range(width - 1):
                        differs[x] |= (row[x] ^ before[x]) | (row[x] ^ after[x])
                differs[width - 1] = 1
            if n_points + width > points.shape[1]:
                while n_points + width > points.shape[1]:
                    points = _grow(points)
            if n_runs + width + 1 > runs.shape[1]:
                while n_runs + width + 1 > runs.shape[1]:
                    runs = _grow(runs)
            start: Any = np.int64(0)
            label = row[0]
            for i in range(n_words):
                word = step_words[i]
                while word != np.uint64(0):
                    place = trailing_zeros(word) >> np.uint64(3)
                    word &= ~(byte << (place << np.uint64(3)))
                    at = i * 8 + np.int64(place)
                    if at > start:
                        if wanted[label]:
                            runs[0, n_runs] = label
                            runs[1, n_runs] = r
                            runs[2, n_runs] = start
                            runs[3, n_runs] = at
                            n_runs += 1
                        start = at
                        label = row[at]
                word = differs_words[i]
                while word != np.uint64(0):
                    place = trailing_zeros(word) >> np.uint64(3)
                    word &= ~(byte << (place << np.uint64(3)))
                    at = i * 8 + np.int64(place)
                    if wanted[row[at]]:
                        points[0, n_points] = row[at]
                        points[1, n_points] = r
                        points[2, n_points] = at
                        n_points += 1
            if wanted[label]:
                runs[0, n_runs] = label
                runs[1, n_runs] = r
                runs[2, n_runs] = start
                runs[3, n_runs] = width
                n_runs += 1
    return points, n_points, runs, n_runs


@compiled
def _sort_by_class(table: Ints, n: int) -> tuple[Ints, npt.NDArray[np.int64]]:
    """The rows below the first, stably sorted by the class in the first; offsets by class."""
    offsets = np.zeros(257, np.int64)
    for i in range(n):
        offsets[table[0, i] + 1] += 1
    for k in range(256):
        offsets[k + 1] += offsets[k]
    place = offsets.copy()
    ordered = np.empty((table.shape[0] - 1, n), np.int32)
    for i in range(n):
        k = table[0, i]
        for j in range(1, table.shape[0]):
            ordered[j - 1, place[k]] = table[j, i]
        place[k] += 1
    return ordered, offsets
