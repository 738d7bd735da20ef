"""Outlines on the corner grid, each part with its length: DeepMind's way of measuring rims."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import spatial

from pixelwise.arrays.distances import SurfaceDistances
from pixelwise.core.errors import BadData

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def mesh_distances(truth: Mask, predicted: Mask, spacing: tuple[float, ...]) -> SurfaceDistances:
    """Distances between outlines made of one piece per 2 x 2 window that both sides meet in.

    Shape: truth, predicted (y, x). A piece sits at the corner that its four pixels share
    and weighs its length: half the diagonal where one pixel differs from three, a side
    where two neighbours do, twice a half diagonal where two opposite ones do.
    Raises BadData for volumes. Source: DeepMind's surface-distance (2018), contour lengths.
    """
    if truth.ndim != 2:
        raise BadData(
            f"the mesh of outlines was asked for {truth.ndim} dimensions",
            "two",
            "Use the rims of voxels in volumes (surface=voxels).",
            code="bad-dimensions",
        )
    one, other = (_pieces(mask, spacing) for mask in (truth, predicted))
    return SurfaceDistances(
        _nearest(one[0], other[0]), _nearest(other[0], one[0]), one[1], other[1]
    )


def _pieces(mask: Mask, spacing: tuple[float, ...]) -> tuple[Floats, Floats]:
    """(points, lengths) of the pieces of an outline; beyond the frame is outside."""
    padded = np.pad(mask, 1).astype(np.uint8)
    code = 8 * padded[:-1, :-1] + 4 * padded[:-1, 1:] + 2 * padded[1:, :-1] + padded[1:, 1:]
    where = np.nonzero((code > 0) & (code < 15))
    points = np.stack(where, axis=1) * np.asarray(spacing)
    return points, _lengths(spacing)[code[where]]


def _lengths(spacing: tuple[float, ...]) -> Floats:
    vertical, horizontal = spacing
    half = 0.5 * math.hypot(vertical, horizontal)
    lengths = np.full(16, half)
    lengths[[0, 15]] = 0
    lengths[[0b0011, 0b1100]] = horizontal
    lengths[[0b0101, 0b1010]] = vertical
    lengths[[0b0110, 0b1001]] = 2 * half
    return lengths


def _nearest(points: Floats, others: Floats) -> Floats:
    if len(points) == 0 or len(others) == 0:
        return np.full(len(points), np.inf)
    return np.asarray(spatial.cKDTree(others).query(points)[0])
