"""The form for the BioImage Model Zoo: its description by hand, and its own test where it is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from pixelwise.commands.export import export
from pixelwise.commands.export_bioimageio import _yaml


@pytest.fixture(scope="module")
def bundle(unet_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("zoo") / "folder"
    export(unet_run, to="bioimageio", out=out)
    return out


def lines_of(bundle: Path, key: str) -> list[Any]:
    """The values of all lines `key: value` in rdf.yaml."""
    text = (bundle / "rdf.yaml").read_text(encoding="utf-8")
    words = [line.strip().removeprefix("- ") for line in text.splitlines()]
    return [
        json.loads(word.removeprefix(f"{key}: ")) for word in words if word.startswith(f"{key}: ")
    ]


def test_nested_values_become_yaml() -> None:
    content = {"a": [{"b": 1, "c": [{"d": None}, "x: y"]}, []], "e": {"f": 0.5}}
    assert _yaml(content) == [
        "a:",
        "  - b: 1",
        "    c:",
        "      - d: null",
        '      - "x: y"',
        "  - []",
        "e:",
        "  f: 0.5",
    ]


def test_every_file_that_is_described_is_there_with_its_hash(bundle: Path) -> None:
    sources, hashes = lines_of(bundle, "source"), lines_of(bundle, "sha256")
    assert len(sources) == len(hashes) >= 6
    for source, wanted in zip(sources, hashes, strict=True):
        assert hashlib.sha256((bundle / source).read_bytes()).hexdigest() == wanted


def test_the_steps_described_lead_from_test_input_to_test_output(bundle: Path) -> None:
    """Clip, (x - mean) / std, network, softmax: in plain NumPy, from what the file says."""
    image = np.load(bundle / "test_input.npy")
    assert lines_of(bundle, "id")[:1] == ["images"]
    low, high = lines_of(bundle, "min")[-1], lines_of(bundle, "max")[-1]
    (mean,), (std,) = lines_of(bundle, "mean"), lines_of(bundle, "std")
    network = onnxruntime.InferenceSession(
        (bundle / "network.onnx").read_bytes(), providers=["CPUExecutionProvider"]
    )
    given = ((np.clip(image, low, high) - mean) / std).astype(np.float32)
    logits = network.run(None, {"images": given})[0]
    grown = np.exp(logits)
    wanted = np.load(bundle / "test_output.npy")
    np.testing.assert_allclose(grown / grown.sum(axis=1, keepdims=True), wanted, atol=1e-5)
    assert wanted.std() > 1e-4


def test_the_zoos_own_test_passes(bundle: Path) -> None:
    core = pytest.importorskip("bioimageio.core", reason="bioimageio.core is not installed")
    summary = core.test_model(bundle / "rdf.yaml")
    assert summary.status == "passed", summary.format()
