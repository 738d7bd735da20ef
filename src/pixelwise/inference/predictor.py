"""Labels an image of any size tile by tile, in bounded memory."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pixelwise.core.errors import UserError
from pixelwise.core.image import Array, Region, Source
from pixelwise.core.plan import InferenceSection
from pixelwise.inference.averaging import views_of
from pixelwise.inference.blending import Band, overlapping
from pixelwise.inference.engines import Engine, Tiles
from pixelwise.inference.read_ahead import ReadAhead
from pixelwise.inference.tiles import Tile, TileGrid, lay_tiles, read_tile
from pixelwise.networks import Field
from pixelwise.tasks import Task

Values = TypeVar("Values", Tiles, Tensor)

Normalise = Callable[[Array], npt.NDArray[np.float32]]

_MOST_WAITING = 32
"""Tiles that wait for others of their shape: where all images differ, memory stays bounded."""

_TILES_AHEAD = 4
"""Full batches of tiles that are read while the network is at an earlier one."""

_SURE = 8.0
"""Logits of what was skipped: the softmax of 8 and -8 is 1 to seven digits."""


@dataclass(frozen=True)
class TileAnswer:
    """What was found in one region: labels ([z,] y, x) uint8, probabilities (k, …) float32.

    given: the probabilities, or a function that computes those of every n-th pixel along each
    axis; it is called when they are first asked for. objects: numbers of single objects, 0 is
    none, where the whole image was looked at for them.
    """

    region: Region
    labels: npt.NDArray[np.uint8]
    given: Tiles | Callable[[int], Tiles]
    objects: npt.NDArray[np.int32] | None = None

    @cached_property
    def probabilities(self) -> Tiles:
        """(k, [z,] y, x), float32."""
        return self.given(1) if callable(self.given) else self.given

    def thinned(self, step: int) -> Tiles:
        """The probabilities of every step-th pixel along each axis."""
        if callable(self.given) and "probabilities" not in self.__dict__:
            return self.given(step)
        return thin_out(self.probabilities, step)


@dataclass(frozen=True, slots=True)
class Request:
    """A tile of some image: what the network is to see, None where there is nothing to see.

    error: what ended the reading of the image; there is no tile then.
    """

    tile: Tile | None
    grid: TileGrid
    values: Tiles | None
    image: Any = None
    error: UserError | None = None


RequestOrFlush = TypeVar("RequestOrFlush", Request, Request | None)
"""None among requests asks for answers to what waits."""

Joiner = Callable[[Tile, Tensor | None], Iterator[TileAnswer]]
"""What takes the scores (k, …) of an image's tiles in raster order and gives regions."""


