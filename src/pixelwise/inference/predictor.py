"""Labels an image of any size tile by tile, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from pixelwise.core.image import Array, Region, Source
from pixelwise.core.plan import InferenceSection
from pixelwise.inference.engines import Engine, Tiles
from pixelwise.inference.tiles import TileGrid, lay_tiles, read_mirrored
from pixelwise.networks import Field
from pixelwise.tasks import Task

Normalise = Callable[[Array], npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class TileAnswer:
    """What was found in one region: labels ([z,] y, x) uint8, probabilities (k, …) float32."""

    region: Region
    labels: npt.NDArray[np.uint8]
    probabilities: npt.NDArray[np.float32]


class Predictor:
    """Labels images with an engine: lays the tiles that the network's field asks for."""

    def __init__(self, engine: Engine, field: Field, task: Task, section: InferenceSection) -> None:
        self._engine = engine
        self._field = field
        self._task = task
        self._section = section

    def lay_tiles(self, shape: tuple[int, ...]) -> TileGrid:
        """The tiles that an image of this shape is cut into."""
        field = self._field
        halo = tuple(max(edge, field.margin) for edge in self._section.halo)
        if all(n <= c for n, c in zip(shape, self._section.tile, strict=True)):
            halo = tuple(max(min(h, 16), field.margin) for h in halo)
        step = int(np.lcm(field.alignment, field.multiple))
        return lay_tiles(
            shape,
            self._section.tile,
            halo,
            alignment=step,
            remainder=field.remainder,
            smallest=field.smallest,
        )

    def predict(self, source: Source, normalise: Normalise) -> Iterator[TileAnswer]:
        """Label a whole image, region by region in raster order."""
        grid = self.lay_tiles(source.header.shape)
        waiting: list[tuple[tuple[int, ...], npt.NDArray[np.float32]]] = []
        for corner in grid.corners():
            waiting.append((corner, normalise(read_mirrored(source, grid, corner))))
            if len(waiting) == self._section.batch:
                yield from self._answer(grid, waiting)
                waiting = []
        if waiting:
            yield from self._answer(grid, waiting)

    def _answer(
        self, grid: TileGrid, tiles: list[tuple[tuple[int, ...], npt.NDArray[np.float32]]]
    ) -> Iterator[TileAnswer]:
        probabilities = self.probabilities(np.stack([values for _, values in tiles]))
        decoded = self._task.decode_output(torch.from_numpy(probabilities))
        labels = decoded.to(torch.uint8).numpy()
        for index, (corner, _) in enumerate(tiles):
            inside = grid.answer_region(corner, self._field.margin)
            yield TileAnswer(
                grid.core_region(corner),
                labels[index][inside],
                probabilities[index][(slice(None), *inside)],
            )

    def probabilities(self, images: Tiles) -> Tiles:
        """(n, c, …) normalised tiles -> (n, k, …) probabilities, averaged over mirrorings."""
        total = self._forward(images)
        for axis in self._section.mirror_axes:
            mirrored = self._forward(np.ascontiguousarray(np.flip(images, axis + 2)))
            total = total + np.flip(mirrored, axis + 2)
        total /= 1 + len(self._section.mirror_axes)
        return total

    def _forward(self, images: Tiles) -> Tiles:
        logits = torch.from_numpy(self._engine.logits(images))
        found: Tiles = self._task.probabilities(logits).numpy()
        return found
