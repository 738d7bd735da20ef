"""Starts a network that answers yes or no with the share of yes, not with one half."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pixelwise.networks import field_of

SMALLEST_SHARE = 1e-3
"""Rarer regions start as if they were as frequent as this: a bias must not drown the features."""

_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)


def start_from_shares(
    network: nn.Module, in_channels: int, n_dims: int, shares: Sequence[float]
) -> bool:
    """Set the bias of a network's last layer to the log-odds of each region's share, in place.

    A sigmoid starts at one half, and where most pixels lie outside, the first hundred steps
    are spent on learning that. The layer is the last one with a bias for each region, or
    several for each (sub-pixel upsampling). Whether it is the one that answers is tried:
    if the answer does not move by the change of the bias, the network is left as it was.
    Returns whether it was set.
    Source: Lin et al. 2017 (focal loss), section 4.1, with the measured share as the prior.
    """
    odds = torch.logit(torch.tensor(shares, dtype=torch.float32), eps=SMALLEST_SHARE)
    layers = [m for m in network.modules() if isinstance(m, _CONVOLUTIONS) and m.bias is not None]
    fitting = [layer for layer in layers if layer.out_channels % len(odds) == 0]
    if not fitting or fitting[-1] is not layers[-1]:
        return False
    bias = fitting[-1].bias
    if bias is None:
        return False
    before, kept = _answer(network, in_channels, n_dims), bias.detach().clone()
    wanted = odds.repeat_interleave(len(bias) // len(odds)).to(bias)
    moved = (wanted - kept).reshape(len(odds), -1).mean(dim=1)
    with torch.no_grad():
        bias.copy_(wanted)
    found = _answer(network, in_channels, n_dims) - before
    if torch.allclose(found, moved, atol=_TOLERANCE):
        return True
    with torch.no_grad():
        bias.copy_(kept)
    return False


_TOLERANCE = 1e-3


def _answer(network: nn.Module, in_channels: int, n_dims: int) -> Tensor:
    """The mean logit of each output for an empty image, in evaluation mode."""
    was_training = network.training
    network.eval()
    size = field_of(network).valid_size(64 if n_dims == 2 else 32)
    try:
        with torch.no_grad():
            answer = network(torch.zeros((1, in_channels) + (size,) * n_dims))
    finally:
        network.train(was_training)
    finest = answer if isinstance(answer, Tensor) else answer[0]
    return finest.float().flatten(2).mean(dim=2)[0]
