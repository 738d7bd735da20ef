"""A thousand images of 256 x 256 pixels by the command, and the bare network on the same tiles."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.prediction.bare import OpenedRun
from benchmarks.prediction.files import tiles_of
from benchmarks.prediction.turns import take_turns
from benchmarks.prediction.work import Work, unseen_case, write_grey
from pixelwise.commands.predict import predict

N_IMAGES, EDGE = 1000, 256
_MADE_EDGE = 2048
LEAST_OF_BARE = 0.9


def measure(work: Work, engine: str) -> dict[str, Any]:
    """Images a second, reading and writing included, and the bare network's in equal batches.

    Half of the bare batches come before and half after, so that a slow drift meets both alike.
    """
    images = _images(work)
    run = work.wide_run()
    opened = OpenedRun(run)
    predictor, bare = opened.predictor(engine), opened.bare(engine)
    batch = predictor.batch_of((EDGE, EDGE))
    paths = sorted(images.iterdir())
    tiles = np.concatenate([tiles_of(predictor, opened.plan, path)[0] for path in paths])
    out = work.folder / "many-labels"

    def ours() -> None:
        predict(run.path, images, out=out, engine=engine, overwrite=True)

    def alone(first: int, stop: int) -> None:
        for start in range(first, stop, batch):
            bare(tiles[start : min(start + batch, stop)])

    middle = N_IMAGES // 2 // batch * batch
    ways = {
        "bare, first half": partial(alone, 0, middle),
        "ours": ours,
        "bare, second half": partial(alone, middle, N_IMAGES),
    }
    bare(tiles[:batch])
    seconds = {name: found[0] for name, found in take_turns(ways, 1).items()}
    n_written = sum(1 for path in out.iterdir() if path.suffix == ".png")
    shutil.rmtree(out)
    if n_written != N_IMAGES:
        raise RuntimeError(f"{n_written} label files were written, not {N_IMAGES}")
    share = (seconds["bare, first half"] + seconds["bare, second half"]) / seconds["ours"]
    return {
        "images": f"{N_IMAGES} PNG files of {EDGE} x {EDGE}, unet of width 32, {engine}",
        "batch": batch,
        "images a second": round(N_IMAGES / seconds["ours"], 2),
        "of bare": round(share, 3),
        "kept": {"of bare": share >= LEAST_OF_BARE},
    }


def _images(work: Work) -> Path:
    folder = work.folder / "many"
    per_side = _MADE_EDGE // EDGE
    for number in range(N_IMAGES):
        index, place = divmod(number, per_side**2)
        if place == 0 and not (folder / f"{number:04}.png").exists():
            made = unseen_case(10 + index, _MADE_EDGE).image
            for inner in range(min(per_side**2, N_IMAGES - number)):
                y, x = divmod(inner, per_side)
                part = made[y * EDGE : (y + 1) * EDGE, x * EDGE : (x + 1) * EDGE]
                write_grey(folder / f"{number + inner:04}.png", np.ascontiguousarray(part))
    return folder
