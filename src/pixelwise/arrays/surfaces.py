"""Which places stand for a surface: rims by connectivity and frame, whole regions, corners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage, spatial

from pixelwise.arrays.distances import SurfaceDistances
from pixelwise.arrays.mesh_surfaces import mesh_pieces
from pixelwise.arrays.nearest import PointSet

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SurfaceKind = Literal["voxels", "mesh", "region"]
RimConnectivity = Literal["face", "edge", "full"]
Norm = Literal["euclidean", "chessboard", "taxicab"]

_RANKS = {"face": 1, "edge": 2, "full": 3}


@dataclass(frozen=True, slots=True)
class SurfaceRule:
    """What counts as surface, and how far apart two places are.

    kind: "voxels" are the rim pixels of the object, "mesh" outlines on the corner grid that
    weigh their length or area, "region" all its pixels. connectivity: a rim pixel has a
    neighbour outside by a "face", by a face or an "edge" (3D), or by a corner as well
    ("full"). frame_is_outside: beyond the frame counts as outside. norm: "chessboard" and
    "taxicab" count steps between pixels and leave the spacing out.
    """

    kind: SurfaceKind = "voxels"
    connectivity: RimConnectivity = "face"
    frame_is_outside: bool = True
    norm: Norm = "euclidean"


def rim(mask: Mask, connectivity: RimConnectivity = "face", frame_is_outside: bool = True) -> Mask:
    """Object pixels with a neighbour outside. Shape: mask ([z,] y, x)."""
    near = ndimage.generate_binary_structure(mask.ndim, min(_RANKS[connectivity], mask.ndim))
    inner = ndimage.binary_erosion(mask, near, border_value=0 if frame_is_outside else 1)
    return np.asarray(mask & ~inner)


def surface_distances(
    truth: Mask, predicted: Mask, spacing: tuple[float, ...], rule: SurfaceRule
) -> SurfaceDistances:
    """Distances between two surfaces, both directions, in units of spacing (or in steps).

    Shape: truth, predicted ([z,] y, x) on one grid. An empty surface has no entries; then
    the other's distances are infinite.
    """
    sides = [_places(mask, spacing, rule) for mask in (truth, predicted)]
    (one, one_weights), (other, other_weights) = sides
    grid = tuple(n + 1 for n in truth.shape) if rule.kind == "mesh" else truth.shape
    return SurfaceDistances(
        nearest_distances(one, other, grid, spacing, rule.norm),
        nearest_distances(other, one, grid, spacing, rule.norm),
        one_weights,
        other_weights,
    )


def _places(
    mask: Mask, spacing: tuple[float, ...], rule: SurfaceRule
) -> tuple[Ints, Floats | None]:
    if rule.kind == "mesh":
        return mesh_pieces(mask, spacing)
    where = mask if rule.kind == "region" else rim(mask, rule.connectivity, rule.frame_is_outside)
    return np.argwhere(where), None


def nearest_distances(
    points: Ints,
    others: Ints,
    shape: tuple[int, ...],
    spacing: tuple[float, ...],
    norm: Norm = "euclidean",
) -> Floats:
    """From every grid point to the nearest of the others; infinite if there are none.

    Shape: points, others (n, dimensions) in row-major order, within `shape`.
    """
    if len(points) == 0 or len(others) == 0:
        return np.full(len(points), np.inf)
    if norm != "euclidean":
        power = np.inf if norm == "chessboard" else 1
        return np.asarray(spatial.cKDTree(others).query(points, p=power)[0], dtype=np.float64)
    grid = (1, 1, *shape)[-3:]
    steps = (1.0, 1.0, *spacing)[-3:]
    rows = [_rows_and_columns(p, grid[1]) for p in (points, others)]
    return PointSet((grid[0], grid[1], grid[2]), (steps[0], steps[1], steps[2])).distances(
        *rows[0], *rows[1]
    )


def _rows_and_columns(
    points: Ints, height: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    rows = np.zeros(len(points), np.int64)
    if points.shape[1] > 1:
        rows = points[:, -2] + (points[:, -3] * height if points.shape[1] == 3 else 0)
    return rows.astype(np.int32), points[:, -1].astype(np.int32)
