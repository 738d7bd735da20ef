"""A table of the classes or regions of a case: size, surface, place, intensities; with units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pixelwise.arrays.contacts import surface_size
from pixelwise.core.image import Array, Header

Mask = npt.NDArray[np.bool_]
Row = list[str]

WORLD_AXES = ("x", "y", "z")
"""Order of the world coordinates of a placement: towards left, posterior and superior (LPS)."""

_STATISTICS = ("mean", "std", "p05", "median", "p95")


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a pixel is: one spacing per axis in `unit`; ([z,] y, x) -> world, if known.

    affine: 4 x 4 from array indices (z, y, x, 1) to world coordinates (x, y, z, 1).
    """

    spacing: tuple[float, ...]
    unit: str = "px"
    affine: npt.NDArray[np.float64] | None = None

    @property
    def pixel_size(self) -> float:
        """Area or volume of one pixel in squared or cubed `unit`."""
        return math.prod(self.spacing)


def scale_of(header: Header, spacing: tuple[float, ...] | None = None, unit: str = "px") -> Scale:
    """The scale of a file; `spacing` and `unit` where the file itself has none."""
    known = header.spacing or spacing
    if known is None:
        return Scale((1.0,) * len(header.shape))
    placed = header.placement
    is_volume = placed is not None and len(header.shape) == 3
    affine = placed.array_affine if placed is not None and is_volume else None
    return Scale(tuple(known), header.unit if header.spacing else unit, affine)


def region_columns(n_dims: int, scale: Scale, channel_names: Sequence[str]) -> tuple[str, ...]:
    """The heads of the table, each with its unit: volume_mm3, centre_x_mm, mean_flair."""
    size = "volume" if n_dims == 3 else "area"
    surface = "surface" if n_dims == 3 else "outline"
    power = "" if n_dims == 2 else "2"
    axes = WORLD_AXES[::-1][-n_dims:]
    return (
        "class",
        "pixels",
        f"{size}_{scale.unit}{n_dims}",
        f"{surface}_{scale.unit}{power}",
        "pieces",
        *(f"centre_{axis}_index" for axis in axes),
        *((f"centre_{axis}_{scale.unit}" for axis in WORLD_AXES) if _has_world(scale) else ()),
        *(f"{statistic}_{name}" for name in channel_names for statistic in _STATISTICS),
    )


def measure_regions(
    masks: Mapping[str, Mask], image: Array, scale: Scale, channel_names: Sequence[str]
) -> tuple[tuple[str, ...], list[Row]]:
    """(columns, rows): one row per named mask ([z,] y, x); they may overlap.

    image (c, [z,] y, x) on the same grid. Sizes in units of the scale, the surface by
    Crofton's formula (see contact_areas), pieces connected also diagonally. The centre is
    the centroid, as an index into the array, and in world coordinates where the file has
    them (LPS). Intensities are those stored; not-a-numbers are left out.
    Empty: a mask without pixels has size and surface 0, and no centre or intensity.
    """
    n_dims = image.ndim - 1
    columns = region_columns(n_dims, scale, channel_names)
    return columns, [_row(name, mask, image, scale) for name, mask in masks.items()]


def _has_world(scale: Scale) -> bool:
    return scale.affine is not None and len(scale.spacing) == len(WORLD_AXES)


def _row(name: str, mask: Mask, image: Array, scale: Scale) -> Row:
    n_pixels = int(np.count_nonzero(mask))
    row = [name, str(n_pixels), _number(n_pixels * scale.pixel_size)]
    row.append(_number(surface_size(mask, scale.spacing)))
    row.append(str(ndimage.label(mask, np.ones((3,) * mask.ndim))[1]))
    row += _centre(mask, scale) if n_pixels else [""] * _n_centres(mask.ndim, scale)
    for channel in image:
        values = channel[mask].astype(np.float64)
        row += _statistics(values[np.isfinite(values)])
    return row


def _n_centres(n_dims: int, scale: Scale) -> int:
    return n_dims + (len(WORLD_AXES) if _has_world(scale) else 0)


def _centre(mask: Mask, scale: Scale) -> list[str]:
    centre = [float(axis.mean()) for axis in np.nonzero(mask)]
    texts = [_number(value) for value in centre]
    if _has_world(scale) and scale.affine is not None:
        texts += [_number(value) for value in (scale.affine @ [*centre, 1.0])[:3]]
    return texts


def _statistics(values: npt.NDArray[np.float64]) -> list[str]:
    if not values.size:
        return [""] * len(_STATISTICS)
    low, middle, high = np.percentile(values, (5, 50, 95))
    return [_number(float(v)) for v in (values.mean(), values.std(), low, middle, high)]


def _number(value: float) -> str:
    return f"{value:.7g}"
