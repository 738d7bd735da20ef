"""A table of the objects in a label map: place, size, shape and intensity of each."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from skimage.measure import label as find_components
from skimage.measure import regionprops

from pixelwise.core.image import Array

OBJECT_COLUMNS = (
    "class",
    "object",
    "pixels",
    "size",
    "size_unit",
    "centre_z",
    "centre_y",
    "centre_x",
    "equivalent_diameter",
    "eccentricity",
    "extent",
    "perimeter",
    "mean_intensity",
    "min_intensity",
    "max_intensity",
)


def measure_objects(
    labels: npt.NDArray[np.integer],
    image: Array,
    class_names: Mapping[int, str],
    *,
    spacing: tuple[float, ...] | None = None,
    unit: str = "px",
) -> list[tuple[object, ...]]:
    """One row per connected object of every class but 0, in the order of OBJECT_COLUMNS.

    Shape: labels ([z,] y, x) class ids; image (c, [z,] y, x), its channels are averaged.
    Units: sizes and lengths in `unit` by `spacing`, centres in pixels. Touching diagonally
    counts as connected. Shape measures without a meaning in three dimensions, or for
    single pixels, are empty.
    """
    steps = spacing if spacing is not None else (1.0,) * labels.ndim
    size_unit = f"{unit if spacing is not None else 'px'}{'²' if labels.ndim == 2 else '³'}"
    grey = image.mean(axis=0, dtype=np.float64)
    rows: list[tuple[object, ...]] = []
    for class_id, name in class_names.items():
        if class_id == 0:
            continue
        components = find_components(labels == class_id, connectivity=labels.ndim)  # type: ignore[no-untyped-call]  # skimage ships no types
        for region in regionprops(components, spacing=steps):  # type: ignore[no-untyped-call]  # likewise
            is_flat = labels.ndim == 2
            centre = [c / s for c, s in zip(region.centroid, steps, strict=True)]
            values = grey[region.slice][region.image]
            has_shape = region.num_pixels > 2 and is_flat
            even = len(set(steps)) == 1
            rows.append(
                (
                    name,
                    region.label,
                    int(region.num_pixels),
                    _number(region.area),
                    size_unit,
                    "" if is_flat else _number(centre[0]),
                    _number(centre[-2]),
                    _number(centre[-1]),
                    _number(region.equivalent_diameter_area),
                    _number(region.eccentricity) if has_shape and even else "",
                    _number(_extent(region.image)) if has_shape else "",
                    _number(region.perimeter) if is_flat and even else "",
                    _number(values.mean()),
                    _number(values.min()),
                    _number(values.max()),
                )
            )
    return rows


def _extent(mask: npt.NDArray[np.bool_]) -> float:
    """Share of the bounding box that the object fills: defined for every object."""
    return float(mask.mean())


def _number(value: float) -> str:
    return f"{float(value):.6g}" if math.isfinite(float(value)) else ""
