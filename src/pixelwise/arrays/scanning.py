"""One pass over a label map: rims and runs of all classes at once, whatever their number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled, load_word, prepare, trailing_zeros

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


def as_volume(labels: Labels) -> Labels:
    """([z,] y, x) as (z, y, x), C-contiguous; an image is one slice, a line one row."""
    shape = (1,) * (3 - labels.ndim) + labels.shape
    return np.ascontiguousarray(labels).reshape(shape)


def scan_points(labels: Labels, wanted: npt.NDArray[np.bool_]) -> Points:
    """Rim pixels of every class k with wanted[k] (256 values).

    Shape: labels ([z,] y, x). Rim: pixels with a face neighbour of another value, or at
    the frame. The work does not depend on the number of classes; background that is not
    wanted is passed over eight pixels at a time.
    """
    prepare("scanning loops", _first_call)
    volume = as_volume(labels)
    if volume.size == 0:
        nothing = np.zeros(0, np.int32)
        return Points(nothing, nothing, np.zeros(N_VALUES + 1, np.int64))
    table, n = _scan_points(volume, wanted, labels.ndim == 3)
    ordered, offsets = _by_class(table, n, wanted)
    return Points(ordered[0], ordered[1], offsets)


def scan_runs(labels: Labels, wanted: npt.NDArray[np.bool_]) -> Runs:
    """Horizontal runs of every class k with wanted[k] (256 values). Shape: labels ([z,] y, x)."""
    prepare("scanning loops", _first_call)
    volume = as_volume(labels)
    if volume.size == 0:
        nothing = np.zeros(0, np.int32)
        return Runs(nothing, nothing, nothing, np.zeros(N_VALUES + 1, np.int64))
    table, n = _scan_runs(volume, wanted)
    ordered, offsets = _by_class(table, n, wanted)
    return Runs(ordered[0], ordered[1], ordered[2], offsets)


def _first_call() -> None:
    pixel, every = np.zeros((1, 1, 1), np.uint8), np.ones(N_VALUES, bool)
    _sort_by_class(*_scan_points(pixel, every, True))
    _sort_by_class(*_scan_runs(pixel, every))


def _by_class(
    table: Ints, n: int, wanted: npt.NDArray[np.bool_]
) -> tuple[Ints, npt.NDArray[np.int64]]:
    classes = np.flatnonzero(wanted)
    if classes.size != 1:
        return _sort_by_class(table, n)
    offsets = np.zeros(N_VALUES + 1, np.int64)
    offsets[classes[0] + 1 :] = n
    return table[1:, :n], offsets


@compiled
def _grow(table: Ints, room: int) -> Ints:
    """The table with twice the columns, and at least `room`."""
    wider = np.empty((table.shape[0], max(2 * table.shape[1], room)), np.int32)
    wider[:, : table.shape[1]] = table
    return wider


@compiled
def _skip_zeros(flat: Labels, place: int, stop: int) -> int:
    """The first place, in steps of eight from `place` on, behind which a byte is not 0."""
    nothing = np.uint64(0)
    while place + 8 <= stop:
        if load_word(flat, place) != nothing:
            return place
        place += 8
        while place + 32 <= stop and (
            load_word(flat, place) | load_word(flat, place + 8)
            | load_word(flat, place + 16) | load_word(flat, place + 24)
        ) == nothing:  # fmt: skip
            place += 32
    return place


@compiled
def _flags(word: np.uint64) -> np.uint64:
    """The lowest bit of every byte that is not 0."""
    seven = np.uint64(0x7F7F7F7F7F7F7F7F)
    return ((((word & seven) + seven) | word) >> np.uint64(7)) & np.uint64(0x0101010101010101)


@compiled
def _mark_rim(flat: Labels, start: int, stop: int, row: int, plane: int, rim: Labels) -> None:
    """Bytes that are not 0 where a pixel of a row differs from a face neighbour.

    row, plane: bytes to the next row and to the next slice (0 in images). Written so that
    the compiler takes many pixels at a time.
    """
    here = flat[start:stop]
    west, east = flat[start - 1 : stop - 1], flat[start + 1 : stop + 1]
    north, south = flat[start - row : stop - row], flat[start + row : stop + row]
    if plane == 0:
        for k in range(here.size):
            rim[k] = (
                (here[k] ^ west[k]) | (here[k] ^ east[k])
                | (here[k] ^ north[k]) | (here[k] ^ south[k])
            )  # fmt: skip
    else:
        before, after = flat[start - plane : stop - plane], flat[start + plane : stop + plane]
        for k in range(here.size):
            rim[k] = (
                (here[k] ^ west[k]) | (here[k] ^ east[k])
                | (here[k] ^ north[k]) | (here[k] ^ south[k])
                | (here[k] ^ before[k]) | (here[k] ^ after[k])
            )  # fmt: skip


@compiled
def _scan_points(  # noqa: C901 - one loop reads every pixel once
    volume: Labels, wanted: npt.NDArray[np.bool_], is_volume: bool
) -> tuple[Ints, int]:
    """Table (class, row, column) of rim pixels, and how many of its columns are in use."""
    depth, height, width = volume.shape
    flat = volume.reshape(-1)
    plane = height * width if is_volume else 0
    points = np.empty((3, _FIRST_CAPACITY), np.int32)
    n = 0
    rim = np.zeros(width + 8, np.uint8)
    skips_zeros = not wanted[0]
    for r in range(depth * height):
        start = r * width
        stop = start + width
        first = _skip_zeros(flat, start, stop) if skips_zeros else start
        if first == stop:
            continue
        if n + width > points.shape[1]:
            points = _grow(points, n + width)
        y = r % height
        if y == 0 or y == height - 1 or (is_volume and not 0 < r // height < depth - 1):
            rim[: stop - first] = 1
        else:
            _mark_rim(flat, first, stop, width, plane, rim)
            if first == start:
                rim[0] = 1
            rim[stop - 1 - first] = 1
        rim[stop - first : stop - first + 8] = 0
        for k in range(0, stop - first, 8):
            word = load_word(rim, k)
            if word == np.uint64(0):
                continue
            flags = _flags(word)
            if skips_zeros and first + k + 8 <= stop:
                flags &= _flags(load_word(flat, first + k))
            while flags != np.uint64(0):
                at = first + k + np.int64(trailing_zeros(flags) >> np.uint64(3))
                flags &= flags - np.uint64(1)
                label = flat[at]
                if wanted[label]:
                    points[0, n], points[1, n], points[2, n] = label, r, at - start
                    n += 1
    return points, n


@compiled
def _scan_runs(volume: Labels, wanted: npt.NDArray[np.bool_]) -> tuple[Ints, int]:
    """Table (class, row, first column, column after the last) of runs, and how many."""
    depth, height, width = volume.shape
    flat = volume.reshape(-1)
    runs = np.empty((4, _FIRST_CAPACITY), np.int32)
    n = 0
    for r in range(depth * height):
        start = r * width
        stop = start + width
        if n + width + 1 > runs.shape[1]:
            runs = _grow(runs, n + width + 1)
        first = start
        label = flat[start]
        place = start + 1
        while place < stop:
            if label == 0:
                place = _skip_zeros(flat, place, stop)
            wide = 8 if place + 8 <= stop else 1
            word = np.uint64(0)
            if wide == 8:
                word = load_word(flat, place) ^ load_word(flat, place - 1)
            elif place < stop:
                word = np.uint64(flat[place] != flat[place - 1])
            flags = _flags(word)
            while flags != np.uint64(0):
                at = place + np.int64(trailing_zeros(flags) >> np.uint64(3))
                flags &= flags - np.uint64(1)
                if wanted[label]:
                    runs[0, n], runs[1, n] = label, r
                    runs[2, n], runs[3, n] = first - start, at - start
                    n += 1
                first = at
                label = flat[at]
            place += wide
        if wanted[label]:
            runs[0, n], runs[1, n], runs[2, n], runs[3, n] = label, r, first - start, width
            n += 1
    return runs, n


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
