"""Averaging over mirror images and quarter turns of a tile, as far as the data has no direction."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixelwise.core.image import Array


@dataclass(frozen=True, slots=True)
class View:
    """A tile seen otherwise: a quarter turn of the last two axes or none, then mirrored axes."""

    is_turned: bool
    axes: tuple[int, ...]

    def of(self, values: Array) -> Array:
        """(…, y, x) with the spatial axes last -> the tile as this view shows it, contiguous."""
        turned = np.swapaxes(values, -1, -2) if self.is_turned else values
        return np.ascontiguousarray(np.flip(turned, self.axes))

    def back(self, values: Array) -> Array:
        """What was found in this view, brought back to the tile's own axes; may be a view."""
        turned = np.flip(values, self.axes)
        return np.swapaxes(turned, -1, -2) if self.is_turned else turned


def views_of(
    n_dims: int, mirror_axes: Sequence[int], *, with_rotations: bool = False
) -> tuple[View, ...]:
    """All combinations of mirrored axes, the tile itself first; with quarter turns twice as many.

    mirror_axes: spatial axes, 0 the first of ([z,] y, x). Quarter turns join y and x: together
    with the mirror images of both they are the eight symmetries of the square.
    """
    axes = sorted(axis - n_dims for axis in mirror_axes)
    chosen = [
        subset for size in range(len(axes) + 1) for subset in itertools.combinations(axes, size)
    ]
    turns = (False, True) if with_rotations else (False,)
    return tuple(View(is_turned, subset) for is_turned in turns for subset in chosen)
