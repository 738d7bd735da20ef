"""Ways down and up between an encoder and its mirror image, each of them exchangeable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from pixelwise.core.errors import BadPlan, Problem, raise_errors
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
class Memory:
    """What the way up needs of the way down: the map before it, and where its maxima were."""

    values: Tensor
    places: Tensor | None


class Steps(nn.Module):
    """The steps between the levels of networks whose decoder mirrors the encoder.

    widths: channels of each level that is left by a step down, finest first; the way up
    arrives with as many. Unpooling and max pooling hold no weights of their own.
    """

    def __init__(
        self,
        widths: Sequence[int],
        downsampling: Downsampling,
        upsampling: Upsampling,
        skip: Skip,
    ) -> None:
        super().__init__()
        self.has_places = upsampling == "unpooling"
        self.is_dilated = downsampling == "dilated"
        self.skip = skip
        self.blur = _BLUR.get(upsampling, 0)
        self.down = nn.ModuleList(make_downsampling(2, width, downsampling) for width in widths)
        self.up = nn.ModuleList(
            nn.Identity()
            if self.has_places or self.is_dilated
            else make_upsampling(2, width, width, upsampling)
            for width in widths
        )

    def dilation(self, level: int) -> int:
        """Dilation of the convolutions of a level: 1, unless dilation replaces the steps down."""
        return 2**level if self.is_dilated else 1

    def joined(self, width: int) -> int:
        """Channels that the decoder of a level is given."""
        return 2 * width if self.skip == "concatenate" else width

    def reach(self, convolutions: int, stride: int) -> int:
        """How far an output pixel sees: the convolutions' reach and that of the steps."""
        return convolutions if self.is_dilated else convolutions + (1 + self.blur) * (stride - 1)

    def go_down(self, values: Tensor, level: int) -> tuple[Tensor, Memory]:
        """From a level to the one below; unpooling needs the maxima of odd borders too."""
        if self.has_places:
            pooled, places = pool_with_places(values)
            return pooled, Memory(values, places)
        coarser: Tensor = self.down[level](values)
        return coarser, Memory(values, None)

    def go_up(self, values: Tensor, level: int, memory: Memory) -> Tensor:
        """Back to the grid of a level, joined with what the encoder had there."""
        if memory.places is not None:
            values = unpool(values, memory.places, memory.values.shape[2:])
        else:
            values = self.up[level](values)
        if self.skip == "none":
            return values
        if self.skip == "add":
            return values + memory.values
        return torch.cat((memory.values, values), dim=1)


def check_parts(name: str, downsampling: Downsampling, upsampling: Upsampling) -> None:
    """Raise BadPlan unless a way down and a way up can be used together."""
    problems = []
    if upsampling == "unpooling" and downsampling != "max":
        problems.append(
            Problem(
                f"network {name}: upsampling is unpooling and downsampling is {downsampling}",
                "downsampling=max: unpooling puts values where max pooling found them",
                "Change one of the two options.",
                code="bad-option",
            )
        )
    raise_errors(problems, BadPlan)
