"""Labels on the image's own grid from a network that works on another one, or slice by slice."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing

import numpy as np
import numpy.typing as npt
import torch

from pixelwise.core.image import Region, Source, whole_region
from pixelwise.core.plan import GeometrySection
from pixelwise.data.geometry import Regrid, ResampledSource, regrid_for
from pixelwise.data.slices import SliceSource, normalise_slices
from pixelwise.inference.predictor import Normalise, Predictor, TileAnswer, TileCount
from pixelwise.tasks import Task

Floats = npt.NDArray[np.float32]

_CHUNK_VALUES = 1 << 24
"""Probabilities of the image's own grid that are held at a time, over all classes."""


class GridPredictor:
    """A predictor behind the grid of a plan: images go there, probabilities come back.

    Probabilities are interpolated, not labels, in chunks along one axis: at no time are they
    held for the whole image at its own resolution. spacing: of images whose files state none,
    in `unit`, the unit of the plan's spacing.
    """

    def __init__(
        self,
        predictor: Predictor,
        task: Task,
        geometry: GeometrySection,
        *,
        spacing: Sequence[float] | None,
        unit: str,
    ) -> None:
        self._predictor = predictor
        self._task = task
        self._geometry = geometry
        self._spacing = spacing
        self._unit = unit

    @property
    def tiles(self) -> TileCount:
        """How many tiles were read and skipped."""
        return self._predictor.tiles

    def predict(self, source: Source, normalise: Normalise) -> Generator[TileAnswer, None, None]:
        """Label a whole image, region by region of its own grid."""
        regrid = regrid_for(self._geometry, source.header, self._spacing, self._unit)
        if regrid is None:
            yield from self._predict_grid(source, normalise)
            return
        with closing(self._predict_grid(ResampledSource(source, regrid), normalise)) as answers:
            yield from self._bring_back(answers, regrid)

    def _predict_grid(
        self, source: Source, normalise: Normalise
    ) -> Generator[TileAnswer, None, None]:
        axis = self._geometry.slice_axis
        if axis is None:
            yield from self._predictor.predict(source, normalise)
            return
        prepare = normalise_slices(normalise, self._geometry)
        for index in range(source.header.shape[axis]):
            plane = SliceSource(source, self._geometry, index)
            for answer in self._predictor.predict(plane, prepare):
                part = answer.region
                yield TileAnswer(
                    (*part[:axis], slice(index, index + 1), *part[axis:]),
                    np.expand_dims(answer.labels, axis),
                    np.expand_dims(answer.probabilities, axis + 1),
                )

    def _bring_back(self, answers: Iterator[TileAnswer], regrid: Regrid) -> Iterator[TileAnswer]:
        """Rows of tiles arrive in order along the main axis; what is complete leaves at once."""
        back, axis = regrid.back(), self._geometry.slice_axis or 0
        held: Floats | None = None
        first = position = 0
        for row, start in _rows(answers, back.shape, axis):
            held = row if held is None else np.concatenate([held, row], axis + 1)
            stop = start + row.shape[axis + 1]
            for region in self._complete(back, axis, position, stop):
                yield self._answer(held, first, back, region)
                position = region[axis].stop
            if position < back.goal[axis]:
                needed = back.needed(_slab(back.goal, axis, position, position + 1))[axis].start
                held = held[(slice(None),) * (axis + 1) + (slice(max(0, needed - first), None),)]
                first = max(first, needed)

    def _complete(self, back: Regrid, axis: int, position: int, stop: int) -> Iterator[Region]:
        """Slabs of the image's own grid from `position` on that need nothing beyond `stop`."""
        plane = math.prod(back.goal) // back.goal[axis] * self._task.n_outputs
        most = max(1, _CHUNK_VALUES // plane)
        while position < back.goal[axis]:
            end = min(position + most, back.goal[axis])
            while end > position:
                region = _slab(back.goal, axis, position, end)
                if back.needed(region)[axis].stop <= stop:
                    break
                end -= 1
            if end == position:
                return
            yield region
            position = end

    def _answer(self, held: Floats, first: int, back: Regrid, region: Region) -> TileAnswer:
        axis = self._geometry.slice_axis or 0
        given = _slab(back.shape, axis, first, first + held.shape[axis + 1])
        probabilities = back.apply(held, given, region)
        labels = self._task.decode_output(torch.from_numpy(probabilities)[None])[0]
        return TileAnswer(region, labels.to(torch.uint8).numpy(), probabilities)


def _slab(shape: tuple[int, ...], axis: int, start: int, stop: int) -> Region:
    region = list(whole_region(shape))
    region[axis] = slice(start, stop)
    return tuple(region)


def _rows(
    answers: Iterator[TileAnswer], shape: tuple[int, ...], axis: int
) -> Iterator[tuple[Floats, int]]:
    """Tiles joined to slabs (k, …) across an axis, in order, each with its start."""
    row: Floats | None = None
    start = 0
    for answer in answers:
        part = answer.region[axis]
        if row is None or part.start != start:
            if row is not None:
                yield row, start
            start = part.start
            size = list(shape)
            size[axis] = part.stop - part.start
            row = np.empty((answer.probabilities.shape[0], *size), np.float32)
        inside = list(answer.region)
        inside[axis] = slice(0, part.stop - part.start)
        row[(slice(None), *inside)] = answer.probabilities
    if row is not None:
        yield row, start


def on_plan_grid(
    predictor: Predictor,
    task: Task,
    geometry: GeometrySection,
    *,
    spacing: Sequence[float] | None,
    unit: str,
) -> Predictor | GridPredictor:
    """The predictor for images on their own grid: itself where the plan has no other."""
    if not geometry.spacing and geometry.slice_axis is None:
        return predictor
    return GridPredictor(predictor, task, geometry, spacing=spacing, unit=unit)
