"""Overlapping tiles blended with Gaussian weights, a band of rows at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import torch
from torch import Tensor

from pixelwise.core.image import Region
from pixelwise.inference.tiles import Tile, TileGrid

SIGMA = 1 / 8
"""Standard deviation of the weights as a share of the window's edge (nnU-Net, MONAI)."""

_LEAST = 1e-3
"""No weight is smaller, the largest being about 1, so that every pixel has an answer."""


class Band:
    """Sums of weighted answers over the rows that tiles still add to.

    Tiles come in raster order. Rows along the first axis that no later tile reaches leave as
    one region: memory is that of one row of tiles, whatever the size of the image.
    """

    def __init__(self, grid: TileGrid, empty: Tensor) -> None:
        """empty: the scores (k,) of pixels for which no tile had an answer."""
        self._grid = grid
        self._empty = empty
        self._window = tuple(size - 2 * grid.margin for size in grid.read_shape)
        self._wholes = tuple(
            starts[-1] + grid.margin + size
            for starts, size in zip(grid.starts, self._window, strict=True)
        )
        self._first = 0
        self._n_added = 0
        size = (self._window[0], *self._wholes[1:])
        self._sums = torch.zeros((len(empty), *size))
        self._weights = torch.zeros(size)

    def add(self, tile: Tile, answer: Tensor | None) -> Iterator[tuple[Region, Tensor]]:
        """Take in the answer (k, …) of the next tile; yield rows (k, …) that are complete."""
        top = tile.start[0] + self._grid.margin
        if top > self._first:
            yield self._leave(top)
        place = (
            slice(0, self._window[0]),
            *(
                slice(start + self._grid.margin, start + self._grid.margin + size)
                for start, size in zip(tile.start[1:], self._window[1:], strict=True)
            ),
        )
        if answer is not None:
            weights = gaussian_weights(self._window)
            self._sums[(slice(None), *place)].addcmul_(weights, answer)
            self._weights[place] += weights
        self._n_added += 1
        if self._n_added == len(self._grid):
            yield self._leave(self._wholes[0])

    def _leave(self, stop: int) -> tuple[Region, Tensor]:
        """The rows up to `stop`, which are complete; the rest moves up."""
        shape, first = self._grid.shape, self._first
        inside = tuple(slice(0, length) for length in shape[1:])
        rows = slice(0, min(stop, shape[0]) - first)
        weights = self._weights[(rows, *inside)]
        mean = self._sums[(slice(None), rows, *inside)] / weights.clamp(min=_LEAST)
        unseen = weights == 0
        if unseen.any():
            mean[:, unseen] = self._empty[:, None]
        n_left = max(self._window[0] - (stop - first), 0)
        for values in (self._sums.movedim(1, 0), self._weights):
            values[:n_left] = values[len(values) - n_left :].clone()
            values[n_left:] = 0
        self._first = stop
        return (slice(first, first + len(mean[0])), *inside), mean


@cache
def gaussian_weights(window: tuple[int, ...]) -> Tensor:
    """Weights of a window's pixels: 1 in the middle, Gaussian, never below a thousandth."""
    total = torch.ones(window)
    for axis, size in enumerate(window):
        place = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
        line = torch.exp(-0.5 * (place / max(SIGMA * size, 1e-9)) ** 2)
        total = total * line.reshape((-1,) + (1,) * (len(window) - axis - 1)).float()
    return total.clamp(min=_LEAST)


def overlapping(edge: tuple[int, ...], share: float) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Core and halo of windows of `edge` pixels that share `share` of it with the next one."""
    halo = tuple(math.floor(size * share / 2) for size in edge)
    return tuple(size - 2 * h for size, h in zip(edge, halo, strict=True)), halo
