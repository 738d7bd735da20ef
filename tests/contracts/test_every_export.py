"""Every registered network gives the same logits as an ONNX model, or says why it cannot."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from torch import nn

from pixelwise.inference.engines import TorchEngine
from pixelwise.inference.onnx_engine import OnnxEngine
from pixelwise.inference.onnx_network import OnnxNetwork, export_onnx
from pixelwise.inference.openvino_engine import OpenVINOEngine
from pixelwise.networks import NETWORKS, NetworkIO, build_network, field_of

N_CHANNELS, N_CLASSES = 2, 3
TILES = {2: (64, 96), 3: (16, 24, 16)}
LARGE = {"deconvnet": (256, 288)}
"""It mirrors what is smaller than 224 pixels."""

ODD = {2: ((37, 91), (70, 66)), 3: ((13, 21, 30),)}
PARTS = [
    pytest.param(name, n_dims, id=f"{name}-{n_dims}d")
    for name in NETWORKS.names()
    for n_dims in NETWORKS.find(name).facts.get("dimensions", (2,))
    if "no_export" not in NETWORKS.find(name).facts
]


def lively(name: str, n_dims: int) -> nn.Module:
    """A small network in which no layer is at its start: norms have seen data, nothing is 0."""
    torch.manual_seed(0)
    entry = NETWORKS.find(name)
    options = entry.facts.get("small", {"width": 4} if "width" in entry.options else {})
    network = build_network(name, NetworkIO(n_dims, N_CHANNELS, N_CLASSES), dict(options))
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d | nn.BatchNorm3d):
            nn.init.normal_(part.running_mean, 0.0, 0.1)
            nn.init.uniform_(part.running_var, 0.5, 2.0)
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, 0.0, 0.05)
    return network.eval()


@functools.cache
def exported(name: str, n_dims: int) -> tuple[nn.Module, OnnxNetwork]:
    network = lively(name, n_dims)
    tile = LARGE.get(name, TILES[n_dims])
    return network, export_onnx(network, n_channels=N_CHANNELS, tile=tile, name=name)


def images_of(network: nn.Module, shape: tuple[int, ...], n: int) -> np.ndarray:
    field = field_of(network)
    sizes = [field.valid_size(size) for size in shape]
    return np.random.default_rng(1).standard_normal((n, N_CHANNELS, *sizes), np.float32)


@pytest.mark.parametrize(("name", "n_dims"), PARTS)
def test_an_onnx_model_gives_the_networks_logits_at_other_sizes(name: str, n_dims: int) -> None:
    network, model = exported(name, n_dims)
    assert model.fixed is None, "its sizes should be free"
    runtime = OnnxEngine(model.model, model.field)
    torch_engine = TorchEngine(network, n_dims=n_dims)
    shapes = ODD[n_dims] if name not in LARGE else ((270, 291),)
    for number, shape in enumerate(shapes):
        images = images_of(network, shape, n=1 + number)
        wanted, found = torch_engine.logits(images), runtime.logits(images)
        assert wanted.std() > 1e-3, "logits that are all equal prove nothing"
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize(("name", "n_dims"), PARTS)
def test_openvino_reads_the_same_model(name: str, n_dims: int) -> None:
    network, model = exported(name, n_dims)
    engine = OpenVINOEngine(model.model, model.field)
    images = images_of(network, LARGE.get(name, ODD[n_dims][0]), n=1)
    wanted = TorchEngine(network, n_dims=n_dims).logits(images)
    found = engine.logits(images)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


def test_what_is_not_exported_says_why() -> None:
    for name in NETWORKS.names():
        reason = NETWORKS.find(name).facts.get("no_export", "not said")
        assert isinstance(reason, str) and len(reason.split()) > 1
