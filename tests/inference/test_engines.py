"""The engine in PyTorch: batch norms folded, the given network left as it is, threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from pixelwise.inference.engines import TorchEngine, fold_batch_norms
from pixelwise.networks import NETWORKS, NetworkIO, build_network

Floats = npt.NDArray[np.float32]


def make(name: str, **options: Any) -> nn.Module:
    """A small network whose norms have seen something."""
    torch.manual_seed(0)
    small = dict(NETWORKS.find(name).facts.get("small", {"width": 4})) | options
    network = build_network(name, NetworkIO(2, 1, 3), small).eval()
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-0.5, 0.5)  # type: ignore[union-attr]  # a tensor here
            part.running_var.uniform_(0.5, 2.0)  # type: ignore[union-attr]  # a tensor here
            nn.init.uniform_(part.weight, 0.5, 1.5)
    return network


def tiles(n: int = 1, edge: int = 32) -> Floats:
    return np.random.default_rng(0).normal(size=(n, 1, edge, edge)).astype(np.float32)


@pytest.mark.parametrize("name", ["unet", "light", "segnet", "nnunet"])
def test_no_batch_norm_is_left_and_answers_stay(name: str) -> None:
    """Worked out in float64, where rounding hides nothing."""
    options = {"norm": "batch"} if name == "nnunet" else {}
    network = make(name, **options).double()
    images = torch.from_numpy(tiles(2)).double()
    with torch.inference_mode():
        before = network(images)
        folded = fold_batch_norms(network)
        after = folded(images)
    assert not [part for part in folded.modules() if isinstance(part, nn.BatchNorm2d)]
    np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9)


def test_the_given_network_is_left_as_it_is() -> None:
    network = make("unet", depth=1).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    TorchEngine(network, precision="bfloat16", memory_format="channels_last").logits(tiles())
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("name", ["unet", "light", "nnunet"])
def test_stored_bfloat16_is_what_autocast_computes(name: str) -> None:
    network = make(name)
    folded = fold_batch_norms(make(name))
    images = torch.from_numpy(tiles())
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        expected = folded(images).float()
    found = TorchEngine(network, precision="bfloat16").logits(tiles())
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_several_threads_at_once() -> None:
    engine = TorchEngine(make("unet", depth=1))
    given = [tiles(1, edge) for edge in (16, 32, 48, 16, 32, 48)]
    alone = [engine.logits(images) for images in given]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(engine.logits, given))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
