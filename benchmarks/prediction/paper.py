"""The paper's U-Net: a 512 x 512 image from file to label file, and its bare network."""

from __future__ import annotations

import statistics
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.prediction.bare import OpenedRun
from benchmarks.prediction.files import label_file, tiles_of
from benchmarks.prediction.turns import ratio, take_turns
from benchmarks.prediction.work import Work, unseen_case, write_grey

ROUNDS = 7
MOST_SECONDS = {"openvino-int8": 1.0, "torch-bfloat16": 1.6, "openvino-bfloat16": 1.6}
LEAST_OF_BARE = 0.8


def measure(work: Work) -> dict[str, Any]:
    """Seconds from file to file on warm engines, and the bare network's on the same tiles."""
    image = write_grey(work.folder / "paper.png", unseen_case(0, 512).image)
    opened = OpenedRun(work.paper_run())
    found: dict[str, Any] = {"network": "unet-paper, 31 million weights, 512 x 512 pixels"}
    kept = {}
    for engine, most in MOST_SECONDS.items():
        seconds, share = _measure_engine(opened, engine, image)
        found[f"{engine} seconds"] = round(seconds, 3)
        found[f"{engine} of bare"] = round(share, 3)
        kept[f"{engine} seconds"] = seconds < most
        kept[f"{engine} of bare"] = share >= LEAST_OF_BARE
    return {**found, "kept": kept}


def _measure_engine(opened: OpenedRun, engine: str, image: Path) -> tuple[float, float]:
    predictor, bare = opened.predictor(engine), opened.bare(engine)
    tiles = tiles_of(predictor, opened.plan, image)

    def alone() -> None:
        for tile in tiles:
            bare(tile)

    ours = partial(label_file, predictor, opened.plan, image, image.with_suffix(".labels.png"))
    take_turns({"ours": ours, "bare": alone}, 2)
    seconds = take_turns({"ours": ours, "bare": alone}, ROUNDS)
    return statistics.median(seconds["ours"]), ratio(seconds["bare"], seconds["ours"])
