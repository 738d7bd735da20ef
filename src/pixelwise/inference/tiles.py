"""Tile geometry in integers: which part of an image each tile reads, and which it answers for.

Along each axis the network's answer for the whole image covers the image and, at its end, what
is missing to a size that the network takes. Tiles are windows of that answer:

      0                                            length   whole answer
      ├──────────────────────────────────────────────┼───────┤
      ├────────────────────╌╌╌╌╌┤  halo
                      ├╌╌╌╌╌──────────────╌╌╌╌╌┤
                                       ├╌╌╌╌╌────────────────┤
      ├─────────────────────┼───────────────────┼────┤   regions: each pixel once

Windows never reach over the whole answer, so a network that pads by itself does at the image's
border what it would do with the whole image; inside the image there is `halo` on either side.
A network without padding reads `margin` more on all sides, mirrored at the image's border.

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
class Tile:
    """start: first pixel that is read, per axis; may lie outside (mirrored).

    region: the pixels that the tile answers for. inside: where they lie in the network's
    answer for what is read.
    """

    start: tuple[int, ...]
    region: Region
    inside: Region


@dataclass(frozen=True, slots=True)
class TileGrid:
    """Tiles over an image of `shape`; all read `read_shape`, so that they stack into batches.

    margin: pixels that the network's answer lacks on each side. starts, cuts: per axis the
    first pixel read by each tile, and the borders of the regions, one more than tiles.
    """

    shape: tuple[int, ...]
    read_shape: tuple[int, ...]
    margin: int
    starts: tuple[tuple[int, ...], ...]
    cuts: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return int(np.prod([len(starts) for starts in self.starts]))

    @property
    def read_pixels(self) -> int:
        """Pixels that the network is fed with, over all tiles."""
        return len(self) * int(np.prod(self.read_shape))

    def tiles(self) -> Iterator[Tile]:
        """All tiles in raster order."""
        for index in itertools.product(*(range(len(starts)) for starts in self.starts)):
            start = tuple(starts[i] for starts, i in zip(self.starts, index, strict=True))
            region = tuple(slice(cut[i], cut[i + 1]) for cut, i in zip(self.cuts, index))
            inside = tuple(
                slice(part.start - first - self.margin, part.stop - first - self.margin)
                for part, first in zip(region, start, strict=True)
            )
            yield Tile(start, region, inside)


def lay_tiles(
    shape: tuple[int, ...],
    core: tuple[int, ...],
    halo: tuple[int, ...],
    *,
    margin: int = 0,
    alignment: int = 1,
    remainder: int = 0,
    smallest: int = 1,
) -> TileGrid:
    """Tiles for an image of `shape` that answer for about `core` pixels each, as equal as can be.

    Read sizes are `alignment` i + `remainder`, at least `smallest`, and tiles start at multiples
    of `alignment`, so that all see the same pooling grid. halo: true context that a tile reads
    at least on each side that is not the image's border, besides the margin.
    """
    wholes = _whole_answers(shape, margin, alignment, remainder, smallest)
    starts, cuts, reads = [], [], []
    for length, whole, edge, context in zip(shape, wholes, core, halo, strict=True):
        context = -(-context // alignment) * alignment
        inner = min(whole, length + context) - 2 * context
        n_tiles = max(1, -(-inner // max(edge, alignment)))
        least = smallest - 2 * margin - 2 * context
        edge = -(-max(-(-inner // n_tiles), least, 1) // alignment) * alignment
        window = edge + 2 * context
        window += (whole - window) % alignment
        n_tiles = -(-inner // edge)
        if n_tiles <= 1 or window >= whole:
            n_tiles, window = 1, whole
        starts.append(tuple(min(i * edge, whole - window) - margin for i in range(n_tiles)))
        cuts.append((0, *(i * edge + context for i in range(1, n_tiles)), length))
        reads.append(window + 2 * margin)
    return TileGrid(tuple(shape), tuple(reads), margin, tuple(starts), tuple(cuts))


def _whole_answers(
    shape: tuple[int, ...], margin: int, alignment: int, remainder: int, smallest: int
) -> list[int]:
    """Lengths of the answer for a whole image: what the network gives for the next size it takes.

    Never a single coarsest pixel alone: networks that pad double the last axis then.
    """
    sizes = [max(length + 2 * margin, smallest) for length in shape]
    sizes = [size + (remainder - size) % alignment for size in sizes]
    if margin == 0 and all(size == alignment for size in sizes):
        sizes[-1] += alignment
    return [size - 2 * margin for size in sizes]


def read_tile(source: Source, grid: TileGrid, tile: Tile) -> Array:
    """(c, [z,] y, x) of what a tile reads, mirrored where it reaches over the image."""
    indices = [
        mirror_indices(start, start + size, length)
        for start, size, length in zip(tile.start, grid.read_shape, grid.shape, strict=True)
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
