"""What every registered network keeps: grids, odd sizes, gradients, state."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pixelwise.networks import NETWORKS, NetworkIO, build_network, field_of

N_CHANNELS, N_CLASSES = 3, 4
SIZES = {2: (32, 47), 3: (16, 21)}
PARTS = [
    pytest.param(name, n_dims, id=f"{name}-{n_dims}d")
    for name in NETWORKS.names()
    for n_dims in NETWORKS.find(name).facts.get("dimensions", (2,))
]


def small_options(name: str) -> dict[str, Any]:
    entry = NETWORKS.find(name)
    fallback = {"width": 4} if "width" in entry.options else {}
    return dict(entry.facts.get("small", fallback))


def build(name: str, n_dims: int, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return build_network(name, NetworkIO(n_dims, N_CHANNELS, N_CLASSES), small_options(name))


@functools.cache
def shared(name: str, n_dims: int) -> nn.Module:
    """One network for all tests of a part: building some of them costs a second."""
    return build(name, n_dims)


def images_for(network: nn.Module, sizes: tuple[int, ...], n_images: int = 1) -> Tensor:
    field = field_of(network)
    return torch.randn(n_images, N_CHANNELS, *(field.valid_size(size) for size in sizes))


@pytest.mark.parametrize(("name", "n_dims"), PARTS)
def test_answers_on_the_grid_it_promises(name: str, n_dims: int) -> None:
    network = shared(name, n_dims).eval()
    field = field_of(network)
    even, odd = SIZES[n_dims]
    for sizes in ((even,) * n_dims, (odd,) + (even,) * (n_dims - 1)):
        images = images_for(network, sizes)
        with torch.no_grad():
            logits = network(images)
        expected = tuple(field.output_size(size) for size in images.shape[2:])
        assert tuple(logits.shape) == (1, N_CLASSES, *expected)
        assert torch.isfinite(logits).all()


@pytest.mark.parametrize(("name", "n_dims"), PARTS)
def test_every_weight_gets_a_gradient(name: str, n_dims: int) -> None:
    network = shared(name, n_dims).train()
    answer = network(images_for(network, (SIZES[n_dims][0],) * n_dims, n_images=2))
    outputs = (answer,) if isinstance(answer, Tensor) else answer
    loss = sum((output.float() * torch.randn_like(output)).sum() for output in outputs)
    assert isinstance(loss, Tensor)
    loss.backward()
    for key, weight in network.named_parameters():
        if weight.requires_grad:
            assert weight.grad is not None, f"{key} gets none"
            assert torch.isfinite(weight.grad).all(), key


@pytest.mark.parametrize(("name", "n_dims"), PARTS)
def test_state_round_trip_and_batches(name: str, n_dims: int) -> None:
    """A copy made from the state answers the same; an image of a batch is answered as alone."""
    network, other = shared(name, n_dims).eval(), build(name, n_dims, seed=1).eval()
    other.load_state_dict(network.state_dict())
    images = images_for(network, (SIZES[n_dims][0],) * n_dims, n_images=2)
    with torch.no_grad():
        together, again, alone = network(images), other(images), network(images[:1])
    assert torch.equal(together, again)
    torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-4)
