"""--tile auto: the tile that labels fastest here, by timing the network on tiles of some sizes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixelwise.commands.open_model import OpenedModel
from pixelwise.commands.peak_memory import tile_bytes
from pixelwise.core.plan import GeometrySection, InferenceSection, network_input
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.runtime import available_bytes
from pixelwise.data.geometry import target_shape
from pixelwise.inference.predictor import Predictor
from pixelwise.inference.tiles import TileGrid
from pixelwise.runs.trained_network import planned_task

EDGES = {2: (128, 192, 256, 384, 512, 768, 1024), 3: (32, 48, 64, 96, 128)}
"""Small tiles fit into the processor's cache and pay in halo, large ones the other way round."""

TIME_SHARE = 0.1
"""Of the time that labelling takes with the plan's own tile, measuring may take this much."""

_MEMORY_SHARE = 0.5
_MOST_SECONDS = 20.0
_RUNS = 4
"""Of a batch of each size, the first to warm up."""

_WORSE = 1.2
"""Larger tiles are not tried once one takes this many times as long as the best."""

_LARGE = {2: 4096, 3: 320}
"""Edge of the image that is thought of where none is given."""


@dataclass(frozen=True, slots=True)
class TileChoice:
    """The plan's section with the tile that was chosen, and a sentence on what was measured.

    seconds: (edge of a tile, seconds for an image), of all that were timed.
    """

    section: InferenceSection
    sentence: str
    seconds: tuple[tuple[int, float], ...] = ()


def choose_tile(
    model: OpenedModel,
    section: InferenceSection,
    shapes: Sequence[tuple[int, ...]] = (),
    *,
    listener: Listener = SILENT,
) -> TileChoice:
    """The tile that labels images of these shapes fastest with this engine on this machine.

    Every size cuts the largest image into tiles, the halo included; a batch of them is timed
    and counted as often as there are batches. Sizes that take more than half of the free memory
    are left out, larger ones too once one is clearly slower. Measuring ends when it has taken a
    tenth of the time that labelling all images takes; without shapes, after 20 s.
    """
    n_dims = network_input(model.plan)[0]
    shape = max(shapes, key=math.prod, default=(_LARGE[n_dims],) * n_dims)
    timer = _Timer(model, section, shape)
    own = timer.seconds(section)
    left = _MOST_SECONDS
    if shapes:
        n_pixels = sum(math.prod(other) for other in shapes)
        left = min(left, TIME_SHARE * own * n_pixels / math.prod(shape))
    best, least = section, own
    found = {section.tile[-1]: own}
    deadline = time.monotonic() + left
    for number, edge in enumerate(EDGES[n_dims]):
        candidate = section.model_copy(update={"tile": (edge,) * len(section.tile)})
        if timer.is_known(candidate) or not _fits(model, candidate):
            continue
        if time.monotonic() + _RUNS * own * timer.share(candidate) > deadline:
            continue
        listener.advance(number, len(EDGES[n_dims]), f"timing tiles of {edge}")
        seconds = timer.seconds(candidate)
        found[edge] = seconds
        if seconds < least:
            best, least = candidate, seconds
        elif edge > best.tile[-1] and seconds > _WORSE * least:
            break
    return TileChoice(best, _sentence(best, found), tuple(sorted(found.items())))


def network_shape(
    shape: tuple[int, ...], spacing: Sequence[float] | None, geometry: GeometrySection
) -> tuple[int, ...]:
    """The shape of an image as the network meets it: on the plan's grid, or a slice of that."""
    if geometry.spacing and spacing is not None:
        shape = target_shape(shape, spacing, geometry.spacing)
    axis = geometry.slice_axis
    return shape if axis is None else (*shape[:axis], *shape[axis + 1 :])


class _Timer:
    """Times the engine on the tiles that a section cuts an image into."""

    def __init__(self, model: OpenedModel, section: InferenceSection, shape: tuple[int, ...]):
        self._model = model
        self._shape = shape
        self._n_channels = network_input(model.plan)[1]
        self._grids: set[tuple[int, ...]] = set()

    def is_known(self, section: InferenceSection) -> bool:
        """Whether another size has led to the same tiles."""
        return self._lay(section)[0].read_shape in self._grids

    def share(self, section: InferenceSection) -> float:
        """A batch of these tiles as a share of the image's pixels."""
        grid, batch = self._lay(section)
        return min(batch, len(grid)) * math.prod(grid.read_shape) / math.prod(self._shape)

    def seconds(self, section: InferenceSection) -> float:
        """Seconds for the whole image: the shortest of three batches, times their number."""
        grid, batch = self._lay(section)
        self._grids.add(grid.read_shape)
        n_tiles = min(batch, len(grid))
        noise = np.random.default_rng(0)
        tiles = noise.standard_normal((n_tiles, self._n_channels, *grid.read_shape), np.float32)
        predictor = self._predictor(section)
        predictor.scores(tiles)
        least = math.inf
        started = time.monotonic()
        for _ in range(_RUNS - 1):
            begun = time.perf_counter()
            predictor.scores(tiles)
            least = min(least, time.perf_counter() - begun)
            if time.monotonic() - started > 1.0:
                break
        return least * len(grid) / n_tiles

    def _lay(self, section: InferenceSection) -> tuple[TileGrid, int]:
        predictor = self._predictor(section)
        grid = predictor.lay_tiles(self._shape)
        return grid, predictor.batch_of(grid.read_shape)

    def _predictor(self, section: InferenceSection) -> Predictor:
        opened = self._model.opened
        return Predictor(opened.engine, opened.field, planned_task(self._model.plan), section)


def _fits(model: OpenedModel, section: InferenceSection) -> bool:
    """Whether a batch of these tiles takes no more than half of the free memory."""
    free = available_bytes()
    if free is None or model.network is None:
        return True
    n_channels, n_outputs = network_input(model.plan)[1], planned_task(model.plan).n_outputs
    needed = tile_bytes(model.network, section, n_channels, n_outputs)
    return needed is None or needed <= _MEMORY_SHARE * free


def _sentence(best: InferenceSection, found: dict[int, float]) -> str:
    shown = ", ".join(f"{edge}: {seconds:.2g} s" for edge, seconds in sorted(found.items()))
    tile = " x ".join(map(str, best.tile))
    return f"Tiles of {tile} pixels (seconds for the largest image by edge: {shown})"
