"""Images and labels on another grid: resampled by region, with pixel edges and not centres aligned.

Both grids cover the same extent, so the ends of an axis coincide, and pixel j of n_out lies at
(j + 1/2) n_in / n_out - 1/2 of the other grid: nothing moves by half a pixel. Where pixels grow,
the linear interpolant is averaged over what a pixel grows by, so that nothing is skipped; a
linear ramp stays a linear ramp either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from pixelwise.core.image import Array, Closing, Header, Region, Source, whole_region
from pixelwise.core.plan import GeometrySection
from pixelwise.data.set_geometry import spacing_in_unit

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]
Method = Literal["nearest", "linear", "cubic"]

SAME_SHARE = 0.05
"""Spacings that differ by less than this share are the same: resampling would gain nothing."""

_KEYS = -0.5
"""Parameter of the cubic kernel with which it reproduces quadratic functions (Keys 1981)."""


def target_shape(
    shape: Sequence[int], spacing: Sequence[float], target: Sequence[float | None]
) -> tuple[int, ...]:
    """Pixels per axis at the target spacing, round(n x old / new); None keeps an axis as it is."""
    return tuple(
        n if new is None or abs(old / new - 1) < SAME_SHARE else max(1, round(n * old / new))
        for n, old, new in zip(shape, spacing, target, strict=True)
    )


def grid_spacing(
    geometry: GeometrySection, spacing: Sequence[float] | None
) -> tuple[float, ...] | None:
    """The pixel spacing of the plan's grid; `spacing` is that of the data. None if unknown."""
    if not geometry.spacing:
        return None if spacing is None else tuple(spacing)
    own = spacing or (None,) * len(geometry.spacing)
    found = [new or old for new, old in zip(geometry.spacing, own, strict=True)]
    return None if None in found else tuple(step for step in found if step is not None)


@dataclass(frozen=True, slots=True)
class Regrid:
    """From one grid to another over the same extent; one method per axis."""

    shape: tuple[int, ...]
    goal: tuple[int, ...]
    methods: tuple[Method, ...]

    def back(self) -> Regrid:
        """The way back, linear where this one is not nearest."""
        methods: tuple[Method, ...] = tuple(
            "nearest" if method == "nearest" else "linear" for method in self.methods
        )
        return Regrid(self.goal, self.shape, methods)

    def needed(self, region: Region) -> Region:
        """The part of the first grid that a region of the second one is made from."""
        parts = []
        for axis, part in enumerate(region):
            columns, _ = self._taps(axis, part)
            parts.append(slice(int(columns.min()), int(columns.max()) + 1))
        return tuple(parts)

    def apply(self, values: Array, held: Region, region: Region) -> Floats:
        """(c, …) values of the part `held` of the first grid -> (c, …) float32 of `region`."""
        found = np.asarray(values, np.float32)
        for axis, (given, part) in enumerate(zip(held, region, strict=True)):
            if self.shape[axis] == self.goal[axis]:
                cut = slice(part.start - given.start, part.stop - given.start)
                found = found[(slice(None),) * (axis + 1) + (cut,)]
                continue
            columns, weights = self._taps(axis, part)
            found = _combine(found, axis + 1, columns - given.start, weights)
        return np.ascontiguousarray(found)

    def _taps(self, axis: int, part: slice) -> tuple[npt.NDArray[np.int64], Floats]:
        """(n_out, n_taps) positions on the first grid, and their weights."""
        n_in, n_out = self.shape[axis], self.goal[axis]
        places = np.arange(part.start, part.stop)
        if n_in == n_out:
            return places[:, None], np.ones((len(places), 1), np.float32)
        step = n_in / n_out
        centres = (places + 0.5) * step - 0.5
        columns, weights = _WEIGHTS[self.methods[axis]](centres, step)
        return np.clip(columns, 0, n_in - 1), weights.astype(np.float32)


def regrid_for(
    geometry: GeometrySection, header: Header, spacing: Sequence[float] | None, unit: str
) -> Regrid | None:
    """How an image comes onto the grid of a plan; None if it is there already.

    spacing: of images whose files state none, in `unit`, the unit of the plan's spacing.
    """
    if not geometry.spacing:
        return None
    own = spacing_in_unit(header, unit) or spacing
    if own is None:
        return None
    goal = target_shape(header.shape, own, geometry.spacing)
    if goal == header.shape:
        return None
    methods: tuple[Method, ...] = tuple(
        "nearest" if axis in geometry.nearest_axes else geometry.interpolation
        for axis in range(len(goal))
    )
    return Regrid(header.shape, goal, methods)


