"""Tiles of training images as the network sees them in prediction, to measure ranges on."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import closing
from functools import partial

import numpy as np

from pixelwise.commands.load_predictor import make_predictor
from pixelwise.core.case import Case
from pixelwise.core.plan import Plan
from pixelwise.data.channels import match_channels
from pixelwise.data.intensity import scale_for
from pixelwise.data.shading import evened
from pixelwise.inference.engines import Tiles
from pixelwise.networks import Field
from pixelwise.readers.stacked import open_images
from pixelwise.runs.trained_network import planned_task

WANTED = 32
"""Tiles; ranges of activations hardly change with more."""

_MOST_BYTES = 512 << 20
_MOST_CASES = 16
_LOOKED_AT = 64
"""Regions of an image that are gone through; of these, tiles are taken evenly."""


def calibration_tiles(plan: Plan, field: Field, cases: Sequence[Case]) -> list[Tiles]:
    """Up to WANTED tiles (1, c, [z,] y, x), normalised, spread over cases and over images.

    They come through the run's own way of prediction: its grid, its slices, its intensities.
    """
    n_cases = min(len(cases), _MOST_CASES)
    chosen = [cases[i * len(cases) // n_cases] for i in range(n_cases)]
    wanted = -(-WANTED // n_cases)
    found: list[Tiles] = []
    for case in chosen:
        seen = _tiles_of(plan, field, case)
        picks = sorted({i * len(seen) // wanted for i in range(wanted)})
        found += [seen[i] for i in picks if i < len(seen)]
    n_bytes = 0
    kept: list[Tiles] = []
    for tile in found[:WANTED]:
        n_bytes += tile.nbytes
        if kept and n_bytes > _MOST_BYTES:
            break
        kept.append(tile)
    return kept


class _Recorder:
    """An engine that only keeps what it is shown."""

    name = "recorder"

    def __init__(self, n_outputs: int, margin: int) -> None:
        self.seen: list[Tiles] = []
        self._n_outputs = n_outputs
        self._margin = margin

    def logits(self, images: Tiles) -> Tiles:
        """Zeros, on the grid of the network's answer."""
        self.seen += [image[None].copy() for image in images]
        sizes = [size - 2 * self._margin for size in images.shape[2:]]
        return np.zeros((len(images), self._n_outputs, *sizes), np.float32)


def _tiles_of(plan: Plan, field: Field, case: Case) -> list[Tiles]:
    recorder = _Recorder(planned_task(plan).n_outputs, field.margin)
    section = plan.inference.model_copy(
        update={"mirror_axes": (), "rotations": False, "overlap": 0.0, "skip_below": 0.0}
    )
    predictor = make_predictor(recorder, field, plan, section)
    convert = partial(match_channels, n_channels=plan.data.n_channels)
    with evened(open_images(case.images), plan.intensity.shading) as source:
        scale = scale_for(plan.intensity, source, convert)
        with closing(predictor.predict(source, lambda i: scale.apply(convert(i)))) as answers:
            for _ in itertools.islice(answers, _LOOKED_AT):
                pass
    return recorder.seen
