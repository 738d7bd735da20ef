"""Labels an image of any size tile by tile, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from pixelwise.core.image import Array, Region, Source
from pixelwise.core.plan import InferenceSection
from pixelwise.core.runtime import MEMORY_FORMATS, lay_out
from pixelwise.inference.tiles import TileGrid, lay_tiles, read_mirrored
from pixelwise.networks import Field, field_of
from pixelwise.tasks import Task

Normalise = Callable[[Array], npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class TileAnswer:
    """What was found in one region: labels ([z,] y, x) uint8, probabilities (k, …) float32."""

    region: Region
    labels: npt.NDArray[np.uint8]
    probabilities: npt.NDArray[np.float32]


class Predictor:
    """A network ready to label: on its device, in its arithmetic, in evaluation mode."""

    def __init__(
        self,
        network: nn.Module,
        task: Task,
        section: InferenceSection,
        *,
        precision: str = "float32",
        memory_format: str = "contiguous",
        n_dims: int = 2,
        device: torch.device | None = None,
    ) -> None:
        self._device = device or torch.device("cpu")
        layout = MEMORY_FORMATS[memory_format, n_dims]
        self._network = network.to(self._device).eval()
        lay_out(self._network, layout)
        self._field: Field = field_of(network)
        self._task = task
        self._section = section
        self._use_bfloat16 = precision == "bfloat16"
        self._memory_format = layout

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
        images = torch.from_numpy(np.stack([values for _, values in tiles]))
        probabilities = self.probabilities(images)
        labels = self._task.decode_output(probabilities).to(torch.uint8).cpu().numpy()
        values = probabilities.cpu().numpy()
        for index, (corner, _) in enumerate(tiles):
            inside = grid.answer_region(corner, self._field.margin)
            yield TileAnswer(
                grid.core_region(corner),
                labels[index][inside],
                values[index][(slice(None), *inside)],
            )

    def probabilities(self, images: Tensor) -> Tensor:
        """(n, c, …) normalised tiles -> (n, k, …) probabilities, averaged over mirrorings."""
        images = images.to(self._device, memory_format=self._memory_format)
        total = self._forward(images)
        for axis in self._section.mirror_axes:
            mirrored = self._forward(images.flip(axis + 2)).flip(axis + 2)
            total = total + mirrored
        return total / (1 + len(self._section.mirror_axes))

    def _forward(self, images: Tensor) -> Tensor:
        kind = self._device.type
        with (
            torch.inference_mode(),
            torch.autocast(kind, torch.bfloat16, enabled=self._use_bfloat16),
        ):
            logits = self._network(images)
        return self._task.probabilities(logits)
