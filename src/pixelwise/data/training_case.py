"""A training case as patches are cut from it: by region, on the grid of the plan."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pixelwise.core.image import Array, Region, whole_region
from pixelwise.data.intensity import IntensityScale

Labels = npt.NDArray[np.uint8]
Positions = dict[int, npt.NDArray[np.int64]]
Maps = npt.NDArray[np.float16]

_POSITIONS_PER_CLASS = 4096
_BAND_VOXELS = 1 << 24


class TrainingCase(Protocol):
    """A case whose pixels can be had by region, on the grid of the plan.

    positions: class id -> flat indices of some of its pixels, spread over the case.
    annotated: as `Case` has it.
    """

    @property
    def annotated(self) -> tuple[int, ...]: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def scale(self) -> IntensityScale: ...

    @property
    def positions(self) -> Positions: ...

    def image(self, region: Region) -> Array: ...

    def labels(self, region: Region) -> Labels: ...

    def maps(self, region: Region) -> Maps | None: ...


@dataclass(slots=True)
class DecodedCase:
    """A case in memory: pixels (c, …), labels with IGNORE where nothing is learned.

    guides: maps (m, …) of its objects, see `data.guides`.
    """

    pixels: Array
    classes: Labels
    scale: IntensityScale
    positions: Positions
    guides: Maps | None = None
    annotated: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Spatial shape ([z,] y, x)."""
        return self.classes.shape

    def image(self, region: Region) -> Array:
        """(c, …) stored intensities of a region, a view."""
        part: Array = self.pixels[(slice(None), *region)]
        return part

    def labels(self, region: Region) -> Labels:
        """Class ids of a region, a view."""
        return self.classes[region]

    def maps(self, region: Region) -> Maps | None:
        """(m, …) maps of a region, a view; None if none are wanted."""
        return None if self.guides is None else self.guides[(slice(None), *region)]

    def n_bytes(self) -> int:
        """What it takes in memory."""
        positions = sum(index.nbytes for index in self.positions.values())
        guides = 0 if self.guides is None else self.guides.nbytes
        return self.pixels.nbytes + self.classes.nbytes + positions + guides

    def close(self) -> None:
        """Nothing is open."""


def bands_across(shape: tuple[int, ...]) -> Iterator[Region]:
    """Bands across the first axis that cover a shape."""
    step = max(1, _BAND_VOXELS // math.prod(shape[1:]))
    for start in range(0, shape[0], step):
        yield (slice(start, min(start + step, shape[0])), *whole_region(shape[1:]))


def thin_out(positions: Positions, seed: int) -> Positions:
    """At most a few thousand of the pixels of each class, drawn by a seed."""
    random = np.random.default_rng(seed)
    return {
        k: random.choice(index, _POSITIONS_PER_CLASS, replace=False)
        if len(index) > _POSITIONS_PER_CLASS
        else index
        for k, index in positions.items()
    }
