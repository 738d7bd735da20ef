"""Distances between the rims of two masks, both directions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled, prepare

Floats = npt.NDArray[np.float64]

MANY = 2048
"""Fewer values than this are selected by NumPy."""

N_BUCKETS = 1024


@dataclass(frozen=True, slots=True)
class SurfaceDistances:
    """From every rim pixel of one mask to the nearest rim pixel of the other.

    Unsorted, in units of spacing. An empty mask has no entries; then the other's are
    infinite. Weights are the length or area that an entry stands for, None if all are alike.
    """

    truth_to_predicted: Floats
    predicted_to_truth: Floats
    truth_weights: Floats | None = None
    predicted_weights: Floats | None = None

    @property
    def n_empty(self) -> int:
        """How many of the two masks are empty."""
        return (self.truth_to_predicted.size == 0) + (self.predicted_to_truth.size == 0)


def percentile_of(distances: Floats, percentile: float) -> float:
    """A percentile by linear interpolation, by counting and selection instead of sorting."""
    place = (distances.size - 1) * percentile / 100
    low = int(place)
    if low >= distances.size - 1:
        return float(distances.max())
    if distances.size < MANY or not np.isfinite(distances[0]):
        parted = np.partition(distances, low)
        below, above = float(parted[low]), float(parted[low + 1 :].min())
    else:
        prepare("selection loops", lambda: _two_of_rank(np.arange(4.0), 1))
        below, above = _two_of_rank(distances, low)
    return below + (above - below) * (place - low) if above != below else below


def weighted_percentile(distances: Floats, weights: Floats, percentile: float) -> float:
    """The first distance at which the summed weights reach a share, without interpolation.

    Source: DeepMind's surface-distance, compute_robust_hausdorff.
    """
    order = np.argsort(distances, kind="stable")
    shares = np.cumsum(weights[order]) / weights.sum()
    place = int(np.searchsorted(shares, percentile / 100))
    return float(distances[order[min(place, distances.size - 1)]])


@compiled
def _two_of_rank(values: Floats, low: int) -> tuple[float, float]:
    """The values of rank low and low + 1, from 0; finite values.

    One pass counts them in buckets, a second one takes out the bucket that matters.
    """
    smallest, largest = values.min(), values.max()
    if smallest == largest:
        return smallest, largest
    scale = (N_BUCKETS - 1) / (largest - smallest)
    counts = np.zeros(N_BUCKETS, np.int64)
    for i in range(values.size):
        counts[int((values[i] - smallest) * scale)] += 1
    bucket = 0
    before = 0
    while before + counts[bucket] <= low:
        before += counts[bucket]
        bucket += 1
    inside = np.empty(counts[bucket], np.float64)
    n = 0
    above = largest
    for i in range(values.size):
        place = int((values[i] - smallest) * scale)
        if place == bucket:
            inside[n] = values[i]
            n += 1
        elif place > bucket and values[i] < above:
            above = values[i]
    if inside.min() == inside.max():
        below = inside[0]
        return below, below if low + 1 < before + n else above
    ordered = np.sort(inside)
    below = ordered[low - before]
    return below, ordered[low - before + 1] if low + 1 < before + n else above