class ResampledSource(Closing):
    """A source on another grid; closing it closes the source below."""

    def __init__(self, source: Source, regrid: Regrid) -> None:
        self._source = source
        self._regrid = regrid
        header = source.header
        spacing = header.spacing and tuple(
            step * n / goal
            for step, n, goal in zip(header.spacing, regrid.shape, regrid.goal, strict=True)
        )
        self.header = replace(
            header,
            shape=regrid.goal,
            dtype=np.dtype(np.float32),
            spacing=spacing,
            geometry={},
            placement=None,
        )

    def read(self, region: Region | None = None) -> Floats:
        """(c, …) float32 of a region of the new grid."""
        part = whole_region(self.header.shape) if region is None else region
        held = self._regrid.needed(part)
        return self._regrid.apply(self._source.read(held), held, part)

    def close(self) -> None:
        """Close the source below."""
        self._source.close()


class PartSource(Closing):
    """A part of an image as an image of its own; what lies around it is not read."""

    def __init__(self, source: Source, part: Region) -> None:
        self._source = source
        self._part = part
        shape = tuple(piece.stop - piece.start for piece in part)
        self.header = replace(source.header, shape=shape, geometry={}, placement=None)

    def read(self, region: Region | None = None) -> Array:
        """(c, …) of a region, counted from the corner of the part."""
        wanted = whole_region(self.header.shape) if region is None else region
        return self._source.read(
            tuple(
                slice(piece.start + r.start, piece.start + r.stop)
                for piece, r in zip(self._part, wanted, strict=True)
            )
        )


def resample_labels(labels: Labels, regrid: Regrid, held: Region, region: Region) -> Labels:
    """Labels of the part `held` of the first grid -> labels of a region of the second.

    Every value is resampled as a map of its own, the largest share wins, and of equal
    shares the lower value.
    """
    n_values = np.flatnonzero(np.bincount(labels.reshape(-1), minlength=256))
    shape = tuple(part.stop - part.start for part in region)
    found = np.full(shape, n_values[0], np.uint8)
    if len(n_values) == 1:
        return found
    best = regrid.apply((labels == n_values[0])[None], held, region)[0]
    for value in n_values[1:]:
        share = regrid.apply((labels == value)[None], held, region)[0]
        is_more = share > best + 1e-6
        found[is_more] = value
        np.maximum(best, share, out=best)
    return found


def _combine(values: Floats, axis: int, columns: npt.NDArray[np.int64], weights: Floats) -> Floats:
    """Weighted sums of entries along one axis; the rows of `columns` are the new entries."""
    n_out, n_taps = columns.shape
    rows = np.repeat(np.arange(n_out), n_taps)
    shape = (n_out, values.shape[axis])
    matrix = sparse.csr_array((weights.reshape(-1), (rows, columns.reshape(-1))), shape=shape)
    moved = np.moveaxis(values, axis, 0)
    flat = np.ascontiguousarray(moved).reshape(moved.shape[0], -1)
    found = np.asarray(matrix @ flat).reshape(n_out, *moved.shape[1:])
    return np.moveaxis(found, 0, axis)


def _nearest(
    centres: npt.NDArray[np.float64], step: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    columns = np.floor(centres + 0.5).astype(np.int64)[:, None]
    return columns, np.ones(columns.shape)


def _linear(
    centres: npt.NDArray[np.float64], step: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Linear interpolation; for larger pixels its mean over the width that they grew by."""
    half = max(0.0, (step - 1) / 2)
    first = np.floor(centres - half).astype(np.int64)
    columns = first[:, None] + np.arange(int(np.ceil(2 * half)) + 2)
    distance = columns - centres[:, None]
    if half < 1e-6:
        return columns, np.maximum(0.0, 1 - np.abs(distance))
    return columns, (_triangle_sum(half - distance) - _triangle_sum(-half - distance)) / (2 * half)


def _triangle_sum(u: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The integral of max(0, 1 - |t|) up to u."""
    near = np.clip(u, -1, 1)
    return np.where(near < 0, (1 + near) ** 2 / 2, 1 - (1 - near) ** 2 / 2)


def _cubic(
    centres: npt.NDArray[np.float64], step: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Cubic convolution over four pixels where pixels shrink, as `_linear` where they grow."""
    if step > 1:
        return _linear(centres, step)
    columns = np.floor(centres).astype(np.int64)[:, None] + np.arange(-1, 3)
    t = np.abs(columns - centres[:, None])
    near = (_KEYS + 2) * t**3 - (_KEYS + 3) * t**2 + 1
    far = _KEYS * (t**3 - 5 * t**2 + 8 * t - 4)
    return columns, np.where(t <= 1, near, np.where(t < 2, far, 0.0))


_WEIGHTS = {"nearest": _nearest, "linear": _linear, "cubic": _cubic}
