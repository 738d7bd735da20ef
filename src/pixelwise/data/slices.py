"""Volumes seen slice by slice: patches and whole volumes for networks of two dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pixelwise.core.image import Array, Closing, Region, Source, whole_region
from pixelwise.core.plan import GeometrySection

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]


def window_shape(patch: tuple[int, ...], geometry: GeometrySection) -> tuple[int, ...]:
    """The part of a volume that a patch is made from: one slice and its neighbours.

    Without slices it is the patch itself.
    """
    axis = geometry.slice_axis
    if axis is None:
        return patch
    return (*patch[:axis], 1 + 2 * geometry.neighbours, *patch[axis:])


def as_slice(
    image: Floats, labels: Labels, geometry: GeometrySection, spacing: Sequence[float] | None
) -> tuple[Floats, Labels, Sequence[float] | None]:
    """A window of a volume as the network sees it: image, labels of its middle slice, spacing.

    Slices become channels, all channels of the first slice first. Without slices nothing changes.
    """
    axis = geometry.slice_axis
    if axis is None:
        return image, labels, spacing
    middle = np.ascontiguousarray(np.take(labels, geometry.neighbours, axis=axis))
    in_plane = None if spacing is None else tuple(np.delete(np.asarray(spacing), axis))
    return slices_to_channels(image, axis), middle, in_plane


def middle_slice(maps: Floats, geometry: GeometrySection) -> Floats:
    """(m, …) maps of a window: those of its middle slice; without slices nothing changes."""
    axis = geometry.slice_axis
    middle = maps if axis is None else np.take(maps, geometry.neighbours, axis=axis + 1)
    return np.ascontiguousarray(middle)


def slices_to_channels(image: Array, axis: int) -> Array:
    """(c, z, y, x) -> (n c, y, x), where n is the length of the spatial axis that goes."""
    moved = np.moveaxis(image, axis + 1, 0)
    return np.ascontiguousarray(moved.reshape(-1, *moved.shape[2:]))


class SliceSource(Closing):
    """One slice of a volume with its neighbours, as an image of two dimensions.

    Its channels are those of `slices_to_channels`. Beyond the ends of the volume the
    neighbours are mirrored.
    """

    def __init__(self, source: Source, geometry: GeometrySection, index: int) -> None:
        axis = geometry.slice_axis
        if axis is None:
            raise ValueError("the geometry names no slice axis")
        header = source.header
        length, n = header.shape[axis], geometry.neighbours
        self._source, self._axis = source, axis
        self._indices = np.pad(np.arange(length), n, mode="reflect")[index : index + 2 * n + 1]
        self.header = replace(
            header,
            shape=(*header.shape[:axis], *header.shape[axis + 1 :]),
            n_channels=header.n_channels * len(self._indices),
            spacing=header.spacing and (*header.spacing[:axis], *header.spacing[axis + 1 :]),
            placement=None,
        )

    def read(self, region: Region | None = None) -> Array:
        """(n c, y, x) of a region of the slice."""
        part = whole_region(self.header.shape) if region is None else region
        low, high = int(self._indices.min()), int(self._indices.max()) + 1
        block = (*part[: self._axis], slice(low, high), *part[self._axis :])
        values = np.take(self._source.read(block), self._indices - low, axis=self._axis + 1)
        return slices_to_channels(values, self._axis)


def normalise_slices(
    normalise: Callable[[Array], Floats], geometry: GeometrySection
) -> Callable[[Array], Floats]:
    """A normalisation of volumes as one of slices with their neighbours as channels."""
    n_slices = 1 + 2 * geometry.neighbours

    def apply(values: Array) -> Floats:
        stack = values.reshape(n_slices, -1, *values.shape[1:])
        found = normalise(np.moveaxis(stack, 0, 1))
        return slices_to_channels(found, 0)

    return apply
