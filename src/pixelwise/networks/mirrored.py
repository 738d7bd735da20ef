"""Ways down, up and across between an encoder and its decoder, each of them exchangeable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from pixelwise.core.errors import BadPlan, Problem, raise_errors
from pixelwise.networks.layers import CONVOLUTION
from pixelwise.networks.resampling import (
    Downsampling,
    Upsampling,
    make_downsampling,
    make_upsampling,
)
from pixelwise.networks.unpooling import pool_with_places, unpool

Skip = Literal["concatenate", "add", "none"]

_BLUR = {"bilinear": 1, "bicubic": 3}
"""Coarse pixels besides its own that an interpolated pixel draws from, on each side."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Which way a network takes down, up and across.

    Raises BadPlan unless the way down and the way up can be used together.
    """

    name: str
    downsampling: Downsampling
    upsampling: Upsampling
    skip: Skip

    def __post_init__(self) -> None:
        problems = []
        if self.upsampling == "unpooling" and self.downsampling != "max":
            problems.append(
                Problem(
                    f"network {self.name}: upsampling is unpooling and downsampling is "
                    f"{self.downsampling}",
                    "downsampling=max: unpooling puts values where max pooling found them",
                    "Change one of the two options.",
                    code="bad-option",
                )
            )
        raise_errors(problems, BadPlan)

    @property
    def is_dilated(self) -> bool:
        """Whether dilation replaces the steps down."""
        return self.downsampling == "dilated"

    @property
    def up_reach(self) -> int:
        """Coarse pixels that an upsampled pixel is made from on either side, plus one."""
        return 1 + _BLUR.get(self.upsampling, 0)

    def joined(self, width: int) -> int:
        """Channels that the decoder of a level is given."""
        return 2 * width if self.skip == "concatenate" else width

    def dilation(self, spread: Sequence[int]) -> tuple[int, ...]:
        """Dilation of the convolutions where neighbours would otherwise be `spread` apart."""
        return tuple(spread) if self.is_dilated else (1,) * len(spread)

    def reach(self, convolutions: int, stride: int) -> int:
        """How far an output pixel sees: the convolutions' reach and that of the steps."""
        return convolutions if self.is_dilated else convolutions + self.up_reach * (stride - 1)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the way up needs of the way down: the map before it, and where its maxima were."""

    values: Tensor
    places: Tensor | None


class Steps(nn.Module):
    """The steps between the levels of a network, down and up.

    widths: channels of each level that is left by a step down, finest first. below: channels
    that come up to it, the same if not given (a decoder that mirrors its encoder). strides:
    of each step, one number per axis. is_within_stages: strided convolutions belong to the
    stages of the network, so that no step of their own is needed. Unpooling and max pooling
    hold no weights.
    """

    def __init__(
        self,
        parts: Parts,
        widths: Sequence[int],
        below: Sequence[int] | None = None,
        *,
        strides: Sequence[tuple[int, ...]] | None = None,
        is_within_stages: bool = False,
    ) -> None:
        super().__init__()
        self.parts = parts
        self.strides = tuple(strides or ((2, 2),) * len(widths))
        n_dims = len(self.strides[0])
        pairs = tuple(zip(widths, self.strides, strict=True))
        is_elsewhere = is_within_stages and parts.downsampling == "strided"
        self.down = nn.ModuleList(
            nn.Identity()
            if is_elsewhere
            else make_downsampling(n_dims, width, parts.downsampling, stride)
            for width, stride in pairs
        )
        self.up = nn.ModuleList(
            _make_up(n_dims, inputs, width, parts, stride)
            for inputs, (width, stride) in zip(below or widths, pairs, strict=True)
        )

    def go_down(self, values: Tensor, level: int) -> tuple[Tensor, Memory]:
        """From a level to the one below; unpooling needs the maxima of odd borders too."""
        if self.parts.upsampling == "unpooling":
            pooled, places = pool_with_places(values, self.strides[level])
            return pooled, Memory(values, places)
        coarser: Tensor = self.down[level](values)
        return coarser, Memory(values, None)

    def go_up(self, values: Tensor, level: int, memory: Memory) -> Tensor:
        """Back to the grid of a level, joined with what the encoder had there."""
        values = self.up[level](values)
        if memory.places is not None:
            size = memory.values.shape[2:]
            values = unpool(values, memory.places, size, self.strides[level])
        if self.parts.skip == "none":
            return values
        if self.parts.skip == "add":
            return values + memory.values
        return torch.cat((memory.values, values), dim=1)


def _make_up(
    n_dims: int, inputs: int, outputs: int, parts: Parts, stride: tuple[int, ...]
) -> nn.Module:
    if not parts.is_dilated and parts.upsampling != "unpooling":
        return make_upsampling(n_dims, inputs, outputs, parts.upsampling, stride)
    return nn.Identity() if inputs == outputs else CONVOLUTION[n_dims](inputs, outputs, 1)
