"""Rims of objects and the distances between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, spatial


@dataclass(frozen=True, slots=True)
class SurfaceDistances:
    """From every rim pixel of one mask to the nearest rim pixel of the other.

    Both arrays are float64 and unsorted. Where a mask is empty its own array has no
    entry, and the other's entries are infinite.
    """

    truth_to_predicted: npt.NDArray[np.float64]
    predicted_to_truth: npt.NDArray[np.float64]


def rim(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Object pixels with a face neighbour outside the object; beyond the frame is outside."""
    padded = np.pad(mask, 1)
    core = ndimage.binary_erosion(padded)[(slice(1, -1),) * mask.ndim]
    return np.asarray(mask & ~core)


def surface_distances(
    truth: npt.NDArray[np.bool_], predicted: npt.NDArray[np.bool_], spacing: tuple[float, ...]
) -> SurfaceDistances:
    """Distances between the rims of two masks, both directions, in units of spacing."""
    points = [np.argwhere(rim(mask)) * np.asarray(spacing) for mask in (truth, predicted)]
    return SurfaceDistances(_nearest(points[0], points[1]), _nearest(points[1], points[0]))


def _nearest(
    points: npt.NDArray[np.float64], others: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    if len(points) == 0 or len(others) == 0:
        return np.full(len(points), np.inf)
    return np.asarray(spatial.cKDTree(others).query(points)[0])
