"""How many objects of each class a label map holds, how large and how thin they are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

_ROUND = {2: math.pi / 4, 3: 2 / 3}
"""Faces between pixels overstate the length of a boundary of all directions by the inverse of
this (the mean of |cos| + |sin|, or of |x| + |y| + |z| over the sphere)."""

MOST_SIZES = 512
"""Sizes of so many objects of a class are kept, evenly over all of them by size."""


@dataclass(frozen=True, slots=True)
class ClassObjects:
    """The objects of one class in one case; pixels and voxels are both called pixels.

    sizes: of each object, sorted, at most MOST_SIZES of them. thickness: twice the area by the
    length of the boundary, in pixels: the radius of a disc, the width of a long line.
    centre, spread: mean and standard deviation of its places as a share of each axis.
    """

    class_id: int
    n_pixels: int
    n_objects: int
    sizes: tuple[int, ...]
    thickness: float
    centre: tuple[float, ...]
    spread: tuple[float, ...]


def measure_classes(masks: dict[int, npt.NDArray[np.bool_]]) -> tuple[ClassObjects, ...]:
    """Objects of each class; touching diagonally counts as connected. Empty classes are left out.

    Shape: each mask ([z,] y, x).
    """
    found = []
    for class_id, mask in masks.items():
        if mask.any():
            found.append(_measure(class_id, mask))
    return tuple(found)


def _measure(class_id: int, mask: npt.NDArray[np.bool_]) -> ClassObjects:
    n_pixels = int(mask.sum())
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    inside = mask[box]
    numbered, n_objects = ndimage.label(inside, np.ones((3,) * mask.ndim))
    sizes = np.sort(np.bincount(numbered.ravel(), minlength=1)[1:])
    if len(sizes) > MOST_SIZES:
        sizes = sizes[np.linspace(0, len(sizes) - 1, MOST_SIZES).astype(int)]
    n_faces = sum(
        int((inside.take(range(1, n), axis) != inside.take(range(n - 1), axis)).sum())
        + int(inside.take(0, axis).sum())
        + int(inside.take(-1, axis).sum())
        for axis, n in enumerate(inside.shape)
    )
    boundary = max(n_faces, 1) * _ROUND[mask.ndim]
    centre, spread = [], []
    for axis, part in enumerate(box):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        weights = inside.sum(axis=others) / n_pixels
        places = (np.arange(part.start, part.stop) + 0.5) / mask.shape[axis]
        mean = float(weights @ places)
        centre.append(mean)
        spread.append(math.sqrt(max(0.0, float(weights @ (places - mean) ** 2))))
    return ClassObjects(
        class_id,
        n_pixels,
        int(n_objects),
        tuple(int(size) for size in sizes),
        2 * n_pixels / boundary,
        tuple(centre),
        tuple(spread),
    )
