"""One image from file to label file by the parts of the package, and the tiles that it makes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixelwise.core.image import Array
from pixelwise.core.plan import Plan
from pixelwise.data.channels import match_channels
from pixelwise.data.intensity import scale_for
from pixelwise.inference.labeller import LabelOutput, label_image
from pixelwise.inference.predictor import Predictor
from pixelwise.inference.tiles import TileGrid, read_tile
from pixelwise.readers import create_labels, open_image

Tiles = npt.NDArray[np.float32]


def label_file(predictor: Predictor, plan: Plan, image: Path, out: Path) -> None:
    """Read, normalise, label, write."""
    convert = partial(match_channels, n_channels=plan.data.n_channels)
    with (
        open_image(image) as source,
        create_labels(out, replace(source.header, palette=None)) as sink,
    ):
        scale = scale_for(plan.intensity, source, convert)

        def normalise(values: Array) -> Tiles:
            return scale.apply(convert(values))

        label_image(
            predictor, source, normalise, LabelOutput(sink), n_classes=len(plan.data.classes)
        )


def tiles_of(predictor: Predictor, plan: Plan, image: Path) -> list[Tiles]:
    """What the network is shown of an image: (1, c, y, x) each, normalised."""
    convert = partial(match_channels, n_channels=plan.data.n_channels)
    with open_image(image) as source:
        scale = scale_for(plan.intensity, source, convert)
        grid = predictor.lay_tiles(source.header.shape)
        return [scale.apply(convert(read_tile(source, grid, t)))[None] for t in grid.tiles()]


def halo_share(grid: TileGrid) -> float:
    """Pixels that are computed besides those of the image, as a share of the image's."""
    return grid.read_pixels / float(np.prod(grid.shape)) - 1
