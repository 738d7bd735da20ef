"""One architecture per file: a registered function of `NetworkIO` that returns a module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from pixelwise.core.registry import Registry


@dataclass(frozen=True, slots=True)
class NetworkIO:
    """What a network is built for: spatial dimensions, input channels, output channels."""

    n_dims: int
    in_channels: int
    out_channels: int


NETWORKS: Registry[Callable[..., nn.Module]] = Registry("network", "pixelwise.networks")


def build_network(name: str, io: NetworkIO, options: dict[str, Any]) -> nn.Module:
    """Build a registered network; it maps (n, c, [z,] y, x) to logits (n, k, [z,] y, x).

    Raises UnknownName or BadPlan with every problem of name and options.
    """
    network: nn.Module = NETWORKS.build(name, io, options=options)
    return network
