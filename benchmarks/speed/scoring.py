"""Scoring folders: pairs a second, by one worker, by all, and only read; the bootstrap."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from pixelwise.commands.ordered_work import work_in_order
from pixelwise.commands.read_pair import read_pair
from pixelwise.commands.score_files import score_files
from pixelwise.commands.score_folders import evaluate_folders
from pixelwise.commands.score_pair import Judgement
from pixelwise.core.progress import SILENT
from pixelwise.core.runtime import usable_cores
from pixelwise.evaluation.bootstrap import bootstrap_means

SIZES = {"128": (128, 400), "1024": (1024, 24)}
"""Edge of the masks, and how many pairs of them."""

ROUNDS = 3
BOOTSTRAP_LIMIT = 2.0
SPEED_UP = 1.3
"""All cores against one worker on large masks, on two cores."""

READING_SHARE = 0.35
"""Reading the files alone takes at least this share of the time of scoring large masks."""


def measure() -> dict[str, Any]:
    """Workers take turns on the same files; the fastest of three rounds counts."""
    found: dict[str, Any] = {"cores": usable_cores()}
    for name, (edge, n_pairs) in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            write_pairs(Path(folder), edge, n_pairs)
            found[f"pairs_per_second_{name}"] = _rates(Path(folder), n_pairs)
    found["bootstrap_seconds"] = round(_bootstrap_seconds(), 3)
    large = found["pairs_per_second_1024"]
    is_alone = found["cores"] < 2
    found["kept"] = {
        "bootstrap": found["bootstrap_seconds"] < BOOTSTRAP_LIMIT,
        "all_cores": is_alone or large["all"] > SPEED_UP * large["one"],
        "bound_by_reading": large["all"] > READING_SHARE * large["only reading"],
    }
    return found


def write_pairs(folder: Path, edge: int, n_pairs: int) -> None:
    """Masks of blobs, and the same moved by some pixels, as 8-bit PNG files."""
    random = np.random.default_rng(0)
    for name in ("truth", "predicted"):
        (folder / name).mkdir()
    for i in range(n_pairs):
        truth = ndimage.gaussian_filter(random.standard_normal((edge, edge)), 4) > 0.06
        moved = np.roll(truth, (i % 3, i % 2), (0, 1))
        for name, mask in (("truth", truth), ("predicted", moved)):
            Image.fromarray(mask.astype(np.uint8) * 255).save(folder / name / f"{i:05d}.png")


def _rates(folder: Path, n_pairs: int) -> dict[str, float]:
    """Pairs a second: scored by one worker, by all, and only read by all."""
    result = evaluate_folders(folder / "truth", folder / "predicted")
    judgement = Judgement([c.name for c in result.classes])
    n = usable_cores()
    ways: dict[str, Callable[[], object]] = {
        "one": lambda: score_files(result.pairs, judgement, n_workers=1),
        "all": lambda: score_files(result.pairs, judgement, n_workers=n),
        "only reading": lambda: list(
            work_in_order(lambda pair: bool(read_pair(pair)), result.pairs, SILENT, "", n_workers=n)
        ),
    }
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            seconds = time.perf_counter() - started
            best[name] = max(best.get(name, 0.0), round(n_pairs / seconds, 1))
    return best


def _bootstrap_seconds() -> float:
    values = np.random.default_rng(0).random((1000, 20))
    bootstrap_means(values[:50], n_draws=50)
    seconds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        bootstrap_means(values)
        seconds.append(time.process_time() - started)
    return min(seconds)