class TileCount:
    """How many tiles were read, and how many of them were taken for empty; for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.n_tiles = 0
        self.n_skipped = 0

    def add(self, *, is_skipped: bool) -> None:
        """One tile more."""
        with self._lock:
            self.n_tiles += 1
            self.n_skipped += is_skipped


class Predictor:
    """Labels images with an engine: lays the tiles that the network's field asks for.

    section says how: see `InferenceSection`. One predictor may serve several threads.
    """

    def __init__(self, engine: Engine, field: Field, task: Task, section: InferenceSection) -> None:
        self._engine = engine
        self._field = field
        self._task = task
        self._section = section
        self.tiles = TileCount()
        self._views = views_of(
            len(section.tile), section.mirror_axes, with_rotations=section.rotations
        )

    def lay_tiles(self, shape: tuple[int, ...]) -> TileGrid:
        """The tiles that an image of this shape is cut into.

        A network without padding needs no halo: its margin is all the context there is.
        """
        field, section = self._field, self._section
        core, halo = section.tile, section.halo
        if section.overlap > 0:
            core, halo = overlapping(section.tile, section.overlap)
        elif field.margin > 0:
            halo = (0,) * len(core)
        return lay_tiles(
            shape,
            core,
            halo,
            margin=field.margin,
            alignment=math.lcm(field.alignment, field.multiple),
            remainder=field.remainder,
            smallest=field.smallest,
        )

    def predict(self, source: Source, normalise: Normalise) -> Generator[TileAnswer, None, None]:
        """Label a whole image, region by region in raster order.

        The next tiles are read and normalised in a thread while the network is at work; it ends
        with the generator, which is to be closed before the source if it is left early.
        """
        grid = self.lay_tiles(source.header.shape)
        joiner = self.joiner(grid)
        if len(grid) == 1:
            yield from self._join(joiner, self.requests(source, normalise, grid))
            return
        with self.read_ahead(lambda: self.requests(source, normalise, grid)) as requests:
            yield from self._join(joiner, requests)

    def _join(self, joiner: Joiner, requests: Iterable[Request]) -> Iterator[TileAnswer]:
        for request, scores in self.score(requests):
            if request.tile is not None:
                yield from joiner(request.tile, scores)

    def read_ahead(
        self, produce: Callable[[], Generator[RequestOrFlush, None, None]]
    ) -> ReadAhead[RequestOrFlush]:
        """Requests, made in a thread a few batches ahead of the network."""
        full = self.batch_of(self._full_shape()) * math.prod(self._full_shape())
        return ReadAhead(produce, _n_pixels, _TILES_AHEAD * full)

    def requests(
        self, source: Source, normalise: Normalise, grid: TileGrid, image: Any = None
    ) -> Generator[Request, None, None]:
        """The tiles of an image, read and normalised; without values where they are empty."""
        for tile in grid.tiles():
            values = normalise(read_tile(source, grid, tile))
            is_empty = self._section.skip_below > 0 and spread(values) < self._section.skip_below
            self.tiles.add(is_skipped=is_empty)
            yield Request(tile, grid, None if is_empty else values, image)

    def score(self, requests: Iterable[Request | None]) -> Iterator[tuple[Request, Tensor | None]]:
        """Requests with the network's scores (k, …), None for empty tiles.

        Tiles of equal shape are stacked into batches, also those of several images; the
        tiles of one image keep their order. None among the requests: answer what waits.
        """
        waiting: dict[tuple[int, ...], list[Request]] = {}
        for request in requests:
            if request is None:
                for shape in list(waiting):
                    yield from self._answer(waiting.pop(shape))
                continue
            shape = request.grid.read_shape
            bucket = waiting.setdefault(shape, [])
            bucket.append(request)
            n_waiting = sum(len(other) for other in waiting.values())
            if len(bucket) >= self.batch_of(shape) or n_waiting >= _MOST_WAITING:
                yield from self._answer(waiting.pop(shape))
        for bucket in waiting.values():
            yield from self._answer(bucket)

    def batch_of(self, read_shape: tuple[int, ...]) -> int:
        """How many tiles go into a batch: small ones until they have the pixels of a large one."""
        full = math.prod(self._full_shape())
        return max(1, self._section.batch * full // math.prod(read_shape))

    def _full_shape(self) -> tuple[int, ...]:
        section = self._section
        return tuple(c + 2 * h for c, h in zip(section.tile, section.halo, strict=True))

    def joiner(self, grid: TileGrid) -> Joiner:
        """What makes regions of the scores of one image's tiles: cut out, or blended."""
        if self._section.overlap > 0:
            band = Band(grid, self._empty_scores())

            def blend(tile: Tile, scores: Tensor | None) -> Iterator[TileAnswer]:
                for region, blended in band.add(tile, scores):
                    yield self._decode(region, blended)

            return blend

        def cut(tile: Tile, scores: Tensor | None) -> Iterator[TileAnswer]:
            if scores is None:
                shape = [part.stop - part.start for part in tile.region]
                empty = self._empty_scores().reshape(-1, *[1] * len(shape))
                yield self._decode(tile.region, empty.expand(-1, *shape))
            else:
                yield self._decode(tile.region, scores[(slice(None), *tile.inside)])

        return cut

    def scores(self, images: Tiles) -> Tensor:
        """(n, c, …) normalised tiles -> (n, k, …): logits, or mean probabilities of all views."""
        if len(self._views) == 1:
            return torch.from_numpy(self._engine.logits(images))
        total: Tiles = np.zeros((), np.float32)
        for view in self._views:
            logits = torch.from_numpy(self._engine.logits(view.of(images)))
            total = total + view.back(self._task.probabilities(logits).numpy())
        return torch.from_numpy(total) / len(self._views)

    def _answer(self, bucket: list[Request]) -> Iterator[tuple[Request, Tensor | None]]:
        tiles = [request.values for request in bucket if request.values is not None]
        found: Iterator[Tensor] = iter(())
        if tiles:
            found = iter(self.scores(tiles[0][None] if len(tiles) == 1 else np.stack(tiles)))
        for request in bucket:
            yield request, None if request.values is None else next(found)

    def _decode(self, region: Region, scores: Tensor) -> TileAnswer:
        task, batch = self._task, scores[None]
        if len(self._views) == 1 and task.decode_logits is not None:
            labels = task.decode_logits(batch)[0]

            def probabilities_of(step: int) -> Tiles:
                found: Tiles = task.probabilities(thin_out(scores, step)[None])[0].numpy()
                return found

            return TileAnswer(region, _bytes(labels), probabilities_of)
        probabilities = batch if len(self._views) > 1 else task.probabilities(batch)
        labels = task.decode_output(probabilities)[0]
        return TileAnswer(region, _bytes(labels), probabilities[0].numpy())

    def _empty_scores(self) -> Tensor:
        """Scores (k,) of a pixel that was not looked at: surely background (or no region)."""
        is_first = torch.zeros(self._task.n_outputs)
        if not self._task.overlaps:
            is_first[0] = 1
        return is_first if len(self._views) > 1 else _SURE * (2 * is_first - 1)


def _n_pixels(request: Request | None) -> int:
    if request is None or request.values is None:
        return 0
    return math.prod(request.values.shape[1:])


def spread(values: Tiles) -> float:
    """The largest difference of two values within any channel of (c, …)."""
    flat = values.reshape(len(values), -1)
    return float((flat.max(axis=1) - flat.min(axis=1)).max())


def thin_out(values: Values, step: int) -> Values:
    """Every step-th pixel of (k, [z,] y, x) along the spatial axes, a view."""
    found: Values = values[(slice(None), *[slice(None, None, step)] * (values.ndim - 1))]
    return found


def _bytes(labels: Tensor) -> npt.NDArray[np.uint8]:
    found: npt.NDArray[np.uint8] = labels.to(torch.uint8).numpy()
    return found
