"""A plan that evens out illumination: the same in training, prediction, scoring and the bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelwise.commands.export import export
from pixelwise.commands.predict import predict
from pixelwise.commands.train import train
from pixelwise.runs.folder import open_run

SMALL = (
    "training.steps=4", "network.name=unet", "network.options.width=4", "network.options.depth=2",
    "sampling.patch=[32,32]", "sampling.batch=2", "intensity.shading=divide",
)  # fmt: skip


def test_from_training_to_the_bundle(tiny_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    train(tiny_data, run=tmp_path / "run", settings=SMALL, budget="60s")
    assert open_run(tmp_path / "run").read_plan().intensity.shading == "divide"
    image = np.asarray(Image.open(tiny_data / "images" / "case-0005.png"))
    # a lamp at one side is taken out again, so that labels hardly change
    ramp = np.linspace(0.6, 1.4, image.shape[1])[None]
    (tmp_path / "images").mkdir()
    Image.fromarray(image).save(tmp_path / "images" / "plain.png")
    shaded = np.clip(image * ramp, 0, 255).astype(np.uint8)
    Image.fromarray(shaded).save(tmp_path / "images" / "shaded.png")
    predict(tmp_path / "run", tmp_path / "images", out=tmp_path / "out")
    labels = [np.asarray(Image.open(tmp_path / "out" / f"{n}.png")) for n in ("plain", "shaded")]
    assert (labels[0] == labels[1]).mean() > 0.9
    # a bundle is only written if its runner gives the package's labels
    export(tmp_path / "run", out=tmp_path / "bundle")
    assert (tmp_path / "bundle" / "runner.py").read_text().count("def evened") == 1
