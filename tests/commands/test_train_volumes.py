"""Volumes through the whole command: a held-out part, other spacings, slices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pixelwise.commands.load_predictor import make_predictor, torch_engine
from pixelwise.commands.predict import predict
from pixelwise.commands.run_cases import split_cases
from pixelwise.commands.score_in_memory import label_in_memory, score_in_memory
from pixelwise.commands.train import train
from pixelwise.networks import field_of
from pixelwise.readers import open_labels
from pixelwise.runs.folder import open_run
from pixelwise.runs.trained_network import load_network


def write_volumes(
    folder: Path, shapes: list[tuple[int, ...]], spacing: tuple[float, ...] | None = None
) -> Path:
    """Bright blobs on dark ground, as NumPy files, with the spacing in dataset.json."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    for index, shape in enumerate(shapes):
        random = np.random.default_rng(index)
        field = gaussian_filter(random.normal(size=shape), 2.5)
        labels = (field > 0.5 * field.std()).astype(np.uint8)
        image = (labels * 100 + random.normal(60, 8, shape)).clip(0, 255).astype(np.uint8)
        np.save(folder / "images" / f"v{index}.npy", image)
        np.save(folder / "masks" / f"v{index}.npy", labels)
    if spacing is not None:
        content = {"spacing": {"unit": "mm", "zyx": list(spacing)}}
        (folder / "dataset.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def run_training(data: Path, run: Path, *settings: str, steps: int = 4) -> Any:
    fixed = ("network.options.width=4", "network.options.depth=2", "network.name=unet")
    train(data, run=run, settings=(f"training.steps={steps}", *fixed, *settings), thumbnails=False)
    return open_run(run).read_plan()


def labels_of(folder: Path, stem: str) -> np.ndarray:
    path = next(path for path in folder.iterdir() if path.name.startswith(stem))
    with open_labels(path) as source:
        return source.read()[0]


def test_a_single_volume_keeps_a_part_for_validation(tmp_path: Path) -> None:
    """A quarter of the longest axis, at its end, is scored and nothing else."""
    shape = (20, 32, 24)
    data = write_volumes(tmp_path / "data", [shape])
    plan = run_training(data, tmp_path / "run", "sampling.patch=[16,16,16]", steps=25)
    assert plan.data.hold_out == 0.25
    summary = open_run(tmp_path / "run").read_scores()["val"]
    assert summary.cases[0].n_valid == 20 * 8 * 24
    truth = np.load(data / "masks" / "v0.npy")[:, 24:]
    foreground = next(c for c in summary.cases[0].classes if c.class_id == 1)
    assert foreground.tp + foreground.fn == int(truth.sum())
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000


def test_while_training_only_the_held_out_part_is_labelled(tmp_path: Path) -> None:
    """Of 96 slices the last 24 are scored; 32 before them are read for context, from slice 32."""
    data = write_volumes(tmp_path / "data", [(96, 16, 16)])
    plan = run_training(data, tmp_path / "run", "sampling.patch=[16,16,16]", steps=30)
    run = open_run(tmp_path / "run")
    case = split_cases(run, plan, "val")[0]
    network = load_network(run, plan)
    predictor = make_predictor(torch_engine(network, plan), field_of(network), plan)
    whole = label_in_memory(predictor, plan, case)
    part = label_in_memory(predictor, plan, case, only_scored=True)
    assert whole[:32].any()
    assert not part[:32].any()
    assert part[32:72].any()
    assert (part[72:] == whole[72:]).mean() > 0.99
    scores = score_in_memory(predictor, plan, case)
    assert scores.n_valid == 24 * 16 * 16


@pytest.mark.parametrize(
    "settings",
    [
        ("geometry.spacing=[1.5,1.3,1.3]", "sampling.patch=[8,16,16]"),
        ("geometry.slice_axis=0", "geometry.neighbours=1", "sampling.patch=[16,16]"),
        ("geometry.slice_axis=2", "geometry.spacing=[1.5,1.3,null]", "sampling.patch=[16,16]"),
    ],
)
def test_labels_come_back_on_the_grid_of_the_file(
    tmp_path: Path, settings: tuple[str, ...]
) -> None:
    """They agree with the truth, and less so if they are moved by a voxel along any axis."""
    shapes = [(12, 20, 18), (14, 22, 16), (12, 18, 20), (13, 21, 17)]
    data = write_volumes(tmp_path / "data", shapes, (2.0, 1.0, 1.0))
    plan = run_training(data, tmp_path / "run", *settings, steps=120)
    assert len(plan.inference.tile) == len(plan.sampling.patch)
    result = predict(tmp_path / "run", data / "images", out=tmp_path / "out")
    assert not result.problems
    moves = [(0, 0), *((axis, step) for axis in range(3) for step in (-1, 1))]
    agreement = np.zeros(len(moves))
    for index, shape in enumerate(shapes):
        found = labels_of(tmp_path / "out", f"v{index}")
        assert found.shape == shape
        truth = np.load(data / "masks" / f"v{index}.npy")
        agreement += [(np.roll(found, step, axis) == truth).mean() for axis, step in moves]
    agreement /= len(shapes)
    assert agreement[0] > 0.85
    assert agreement[0] > agreement[1:].max()
