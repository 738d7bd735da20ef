"""Nested and crossing regions through the whole chain: train, predict, evaluate, compare, page."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixelwise.commands.plan as plan_module
from pixelwise.commands.compare import compare
from pixelwise.commands.evaluate import evaluate
from pixelwise.commands.predict import predict
from pixelwise.commands.train import train
from pixelwise.core.errors import BadData
from pixelwise.data.synthetic_volume_files import write_brains
from pixelwise.data.synthetic_volumes import REGIONS
from pixelwise.planning.candidate import Candidate, Measurement
from pixelwise.readers import open_labels
from pixelwise.runs.folder import open_run

FOLDERS = ("whole_tumour", "tumour_core", "enhancing_tumour")
SHAPE = (20, 24, 24)
TINY = (
    "network.name=unet", "network.options.width=4", "network.options.depth=1",
    "sampling.batch=1", "training.steps=3", "training.threads=1", "training.validation_cases=1",
)  # fmt: skip


class PretendedProbe:
    """Measures nothing, so that planning takes no time."""

    def __init__(self, threads: int, limit_seconds: float) -> None:
        self.threads = threads
        self.spent_seconds = 0.0

    def __call__(self, candidate: Candidate) -> Measurement:
        return Measurement(0.01, 1e7, 10_000_000, 1000, "float32", "contiguous", "pretended")


def stored(path: Path) -> np.ndarray:
    with open_labels(path) as source:
        return source.read()[0]


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * float((one & other).sum()) / float(one.sum() + other.sum())


@pytest.fixture(scope="module")
def brains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("brains") / "set"
    return write_brains(root, {"train": 2, "val": 1, "test": 2}, shape=SHAPE)


@pytest.fixture(scope="module")
def run(brains: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "nested"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "Probe", PretendedProbe)
        train(brains, run=folder, settings=(*TINY, "sampling.patch=[16,16,16]"))
    return folder


def test_planned_trained_and_reported(run: Path) -> None:
    plan = open_run(run).read_plan()
    assert plan.task.name == "regions" and plan.task.options["inside"] == [-1, 0, 1]
    assert plan.data.n_channels == 4
    summary = open_run(run).read_scores()["val"]
    assert summary.has_regions and summary.class_names == tuple(REGIONS)
    page = (run / "report.html").read_text()
    assert "axial" in page and 'type="range"' in page and "tumour core" in page


@pytest.fixture(scope="module")
def predicted(run: Path, brains: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "predicted"
    result = predict(run, [brains / "images"], out=out, probabilities=True, measure=True)
    assert len(result.predictions) == 5 and result.problems == ()
    return out


def test_masks_and_label_map_say_the_same(predicted: Path) -> None:
    for case in sorted((predicted / "labels").glob("*.nii.gz")):
        masks = [stored(predicted / folder / case.name) for folder in FOLDERS]
        painted = stored(case)
        for mask, values in zip(masks, REGIONS.values(), strict=True):
            assert np.array_equal(mask == 1, np.isin(painted, values))
    assert np.load(predicted / "probabilities" / "brain-000.npy").shape == (3, *SHAPE)


def test_tables_of_volumes(predicted: Path) -> None:
    with (predicted / "regions" / "brain-000.csv").open(newline="") as stream:
        rows = {row["class"]: row for row in csv.DictReader(stream)}
    mask = stored(predicted / "whole_tumour" / "brain-000.nii.gz")
    assert float(rows["whole tumour"]["volume_mm3"]) == mask.sum()
    assert {"surface_mm2", "mean_flair", "mean_t1ce"} <= set(rows["whole tumour"])


def test_either_form_gets_the_same_scores(predicted: Path, brains: Path, tmp_path: Path) -> None:
    as_masks = evaluate(truth=brains / "masks", predicted=predicted)
    as_map = evaluate(truth=brains / "masks", predicted=predicted / "labels")
    assert as_masks.summary.cases == as_map.summary.cases
    case = next(c for c in as_masks.summary.cases if c.id == "brain-003")
    truth = stored(brains / "masks" / "brain-003.nii.gz")
    for region, (folder, values) in enumerate(zip(FOLDERS, REGIONS.values(), strict=True)):
        mask = stored(predicted / folder / "brain-003.nii.gz") > 0
        by_hand = dice(np.isin(truth, values), mask)
        assert case.classes[region].values["dice"] == pytest.approx(by_hand)


def test_the_truth_itself_comes_back_whole(brains: Path, tmp_path: Path) -> None:
    """Truths as masks against the same truths as a label map: all overlaps are equal."""
    other = write_brains(
        tmp_path / "masks", {"train": 2, "val": 1, "test": 2}, shape=SHAPE, truth="masks"
    )
    result = evaluate(truth=other / "masks", predicted=brains / "masks")
    assert {c.id for c in result.summary.cases} >= {"brain-003", "brain-004"}
    assert all(k.values["dice"] == 1.0 for c in result.summary.cases for k in c.classes)


def test_pages_and_comparison_of_regions(predicted: Path, brains: Path, tmp_path: Path) -> None:
    evaluate(truth=brains / "masks", predicted=predicted, out=tmp_path / "scores")
    page = (tmp_path / "scores" / "evaluation.html").read_text()
    assert "enhancing tumour" in page and 'type="range"' in page
    assert "truths are empty" not in page  # regions are met one by one, not as class ids
    found = compare(
        {"masks": predicted, "map": predicted / "labels"}, truth=brains / "masks",
        out=tmp_path / "compared",
    )  # fmt: skip
    assert {m.class_name for m in found.comparison.metrics} == set(REGIONS)


def test_a_region_that_is_missing_is_named(predicted: Path, brains: Path, tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no predicted masks of enhancing tumour"):
        evaluate(truth=brains / "masks", predicted=_copied(tmp_path, predicted))


def _copied(root: Path, predicted: Path) -> Path:
    """The first two regions of a prediction, as folders of their own."""
    out = root / "part"
    for folder in FOLDERS[:2]:
        (out / folder).mkdir(parents=True)
        for path in (predicted / folder).iterdir():
            (out / folder / path.name).write_bytes(path.read_bytes())
    return out


def make_crossing(root: Path) -> Path:
    """Pictures of two discs that cross: red where the first is, green where the second."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:40, :48]
    splits: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for i, split in enumerate(["train"] * 3 + ["val", "test"]):
        centre, apart = random.uniform(15, 25, 2), random.uniform(4, 8)
        left = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < 64
        right = (y - centre[0]) ** 2 + (x - centre[1] - apart) ** 2 < 64
        image = random.integers(0, 40, (40, 48, 3)).astype(np.uint8)
        image[..., 0] += 180 * left.astype(np.uint8)
        image[..., 1] += 180 * right.astype(np.uint8)
        parts = {"images": image, "masks/left": left * np.uint8(255),
                 "masks/right": right * np.uint8(255)}  # fmt: skip
        for folder, pixels in parts.items():
            (root / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(root / folder / f"disc-{i}.png")
        splits[split].append(f"disc-{i}")
    (root / "splits.json").write_text(json.dumps(splits))
    return root


SEES = '''
"""A network that sees red and green, and needs no training."""

import torch
from torch import nn

from pixelwise.networks import NETWORKS


class Colours(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, images):
        return 8 * images[:, :2] * self.weight


@NETWORKS.register("colours")
def colours(io, *, unused: int = 0):
    """What is red, and what is green."""
    return Colours()
'''


def test_crossing_regions_survive_the_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that knows the answer: both masks come back pixel by pixel, overlap and all."""
    data = make_crossing(tmp_path / "data")
    (tmp_path / "colours.py").write_text(SEES)
    monkeypatch.setattr(plan_module, "Probe", PretendedProbe)
    settings = (
        "network.name=colours", "intensity.scheme=data set", "intensity.centre=[110,110,110]",
        "intensity.scale=[45,45,45]", "sampling.patch=[16,16]", "sampling.batch=1",
        "training.steps=1", "training.threads=1", "training.validation_cases=0",
    )  # fmt: skip
    train(data, run=tmp_path / "run", settings=settings, use=tmp_path / "colours.py")
    out = tmp_path / "out"
    predict(tmp_path / "run", data / "images", out=out, use=tmp_path / "colours.py")
    assert not (out / "labels").exists()
    for side in ("left", "right"):
        for path in sorted((data / "masks" / side).iterdir()):
            assert np.array_equal(stored(path) > 0, stored(out / side / path.name) > 0)
    overlap = stored(out / "left" / "disc-4.png") & stored(out / "right" / "disc-4.png")
    assert overlap.any()
    summary = evaluate(truth=data / "masks", predicted=out).summary
    assert summary.class_names == ("left", "right") and summary.overall["mean_dice"] == 1.0
