"""Sizes of numbered objects and of the overlaps between two numberings, sparse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
DENSE_LIMIT = 1 << 26
"""Largest table of pairs that is counted directly; beyond, pairs are sorted."""


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
    width, height = int(b.max()) + 1, int(a.max()) + 1
    if int(a.min()) >= 0 and int(b.min()) >= 0 and width * height <= DENSE_LIMIT:
        joint: npt.NDArray[np.int64] = a.astype(np.int64)
        joint *= width
        joint += b.astype(np.int64, copy=False)
        counts = np.bincount(joint)
        found = np.flatnonzero(counts)
        return found // width, found % width, counts[found].astype(np.int64)
    ids_a, index_a = np.unique(a, return_inverse=True)
    ids_b, index_b = np.unique(b, return_inverse=True)
    pairs, counts = np.unique(index_a * np.int64(ids_b.size) + index_b, return_counts=True)
    rows, columns = ids_a[pairs // ids_b.size], ids_b[pairs % ids_b.size]
    return rows.astype(np.int64), columns.astype(np.int64), counts.astype(np.int64)


def _without_zero(ids: Ints, index: Ints) -> Ints:
    """Indices after the entry of 0 is taken out; -1 for it."""
    return np.asarray(index - (1 if ids.size and ids[0] == 0 else 0), dtype=np.int64)
