"""Outlines on the corner grid, each piece with its length or area: DeepMind's way of measuring."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
import numpy.typing as npt

from pixelwise.core.errors import BadData

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Corner = tuple[int, int, int]
Vector = tuple[float, float, float]

_CORNERS: tuple[Corner, ...] = tuple((z, y, x) for z, y, x in itertools.product((0, 1), repeat=3))


def mesh_pieces(mask: Mask, spacing: tuple[float, ...]) -> tuple[Ints, Floats]:
    """(places, weights): one piece wherever the pixels around a corner of the grid differ.

    Shape: mask ([z,] y, x); places (n, dimensions) on the grid of corners, in row-major
    order; beyond the frame is outside. Weights in units of spacing: lengths in 2D, areas of
    the marching-cubes surface between the centres of 2 x 2 x 2 voxels in 3D.
    Raises BadData for other dimensions. Source: DeepMind's surface-distance (Nikolov 2018).
    """
    if mask.ndim not in (2, 3):
        raise BadData(
            f"the mesh of outlines was asked for in {mask.ndim} dimensions", "two or three",
            'Use the rims of pixels (surface="voxels").', code="bad-dimensions",
        )  # fmt: skip
    codes = _neighbour_codes(mask)
    weights = piece_weights(tuple(float(step) for step in spacing))
    where = np.nonzero((codes > 0) & (codes < weights.size - 1))
    return np.stack(where, axis=1).astype(np.int64), weights[codes[where]]


@functools.lru_cache(maxsize=16)
def piece_weights(spacing: tuple[float, ...]) -> Floats:
    """Length (16 codes) or area (256 codes) of a piece by its neighbour code.

    The first pixel of a code in reading order is its highest bit.
    """
    return _lengths(spacing) if len(spacing) == 2 else _areas(spacing)


def _neighbour_codes(mask: Mask) -> npt.NDArray[np.uint8]:
    padded = np.pad(mask, 1).view(np.uint8)
    codes = np.zeros([n + 1 for n in mask.shape], np.uint8)
    for corner in itertools.product((0, 1), repeat=mask.ndim):
        codes <<= np.uint8(1)
        part = tuple(slice(c, c + n + 1) for c, n in zip(corner, mask.shape))
        codes |= padded[part]
    return codes


def _lengths(spacing: tuple[float, ...]) -> Floats:
    """Half a diagonal where one pixel differs from three, a side where two neighbours do."""
    vertical, horizontal = spacing
    half = 0.5 * math.hypot(vertical, horizontal)
    lengths = np.full(16, half)
    lengths[[0, 15]] = 0
    lengths[[0b0011, 0b1100]] = horizontal
    lengths[[0b0101, 0b1010]] = vertical
    lengths[[0b0110, 0b1001]] = 2 * half
    return lengths


def _areas(spacing: tuple[float, ...]) -> Floats:
    """Areas of triangles with these vectors; an axis is scaled by the spacing of the others."""
    scale = (spacing[1] * spacing[2], spacing[0] * spacing[2], spacing[0] * spacing[1])
    areas = np.zeros(256)
    for code in range(256):
        inside = [c for i, c in enumerate(_CORNERS) if code >> (7 - i) & 1]
        if len(inside) > 4:
            inside = [c for c in _CORNERS if c not in inside]
        areas[code] = sum(
            math.hypot(*(part * s for part, s in zip(vector, scale)))
            for part_of in _parts(inside)
            for vector in _caps(part_of)
        )
    return areas


def _parts(corners: list[Corner]) -> list[list[Corner]]:
    """Corners of a cube in groups that its edges connect: each is cut off on its own."""
    left, groups = list(corners), []
    while left:
        group = [left.pop()]
        for corner in group:
            near = [c for c in left if _n_differences(c, corner) == 1]
            group += near
            left = [c for c in left if c not in near]
        groups.append(group)
    return groups


def _caps(group: list[Corner]) -> list[Vector]:
    """Vectors (area times normal, signs left out) of the surface that cuts a group off.

    Its vertices are the middles of the cube's edges. One corner: a triangle. Two: a
    rectangle. Three: a pentagon, not flat, so its triangles count. Four: the square between
    two faces, the hexagon around a corner, or the bent hexagon along a path of three axes.
    """
    edges = [(a, b) for a, b in itertools.combinations(group, 2) if _n_differences(a, b) == 1]
    axes = [next(i for i in range(3) if a[i] != b[i]) for a, b in edges]
    triangle: Vector = (0.125, 0.125, 0.125)
    if len(group) == 1:
        return [triangle]
    if len(group) == 2:
        return [_along(0.5, {0, 1, 2} - set(axes))]
    if len(group) == 3:
        return [_along(0.5, {0, 1, 2} - set(axes)), (0.25, 0.25, 0.25), triangle]
    if len(edges) == 4:
        return [_along(1.0, {0, 1, 2} - set(axes))]
    middle = _middle_axis(edges, axes)
    if middle is None:
        return [(0.75, 0.75, 0.75)]
    bends = [_along(0.25, {middle, axis}) for axis in range(3) if axis != middle]
    return [(0.5, 0.5, 0.5), *bends]


def _middle_axis(edges: list[tuple[Corner, Corner]], axes: list[int]) -> int | None:
    """The axis of the edge in the middle of a path of four; None for a corner with three arms."""
    for edge, axis in zip(edges, axes):
        if all(any(end in other for other in edges if other != edge) for end in edge):
            return axis
    return None


def _along(value: float, axes: set[int]) -> Vector:
    return (
        value if 0 in axes else 0.0,
        value if 1 in axes else 0.0,
        value if 2 in axes else 0.0,
    )


def _n_differences(a: Corner, b: Corner) -> int:
    return sum(x != y for x, y in zip(a, b))
