"""How large the boundary is that two classes share: lengths in pictures, areas in volumes."""

from __future__ import annotations

import itertools
import math
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.spatial import SphericalVoronoi

from pixelwise.arrays.counting import count_pairs
from pixelwise.core.case import IGNORE

Estimator = Literal["crofton", "faces"]
Offset = tuple[int, ...]

_LIMIT = 254
"""Class ids leave room for what lies beyond the rim and for void."""


def contact_areas(
    labels: npt.NDArray[np.integer],
    n_classes: int,
    spacing: tuple[float, ...] | None = None,
    *,
    estimator: Estimator = "crofton",
) -> npt.NDArray[np.float64]:
    """Boundary shared by every two classes, symmetric (k + 1, k + 1), the diagonal 0.

    Shape: labels ([z,] y, x) ids 0..k-1, 255 = void; the last row and column stand for void
    and for what lies beyond the rim of the array. A row's sum is the whole surface of a class.
    Units: lengths (2D) in that of spacing, areas (3D) in its square; None: pixels.
    estimator: "faces" adds up sides of pixels: exact for boxes along the axes, too large
    elsewhere (4/pi for discs, 3/2 for balls). "crofton" counts crossings of lines in 4 (2D)
    or 13 (3D) directions: within 3 % for smooth closed surfaces, up to 8 % too small for
    planes along an axis, and more where two classes touch over a few pixels only.
    Classes that share no side of a pixel have 0 in both.
    Source: Crofton's formula with Voronoi weights of the directions, Lehmann and Legland,
    Insight Journal 2012; here for any spacing.
    """
    if n_classes > _LIMIT:
        raise ValueError(f"{n_classes} classes: at most {_LIMIT}")
    steps = (1.0,) * labels.ndim if spacing is None else spacing
    framed = np.full([n + 2 for n in labels.shape], n_classes, np.uint8)
    inner = np.where(labels == IGNORE, n_classes, labels).astype(np.uint8)
    framed[tuple(slice(1, -1) for _ in labels.shape)] = inner
    size = math.prod(steps)
    faces = np.zeros((n_classes + 1, n_classes + 1))
    total = np.zeros_like(faces)
    for offset, share in _weights(steps).items():
        length = math.hypot(*(o * s for o, s in zip(offset, steps, strict=True)))
        crossings = _crossings(framed, offset, n_classes + 1) * (size / length)
        if sum(map(abs, offset)) == 1:
            faces += crossings
        total += share * crossings
    if estimator == "faces":
        return faces
    factor = math.pi / 2 if labels.ndim == 2 else 2.0
    return np.where(faces > 0, factor * total, 0.0)


def surface_size(
    mask: npt.NDArray[np.bool_],
    spacing: tuple[float, ...] | None = None,
    *,
    estimator: Estimator = "crofton",
) -> float:
    """Length of the outline (2D) or area of the surface (3D) of one mask; empty -> 0.

    The rim of the array counts as outside. Units and estimator as for contact_areas.
    """
    where = np.argwhere(mask)
    if not len(where):
        return 0.0
    box = tuple(slice(a, b + 1) for a, b in zip(where.min(0), where.max(0), strict=True))
    return float(
        contact_areas(mask[box].astype(np.uint8), 2, spacing, estimator=estimator)[1].sum()
    )


def _crossings(
    labels: npt.NDArray[np.uint8], offset: Offset, n_classes: int
) -> npt.NDArray[np.float64]:
    """How often a neighbour in one direction has another class, symmetric (k, k)."""
    ahead = tuple(
        slice(max(o, 0), n + min(o, 0)) for o, n in zip(offset, labels.shape, strict=True)
    )
    behind = tuple(
        slice(max(-o, 0), n + min(-o, 0)) for o, n in zip(offset, labels.shape, strict=True)
    )
    one, other = labels[behind], labels[ahead]
    differs = one != other
    counts = count_pairs(one[differs], other[differs], n_classes).astype(np.float64)
    return counts + counts.T


def _weights(steps: tuple[float, ...]) -> dict[Offset, float]:
    """Each direction of the lattice with its share of all directions, sum 1."""
    offsets = [o for o in itertools.product((-1, 0, 1), repeat=len(steps)) if o > (0,) * len(steps)]
    vectors = np.array(offsets, np.float64) * np.array(steps, np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    if len(steps) == 3:
        areas = SphericalVoronoi(np.vstack([vectors, -vectors])).calculate_areas()
        shares = areas[: len(offsets)] / (2 * math.pi)
        return dict(zip(offsets, shares.tolist(), strict=True))
    angles = np.arctan2(vectors[:, 0], vectors[:, 1]) % math.pi
    order = np.argsort(angles)
    gaps = np.diff(np.append(angles[order], angles[order[0]] + math.pi))
    shares = np.zeros(len(offsets))
    shares[order] = (gaps + np.roll(gaps, 1)) / (2 * math.pi)
    return dict(zip(offsets, shares.tolist(), strict=True))
