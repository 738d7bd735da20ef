"""Maps that tell touching objects apart: depth inside each, contact between them, gaps cut open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pixelwise.arrays.two_nearest import two_nearest

Numbers = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float32]

_REACH = 3.0
"""In sigmas: a contact of exp(-4.5) is taken for none."""


def number_objects(objects: Numbers) -> npt.NDArray[np.int32]:
    """The same objects numbered 1, 2, 3 … in the order of their numbers; gaps are closed.

    Shape: ([z,] y, x), any whole numbers; 0 and below stand for no object.
    """
    present = np.unique(objects)
    present = present[present > 0]
    found = np.searchsorted(present, objects).astype(np.int32) + 1
    found[objects <= 0] = 0
    return found


def depth_map(objects: Numbers, spacing: Sequence[float] | None = None) -> Floats:
    """How deep each pixel lies in its object: distance to the rim over the object's largest.

    0 outside, above 0 to 1 inside; 1 at the deepest pixel of every object, however small. The
    frame of the image is no rim, for objects go on beyond it.
    Shape: ([z,] y, x) numbers, 0 is no object. Units: spacing per axis, pixels if not given.
    """
    numbers = number_objects(objects)
    steps = (1.0,) * objects.ndim if spacing is None else tuple(spacing)
    found = np.zeros(objects.shape, np.float32)
    for index, box in enumerate(ndimage.find_objects(numbers), start=1):
        around = tuple(
            slice(max(part.start - 1, 0), min(part.stop + 1, length))
            for part, length in zip(box, objects.shape, strict=True)
        )
        inside = numbers[around] == index
        if inside.all():
            found[around] = 1.0
            continue
        depth = ndimage.distance_transform_edt(inside, sampling=steps)
        found[around][inside] = (depth / depth.max())[inside]
    return found


def contact_map(
    objects: Numbers, *, sigma: float = 3.0, spacing: Sequence[float] | None = None
) -> Floats:
    """How close two objects come at each pixel: exp(-(d1 + d2)^2 / (2 sigma^2)), 0 to 1.

    d1 and d2 are the distances to the nearest and the second nearest object; inside an object
    d1 is 0. As in the U-Net paper's border weights, but on both sides of the gap too.
    Shape: ([z,] y, x) numbers, 0 is no object. Units: sigma in that of spacing, else pixels.
    Empty: with fewer than two objects 0 everywhere.
    """
    steps = (1.0,) * objects.ndim if spacing is None else tuple(spacing)
    first, second = two_nearest(objects, steps, _REACH * sigma)
    near = np.exp(-np.square(first + second) / np.float32(2 * sigma**2))
    return np.asarray(near, np.float32)


def where_touching(objects: Numbers) -> npt.NDArray[np.bool_]:
    """Pixels of an object that have another one among their 8 (26) neighbours.

    Made background, they part objects that touch, as the U-Net paper does before training.
    """
    numbers = number_objects(objects)
    beyond = np.int32(numbers.max(initial=0) + 1)
    square = (3,) * objects.ndim
    highest = ndimage.maximum_filter(numbers, square)
    lowest = ndimage.minimum_filter(np.where(numbers > 0, numbers, beyond), square)
    touching: npt.NDArray[np.bool_] = (numbers > 0) & ((highest != numbers) | (lowest != numbers))
    return touching
