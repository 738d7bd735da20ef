"""Touching cells from training to files: object numbers beside the labels, scored as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pixelwise.commands.predict import predict
from pixelwise.commands.train import train
from pixelwise.runs.folder import open_run


def make_set(root: Path) -> Path:
    """Bright squares that touch in pairs, with numbers that have gaps."""
    for folder in ("images", "masks", "instances"):
        (root / folder).mkdir(parents=True)
    random = np.random.default_rng(0)
    for i in range(6):
        numbers = np.zeros((64, 72), np.uint16)
        for k, (row, column) in enumerate(((6, 8), (6, 22), (34, 30), (48, 30))):
            numbers[row : row + 14, column + i : column + i + 14] = 100 * k + 5
        image = 60 + 120 * (numbers > 0) + random.normal(0, 8, numbers.shape)
        Image.fromarray(image.astype(np.uint8)).save(root / "images" / f"c{i}.png")
        Image.fromarray((numbers > 0).astype(np.uint8)).save(root / "masks" / f"c{i}.png")
        Image.fromarray(numbers).save(root / "instances" / f"c{i}.png")
    return root


def test_from_numbers_to_numbers(tmp_path: Path) -> None:
    data = make_set(tmp_path / "data")
    settings = (
        "task.name=instances", "loss.border_peak=10", "loss.class_weights=inverse",
        "training.steps=4", "network.name=unet", "network.options.width=4",
        "network.options.depth=2", "sampling.patch=[32,32]", "sampling.batch=2",
        "training.precision=float32", "training.memory_format=contiguous",
    )  # fmt: skip
    result = train(data, run=tmp_path / "run", settings=settings)
    plan = open_run(tmp_path / "run").read_plan()
    assert result.is_finished
    assert plan.task.name == "instances"
    assert plan.loss.border_peak == 10
    assert open_run(tmp_path / "run").read_cases()[0].objects == data / "instances" / "c0.png"
    predict(tmp_path / "run", data / "images", out=tmp_path / "out", probabilities=True)
    for i in range(6):
        labels = np.asarray(Image.open(tmp_path / "out" / f"c{i}.png"))
        numbers = np.asarray(Image.open(tmp_path / "out" / "objects" / f"c{i}.png"))
        assert numbers.dtype == np.uint16 or numbers.max() < 1 << 16
        np.testing.assert_array_equal(numbers > 0, labels > 0)
        assert len(np.unique(numbers[numbers > 0])) == numbers.max()
    stored = np.load(tmp_path / "out" / "probabilities" / "c0.npy")
    assert stored.shape == (2, 64, 72)
