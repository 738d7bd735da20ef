"""Sizes of numbered objects and of the overlaps between two numberings, sparse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled, prepare

Ints = npt.NDArray[np.int64]
DENSE_LIMIT = 1 << 22
"""Largest table of pairs that is counted directly; beyond, runs of pairs are sorted."""

GAPS_LIMIT = 1 << 31
"""Numbers from here on, and negative ones, are replaced before they are counted."""


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Pairs of objects that share pixels: their indices, pixels in common, and IoU."""

    truth_sizes: Ints
    predicted_sizes: Ints
    truth_index: Ints
    predicted_index: Ints
    shared: Ints
    iou: npt.NDArray[np.float64]


def overlap_objects(truth: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> Overlaps:
    """Overlaps of two numberings of objects, 0 = no object, any gaps between the numbers."""
    rows, columns, counts = joint_counts(truth, predicted)
    truth_ids, truth_index = np.unique(rows, return_inverse=True)
    predicted_ids, predicted_index = np.unique(columns, return_inverse=True)
    truth_sizes = np.bincount(truth_index, counts, minlength=truth_ids.size).astype(np.int64)
    predicted_sizes = np.bincount(predicted_index, counts, minlength=predicted_ids.size)
    predicted_sizes = predicted_sizes.astype(np.int64)
    is_pair = (rows > 0) & (columns > 0)
    t, p = _without_zero(truth_ids, truth_index), _without_zero(predicted_ids, predicted_index)
    t, p, shared = t[is_pair], p[is_pair], counts[is_pair]
    truth_sizes, predicted_sizes = truth_sizes[truth_ids > 0], predicted_sizes[predicted_ids > 0]
    return Overlaps(
        truth_sizes, predicted_sizes, t, p, shared,
        shared / (truth_sizes[t] + predicted_sizes[p] - shared),
    )  # fmt: skip


def joint_counts(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> tuple[Ints, Ints, Ints]:
    """(values of one, values of the other, pixels) for every combination that occurs."""
    a, b = one.reshape(-1), other.reshape(-1)
    if a.size == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, nothing
    if a.dtype.kind == "b" or b.dtype.kind == "b":
        a, b = a.astype(np.uint8), b.astype(np.uint8)
    (ids_a, a), (ids_b, b) = _as_numbers(a), _as_numbers(b)
    width, height = int(b.max()) + 1, int(a.max()) + 1
    tiny = np.zeros(1, np.int32)
    prepare("overlap loops", lambda: (_count_pairs(tiny, tiny, 1, 1), _pair_runs(tiny, tiny)))
    if width * height <= DENSE_LIMIT:
        table = _count_pairs(a, b, height, width)
        pairs = np.flatnonzero(table)
        counts = table[pairs]
    else:
        first, second, lengths = _pair_runs(a, b)
        pairs, place = np.unique(first * width + second, return_inverse=True)
        counts = np.bincount(place, lengths).astype(np.int64)
    rows, columns = pairs // width, pairs % width
    first_ids = rows if ids_a is None else ids_a[rows]
    second_ids = columns if ids_b is None else ids_b[columns]
    return first_ids, second_ids, counts


def _as_numbers(values: npt.NDArray[Any]) -> tuple[Ints | None, npt.NDArray[np.int32]]:
    """(what the numbers stand for, numbers from 0 on); None: they stand for themselves."""
    low, high = int(values.min()), int(values.max())
    if low >= 0 and high < GAPS_LIMIT:
        return None, np.ascontiguousarray(values).astype(np.int32, copy=False)
    ids, index = np.unique(values, return_inverse=True)
    return ids.astype(np.int64), index.astype(np.int32)


@compiled
def _count_pairs(
    one: npt.NDArray[np.int32], other: npt.NDArray[np.int32], height: int, width: int
) -> Ints:
    """How often each pair of values occurs, run by run. Shape: (pairs,)"""
    counts = np.zeros(height * width, np.int64)
    start = 0
    for i in range(1, one.size):
        if one[i] != one[start] or other[i] != other[start]:
            counts[np.int64(one[start]) * width + other[start]] += i - start
            start = i
    counts[np.int64(one[start]) * width + other[start]] += one.size - start
    return counts


@compiled
def _pair_runs(one: npt.NDArray[np.int32], other: npt.NDArray[np.int32]) -> tuple[Ints, Ints, Ints]:
    """(values of one, values of the other, lengths) of the runs of equal pairs."""
    n = 1
    for i in range(1, one.size):
        n += one[i] != one[i - 1] or other[i] != other[i - 1]
    runs = np.empty((3, n), np.int64)
    n = -1
    for i in range(one.size):
        if i == 0 or one[i] != one[i - 1] or other[i] != other[i - 1]:
            n += 1
            runs[0, n], runs[1, n], runs[2, n] = one[i], other[i], 0
        runs[2, n] += 1
    return runs[0], runs[1], runs[2]


def _without_zero(ids: Ints, index: Ints) -> Ints:
    """Indices after the entry of 0 is taken out; -1 for it."""
    return np.asarray(index - (1 if ids.size and ids[0] == 0 else 0), dtype=np.int64)
