"""The runner of bundles against the package: volumes, slices, other grids, regions, colours."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pixelwise.commands.export_test_pair import label_array
from pixelwise.commands.open_model import open_model
from pixelwise.core.plan import Plan, network_input
from pixelwise.inference.onnx_network import export_onnx
from pixelwise.networks import NetworkIO, build_network
from pixelwise.runs.bundle import write_bundle
from pixelwise.runs.runner_arrays import BundleError
from pixelwise.runs.runner_main import Runner
from pixelwise.runs.trained_network import planned_task
from tests.plans import STORED

VOLUME: dict[str, Any] = {
    "data": {"n_dims": 3, "spacing": [3.0, 1.0, 1.0], "unit": "mm"},
    "inference": {"tile": [16, 16, 16], "halo": [4, 4, 4], "batch": 1},
}
KINDS: dict[str, dict[str, Any]] = {
    "picture": {},
    "picture by its own mean": {"intensity": {"scheme": "image"}},
    "volume": VOLUME,
    "slices": {
        "data": VOLUME["data"],
        "geometry": {"slice_axis": 0, "neighbours": 1},
        "inference": {"tile": [16, 16], "halo": [4, 4], "batch": 1},
    },
    "other grid, linear": {**VOLUME, "geometry": {"spacing": [2.0, 1.5, 1.0]}},
    "other grid, cubic and nearest": {
        **VOLUME,
        "geometry": {"spacing": [1.5, 0.8, 1.3], "nearest_axes": [0], "interpolation": "cubic"},
    },
    "regions": {
        "task": {"name": "regions", "options": {"inside": [-1, 0]}},
        "data": {"labels": {"kind": "values", "to_class": {"1": 1, "2": 3}, "holds_regions": True}},
    },
    "regions on another grid": {
        "task": {"name": "regions", "options": {"inside": [-1, 0]}},
        "data": {
            **VOLUME["data"],
            "labels": {"kind": "values", "to_class": {"1": 1, "2": 3}, "holds_regions": True},
        },
        "inference": VOLUME["inference"],
        "geometry": {"spacing": [2.0, 1.5, 1.0]},
    },
    "colours": {
        "data": {"n_channels": 3},
        "intensity": {
            "centre": [90.0, 100.0, 120.0], "scale": [40.0, 50.0, 60.0],
            "low": [0.0, 5.0, 9.0], "high": [200.0, 210.0, 255.0],
        },
    },
}  # fmt: skip


def plan_of(kind: str) -> Plan:
    content = copy.deepcopy(STORED)
    for section, values in KINDS[kind].items():
        content[section] = {**content.get(section, {}), **values}
    return Plan.model_validate(content)


def bundle_of(kind: str, folder: Path) -> Path:
    """A bundle of a small network with random weights, whose answers are lively."""
    torch.manual_seed(1)
    plan = plan_of(kind)
    n_dims, n_channels = network_input(plan)
    n_outputs = planned_task(plan).n_outputs
    network = build_network("unet", NetworkIO(n_dims, n_channels, n_outputs),
                            {"width": 4, "depth": 1, "norm": "none"}).eval()  # fmt: skip
    with torch.no_grad():
        logits = network(torch.randn(1, n_channels, *(32,) * n_dims))
        middles = logits.transpose(0, 1).reshape(n_outputs, -1).median(dim=1).values
        network.heads[0].bias -= middles  # every class wins somewhere
    model = export_onnx(network, n_channels=n_channels, tile=(24,) * n_dims)
    head = {
        "form": "onnx", "made_with": {}, "weights_sha256": "", "test": {},
        "network": {"file": "network.onnx", "n_outputs": n_outputs, "needs_bytes": 1,
                    "field": dataclasses.asdict(model.field)},
    }  # fmt: skip
    files = {"network.onnx": model.model, "plan.json": plan.model_dump_json().encode()}
    write_bundle(folder, files, head)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_the_runner_gives_the_packages_labels(kind: str, tmp_path: Path) -> None:
    folder = bundle_of(kind, tmp_path / "bundle")
    model = open_model(folder)
    data = model.plan.data
    shape = (37, 50) if data.n_dims == 2 else (9, 30, 23)
    image = np.random.default_rng(5).integers(0, 256, (data.n_channels, *shape), dtype=np.uint8)
    wanted = label_array(image, model.plan, model.opened)
    assert len(np.unique(wanted)) > 1, "labels that are all equal prove nothing"
    np.testing.assert_array_equal(Runner(folder).label(image), wanted)


def test_arrays_as_people_have_them(tmp_path: Path) -> None:
    """A grey picture for a colour network, a colour picture with its channels last."""
    runner = Runner(bundle_of("colours", tmp_path / "bundle"))
    random = np.random.default_rng(6)
    grey = random.integers(0, 256, (20, 30), dtype=np.uint8)
    np.testing.assert_array_equal(runner.label(grey), runner.label(np.stack([grey] * 3)))
    colour = random.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    expected = runner.label(np.moveaxis(colour, -1, 0))
    np.testing.assert_array_equal(runner.label(colour), expected)


def test_what_is_no_image_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    runner = Runner(bundle_of("picture", tmp_path / "bundle"))
    with pytest.raises(BundleError, match="expected 2 spatial axes"):
        runner.label(np.zeros((2, 3, 4, 5)))
    with pytest.raises(BundleError, match="2 channels; expected 1"):
        runner.label(np.zeros((2, 30, 40)))
    with pytest.raises(BundleError, match="not numbers"):
        runner.label(np.array([["a"]]))


def test_a_bundle_newer_than_its_runner_is_refused(tmp_path: Path) -> None:
    folder = bundle_of("picture", tmp_path / "bundle")
    text = (folder / "bundle.json").read_text()
    (folder / "bundle.json").write_text(text.replace('"format_version": 1', '"format_version": 9'))
    with pytest.raises(BundleError, match="newer than this runner"):
        Runner(folder)
