"""Tile geometry in integers: which part of an image each tile reads, and which it answers for.

      read region (may reach over the image: mirrored there)
     ┌──────────────────────────┐
     │  halo                    │
     │     ┌──────────────┐     │
     │     │     core     │     │   cores cover the image without gap or overlap
     │     └──────────────┘     │
     └──────────────────────────┘

Source: overlap-tile strategy, Ronneberger et al. 2015, figure 2.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixelwise.core.image import Array, Region, Source


@dataclass(frozen=True, slots=True)
class TileGrid:
    """Tiles over an image: edge of the core, and context read on each side, per axis.

    `read_shape` is the same for every tile, so that tiles can be stacked into batches.
    """

    shape: tuple[int, ...]
    core: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def read_shape(self) -> tuple[int, ...]:
        """What the network is fed with: core plus context on both sides."""
        return tuple(b + c + a for b, c, a in zip(self.before, self.core, self.after, strict=True))

    def corners(self) -> Iterator[tuple[int, ...]]:
        """The first pixel of each core, in raster order."""
        starts = [range(0, n, c) for n, c in zip(self.shape, self.core, strict=True)]
        return itertools.product(*starts)

    def core_region(self, corner: tuple[int, ...]) -> Region:
        """The pixels that a tile answers for, cut at the image's border."""
        return tuple(
            slice(start, min(start + edge, length))
            for start, edge, length in zip(corner, self.core, self.shape, strict=True)
        )

    def answer_region(self, corner: tuple[int, ...], margin: int) -> Region:
        """Where the core lies in the network's answer, `margin` pixels cut from each side."""
        return tuple(
            slice(b - margin, b - margin + part.stop - part.start)
            for b, part in zip(self.before, self.core_region(corner), strict=True)
        )


def lay_tiles(
    shape: tuple[int, ...],
    core: tuple[int, ...],
    halo: tuple[int, ...],
    *,
    alignment: int = 1,
    remainder: int = 0,
    smallest: int = 1,
) -> TileGrid:
    """Tiles for an image of `shape` whose cores are about `core`, equal, and waste little.

    Read sizes are `alignment` i + `remainder`, at least `smallest`; what is missing is added
    behind. Cores are multiples of `alignment`, so that all tiles see the same pooling grid.
    """
    cores, after = [], []
    for length, edge, context in zip(shape, core, halo, strict=True):
        n_tiles = -(-length // max(edge, alignment))
        edge = -(-length // (n_tiles * alignment)) * alignment
        read = max(edge + 2 * context, smallest)
        read += (remainder - read) % alignment
        cores.append(edge)
        after.append(read - edge - context)
    return TileGrid(tuple(shape), tuple(cores), tuple(halo), tuple(after))


def read_mirrored(source: Source, grid: TileGrid, corner: tuple[int, ...]) -> Array:
    """(c, [z,] y, x) of a tile with its context, mirrored where it reaches over the image."""
    indices = [
        mirror_indices(start - before, start + edge + after, length)
        for start, before, edge, after, length in zip(
            corner, grid.before, grid.core, grid.after, grid.shape, strict=True
        )
    ]
    region = tuple(slice(int(i.min()), int(i.max()) + 1) for i in indices)
    values = source.read(region)
    for axis, (index, part) in enumerate(zip(indices, region, strict=True)):
        local = index - part.start
        if len(local) != values.shape[axis + 1] or local[0] != 0 or np.any(np.diff(local) != 1):
            values = np.take(values, local, axis=axis + 1)
    return values


def mirror_indices(start: int, stop: int, length: int) -> npt.NDArray[np.int64]:
    """Positions start..stop of an axis mirrored at its ends (the end pixel is not repeated)."""
    positions = np.arange(start, stop)
    if length == 1:
        return np.zeros_like(positions)
    period = 2 * (length - 1)
    positions = positions % period
    return np.minimum(positions, period - positions)
