"""Networks of regions start with the share of each region, so that rare ones are seen early."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pixelwise.learning.prior_biases import start_from_shares
from pixelwise.networks import NetworkIO, build_network

SHARES = (0.2, 0.05)


@pytest.mark.parametrize(("name", "n_dims"), [("unet", 2), ("unet", 3), ("light", 2)])
def test_answers_begin_at_the_shares(name: str, n_dims: int) -> None:
    torch.manual_seed(0)
    network = build_network(name, NetworkIO(n_dims, 4, 2), {"width": 4})
    assert start_from_shares(network, 4, n_dims, SHARES)
    network.eval()
    with torch.no_grad():
        answer = network(torch.zeros((1, 4) + (32,) * n_dims))
    middle = torch.sigmoid(answer).flatten(2).mean(-1)[0]
    assert middle.tolist() == pytest.approx(SHARES, abs=0.15)


def test_the_mode_of_the_network_is_kept() -> None:
    network = build_network("unet", NetworkIO(2, 1, 2), {"width": 4, "depth": 1}).train()
    assert start_from_shares(network, 1, 2, SHARES)
    assert network.training


def test_absent_regions_stay_finite() -> None:
    network = nn.Conv2d(1, 2, 1)
    start_from_shares(network, 1, 2, (0.0, 1.0))
    assert torch.sigmoid(network.bias).tolist() == pytest.approx([0.001, 0.999], rel=1e-3)


def test_a_network_without_such_a_layer_is_left_alone() -> None:
    class Plain(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.cat([images, images], 1)

    assert not start_from_shares(Plain(), 1, 2, SHARES)


def test_a_layer_that_does_not_answer_is_put_back() -> None:
    class Squashed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Conv2d(1, 2, 1)

        def forward(self, images: Tensor) -> Tensor:
            found: Tensor = torch.tanh(self.last(images))
            return found

    network = Squashed()
    before = network.last.bias.detach().clone()
    assert not start_from_shares(network, 1, 2, SHARES)
    assert torch.equal(network.last.bias, before)
