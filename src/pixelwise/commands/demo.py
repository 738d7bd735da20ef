"""demo: the main job from beginning to end on generated images with exact truth."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelwise.commands.score_run import score_run
from pixelwise.commands.train import train
from pixelwise.commands.write_page import write_page
from pixelwise.core.errors import BadOutput, UserError
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.records import Summary
from pixelwise.data.synthetic import KIND_NAMES
from pixelwise.data.synthetic_files import write_dataset
from pixelwise.readers import open_labels

N_TRAIN, N_VAL, N_TEST = 24, 6, 10
SHAPE = (320, 320)
_MARK = "pixelwise-demo.txt"


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Where everything lies, the held-out scores, and the share found of each kind of object."""

    data: Path
    run: Path
    labels: Path
    report: Path
    summary: Summary
    kinds: Mapping[str, float]


def demo(
    *,
    out: str | Path = "pixelwise-demo",
    budget: str | float = "2m",
    overwrite: bool = False,
    seed: int = 0,
    listener: Listener = SILENT,
) -> DemoResult:
    """Generate images, train on them, label held-out ones, score them, write a report.

    Raises BadOutput if `out` exists and is not an earlier demo, or `overwrite` is not given.
    """
    folder = Path(out)
    _make_room(folder, overwrite)
    data, run = folder / "data", folder / "run"
    listener.say(f"Generating {N_TRAIN + N_VAL + N_TEST} images …")
    write_dataset(data, n_train=N_TRAIN, n_val=N_VAL, n_test=N_TEST, shape=SHAPE, seed=seed)
    (folder / _MARK).write_text("Made by `pixelwise demo`; can be deleted.\n", encoding="utf-8")
    try:
        train(data, run=run, budget=budget, seed=seed, listener=listener)
    except UserError:
        shutil.rmtree(folder)
        raise
    listener.say("Labelling the held-out images …")
    result = score_run(run, split="test", listener=listener)
    page = write_page(run)
    labels = run / "predictions" / "test"
    kinds = score_kinds(data, labels, [pair.id for pair in result.pairs])
    return DemoResult(data, run, labels, page, result.summary, kinds)


def score_kinds(data: Path, labels: Path, case_ids: list[str]) -> dict[str, float]:
    """Share of the true pixels of each kind of object that was labelled as foreground, pooled."""
    found = dict.fromkeys(KIND_NAMES, 0)
    total = dict.fromkeys(KIND_NAMES, 0)
    for case_id in case_ids:
        with open_labels(data / "kinds" / f"{case_id}.png") as source:
            kinds = source.read()[0]
        with open_labels(labels / f"{case_id}.png") as source:
            is_found = source.read()[0] > 0
        for kind in KIND_NAMES:
            inside = kinds == kind
            total[kind] += int(inside.sum())
            found[kind] += int(np.count_nonzero(is_found & inside))
    return {KIND_NAMES[kind]: found[kind] / total[kind] for kind in KIND_NAMES if total[kind]}


def _make_room(folder: Path, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not (folder / _MARK).exists():
        raise BadOutput(
            "it exists and is no earlier demo",
            "a new folder",
            "Choose another --out.",
            path=folder,
            code="output-exists",
        )
    if not overwrite:
        raise BadOutput(
            "an earlier demo lies there",
            "a new folder",
            "Replace it with --overwrite, or choose another --out.",
            path=folder,
            code="output-exists",
        )
    shutil.rmtree(folder)
