"""From stored intensities to what a network sees: clipped, centred, scaled, per channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixelwise.core.image import Array, Region, Source
from pixelwise.core.plan import IntensitySection

Floats = npt.NDArray[np.float32]

SAMPLE_PIXELS = 4_000_000
"""Images up to this size are measured whole, larger ones on a regular grid of blocks."""

_BLOCK = {2: 256, 3: 32}
"""Edges of the blocks: small enough that some lie in the middle of a volume, not in its air."""

_SMALLEST_SCALE = 1e-6


@dataclass(frozen=True, slots=True)
class IntensityScale:
    """Per channel: clip to [low, high], subtract centre, divide by scale."""

    low: Floats
    high: Floats
    centre: Floats
    scale: Floats

    def apply(self, image: Array) -> Floats:
        """(c, …) stored values -> (c, …) float32; non-finite values become 0 (the centre)."""
        shape = (-1,) + (1,) * (image.ndim - 1)
        values = image.astype(np.float32)
        np.clip(values, self.low.reshape(shape), self.high.reshape(shape), out=values)
        values -= self.centre.reshape(shape)
        values /= self.scale.reshape(shape)
        if np.issubdtype(image.dtype, np.floating):
            np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        return values


def scale_for(
    section: IntensitySection, source: Source, convert: Callable[[Array], Array]
) -> IntensityScale:
    """The scale of one image under a plan's rule; `convert` gives it the plan's channels.

    Scheme "data set" ignores the image. Scheme "image" takes mean and standard deviation of
    this image; a constant image has scale 1, so that it becomes 0 everywhere.
    """
    if section.scheme == "data set":
        return _section_scale(section)
    pixels = convert(sample_pixels(source))
    return measured_scale(pixels, without_zeros=section.without_zeros)


def measured_scale(pixels: Array, *, without_zeros: bool = False) -> IntensityScale:
    """The scale by mean and standard deviation of (c, n) pixels of one image.

    without_zeros: of the pixels that are not 0 in every channel; an image that is 0
    everywhere has centre 0 and scale 1.
    """
    values = pixels.astype(np.float64)
    finite = np.isfinite(values)
    if without_zeros:
        finite &= (values != 0).any(axis=0)
    n_finite = np.maximum(finite.sum(axis=1), 1)
    centre = np.where(finite, values, 0.0).sum(axis=1) / n_finite
    squares = np.where(finite, (values - centre[:, None]) ** 2, 0.0).sum(axis=1) / n_finite
    std = np.sqrt(squares)
    std[std < _SMALLEST_SCALE * np.maximum(1.0, np.abs(centre))] = 1.0
    unlimited = np.full(len(centre), np.inf, np.float32)
    return IntensityScale(-unlimited, unlimited, centre.astype(np.float32), std.astype(np.float32))


def sample_pixels(source: Source) -> Array:
    """(c, n) pixels of an image: all of a small one, blocks on a regular grid of a large one."""
    blocks = sample_blocks(source)
    return np.concatenate([block.reshape(block.shape[0], -1) for block in blocks], axis=1)


def sample_blocks(source: Source, n_blocks: int | None = None) -> list[Array]:
    """A small image whole, or blocks (c, [z,] y, x) on a regular grid of a large one.

    n_blocks: about how many; as many as have the pixels of the largest image that is read
    whole, if it is not given.
    """
    shape = source.header.shape
    if int(np.prod(shape)) <= SAMPLE_PIXELS:
        return [source.read()]
    return [source.read(region) for region in _grid_of_blocks(shape, n_blocks)]


def _grid_of_blocks(shape: tuple[int, ...], n_blocks: int | None = None) -> list[Region]:
    edges = [min(_BLOCK[len(shape)], length) for length in shape]
    n_blocks = n_blocks or max(1, SAMPLE_PIXELS // int(np.prod(edges)))
    per_axis = max(1, round(n_blocks ** (1 / len(shape))))
    starts = [
        np.unique(np.linspace(0, length - edge, per_axis).astype(int))
        for length, edge in zip(shape, edges, strict=True)
    ]
    corners = np.stack(np.meshgrid(*starts, indexing="ij"), axis=-1).reshape(-1, len(shape))
    return [
        tuple(slice(int(a), int(a) + e) for a, e in zip(corner, edges, strict=True))
        for corner in corners
    ]


def _section_scale(section: IntensitySection) -> IntensityScale:
    def as_array(values: tuple[float, ...]) -> Floats:
        return np.asarray(values, dtype=np.float32)

    return IntensityScale(
        as_array(section.low),
        as_array(section.high),
        as_array(section.centre),
        as_array(section.scale),
    )
