"""An image of 8192 x 8192 pixels by tiles, and the bare network on the same tiles."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.prediction.bare import OpenedRun
from benchmarks.prediction.files import halo_share, label_file, tiles_of
from benchmarks.prediction.turns import take_turns
from benchmarks.prediction.work import Work, unseen_case, write_grey

EDGE, REPEATED = 8192, 1024
LEAST_OF_BARE = 0.95


def measure(work: Work, engine: str) -> dict[str, Any]:
    """Megapixels a second from file to file, and the bare network's; halo included in both.

    Half of the bare tiles come before and half after, so that a slow drift meets both alike.
    """
    image = _image(work)
    opened = OpenedRun(work.wide_run())
    predictor, bare = opened.predictor(engine), opened.bare(engine)
    tiles = tiles_of(predictor, opened.plan, image)
    grid = predictor.lay_tiles((EDGE, EDGE))

    def alone(part: slice) -> None:
        for tile in tiles[part]:
            bare(tile)

    middle = len(tiles) // 2
    ways = {
        "bare, first half": partial(alone, slice(0, middle)),
        "ours": partial(
            label_file, predictor, opened.plan, image, image.with_suffix(".labels.png")
        ),
        "bare, second half": partial(alone, slice(middle, None)),
    }
    bare(tiles[0])
    predictor.scores(tiles[0])
    seconds = {name: found[0] for name, found in take_turns(ways, 1).items()}
    share = (seconds["bare, first half"] + seconds["bare, second half"]) / seconds["ours"]
    return {
        "image": f"{EDGE} x {EDGE}, unet of width 32, {engine}, file to file",
        "tiles": f"{len(grid)} of {' x '.join(map(str, grid.read_shape))}",
        "halo as share of the image": round(halo_share(grid), 4),
        "megapixels a second": round(EDGE**2 / 1e6 / seconds["ours"], 3),
        "of bare": round(share, 3),
        "kept": {"of bare": share >= LEAST_OF_BARE},
    }


def _image(work: Work) -> Path:
    path = work.folder / "large.png"
    if not path.exists():
        tile = unseen_case(1, REPEATED).image
        write_grey(path, np.tile(tile, (EDGE // REPEATED, EDGE // REPEATED)))
    return path
