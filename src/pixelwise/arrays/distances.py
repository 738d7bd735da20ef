"""Distances between the rims of two masks, both directions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


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
    """A percentile by linear interpolation, by selection instead of sorting."""
    place = (distances.size - 1) * percentile / 100
    low = int(place)
    if low >= distances.size - 1:
        return float(distances.max())
    parted = np.partition(distances, low)
    below, above = float(parted[low]), float(parted[low + 1 :].min())
    return below + (above - below) * (place - low) if above != below else below


def weighted_percentile(distances: Floats, weights: Floats, percentile: float) -> float:
    """The first distance at which the summed weights reach a share, without interpolation.

    Source: DeepMind's surface-distance, compute_robust_hausdorff.
    """
    order = np.argsort(distances, kind="stable")
    shares = np.cumsum(weights[order]) / weights.sum()
    place = int(np.searchsorted(shares, percentile / 100))
    return float(distances[order[min(place, distances.size - 1)]])
