"""Bytes of feature maps that exist at once, worked out by hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pixelwise.explanation.live_memory import live_bytes

_MAP = 8 * 8 * 4
"""Bytes of one map of 8 x 8 pixels in float32."""


def test_a_chain_holds_two_maps_at_a_time() -> None:
    """1 map goes in; 3 maps and then 5 from them: 1 + 3 + 5, the input being the caller's."""
    chain = nn.Sequential(nn.Conv2d(1, 3, 1), nn.Conv2d(3, 5, 1), nn.Conv2d(5, 2, 1))
    assert live_bytes(chain, (1, 1, 8, 8)) == (1 + 3 + 5) * _MAP


class WithSkip(nn.Module):
    """Keeps its first maps until the end."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 1)
        self.second = nn.Conv2d(4, 6, 1)

    def forward(self, images: Tensor) -> Tensor:
        kept = self.first(images)
        return torch.cat((kept, self.second(kept)), dim=1)


def test_a_skip_is_held() -> None:
    """4 kept, 6 computed, 10 joined, 1 given."""
    assert live_bytes(WithSkip(), (1, 1, 8, 8)) == (4 + 6 + 10 + 1) * _MAP


class Numpy(nn.Module):
    """Leaves PyTorch, so that nothing can be followed."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.from_numpy(images.numpy())


def test_a_network_that_cannot_be_followed() -> None:
    assert live_bytes(Numpy(), (1, 1, 8, 8)) is None
