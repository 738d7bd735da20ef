"""A light network for two processor cores: nothing is computed at full resolution."""

from __future__ import annotations

import math

from torch import Tensor, nn

from pixelwise.core.errors import BadPlan
from pixelwise.networks import NETWORKS, Field, NetworkIO
from pixelwise.networks.axis_steps import AxisSteps, Sizes, axis_steps
from pixelwise.networks.fitting import crop_to_start, pad_to_multiple
from pixelwise.networks.layers import (
    CONVOLUTION,
    TRANSPOSED,
    Norm,
    conv_unit,
    initialise,
    require_dims,
)
from pixelwise.networks.recipe import Recipe
from pixelwise.networks.resampling import shuffle_up


@NETWORKS.register(
    "light", dimensions=(2, 3), small={"width": 4}, recipe=Recipe(learning_rate=5e-3)
)
def light(
    io: NetworkIO,
    *,
    width: int = 24,
    depth: int = 3,
    max_width: int = 128,
    norm: Norm = "batch",
    strides: Sizes | None = None,
    kernels: Sizes | None = None,
) -> nn.Module:
    """A small U-Net on half the resolution, with sub-pixel scores: ours, for short budgets.

    On a processor the layers at full resolution cost most, by the memory they move rather
    than by arithmetic. So a 4 x 4 convolution with stride 2 comes first, skips are added
    instead of concatenated, the finest level has a single convolution on either side and the
    coarser ones a residual block, and the last convolution writes the scores of 2 x 2 pixels
    at once (pixel shuffle).
    width: channels at half resolution, doubled at each of `depth` further halvings. strides and
    kernels: one tuple per grid, half resolution first, for volumes whose voxels are not cubes.
    """
    require_dims(io, "light", (2, 3))
    if width < 1 or depth < 1 or max_width < 1:
        raise BadPlan(
            f"network light: width is {width}, depth {depth}, max_width {max_width}",
            "numbers of at least 1",
            "Change these options.",
            code="bad-option",
        )
    widths = tuple(min(width * 2**level, max_width) for level in range(depth + 1))
    steps = axis_steps("light", io.n_dims, depth + 1, strides, kernels, first=2)
    return Light(io, widths, norm, steps)


class Light(nn.Module):
    """The module behind `light`; any size."""

    def __init__(
        self, io: NetworkIO, widths: tuple[int, ...], norm: Norm, steps: AxisSteps
    ) -> None:
        super().__init__()
        n_dims, depth = io.n_dims, len(widths) - 1
        first, *strides = steps.strides
        kernels = steps.kernels
        self.field = Field(alignment=steps.widest, reach=_reach(steps))
        self.steps = steps
        self.out_channels = io.out_channels
        self.stem = nn.Sequential(
            *conv_unit(
                n_dims,
                io.in_channels,
                widths[0],
                kernel=tuple(4 if s == 2 else k for s, k in zip(first, kernels[0], strict=True)),
                stride=first,
                padding=tuple(
                    1 if s == 2 else k // 2 for s, k in zip(first, kernels[0], strict=True)
                ),
                norm=norm,
            )
        )
        self.encoder = nn.ModuleList(
            _stage(n_dims, widths[level], kernels[level], level, norm) for level in range(depth + 1)
        )
        self.downs = nn.ModuleList(
            nn.Sequential(
                *conv_unit(
                    n_dims,
                    widths[i],
                    widths[i + 1],
                    kernel=strides[i],
                    stride=strides[i],
                    padding=0,
                    norm=norm,
                )
            )
            for i in range(depth)
        )
        self.ups = nn.ModuleList(
            TRANSPOSED[n_dims](widths[i + 1], widths[i], strides[i], stride=strides[i])
            for i in range(depth)
        )
        self.decoder = nn.ModuleList(
            _stage(n_dims, widths[i], kernels[i], i, norm) for i in range(depth)
        )
        self.head = CONVOLUTION[n_dims](
            widths[0],
            io.out_channels * math.prod(first),
            kernels[0],
            padding=tuple(k // 2 for k in kernels[0]),
        )
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, [z,] y, x) -> logits (n, k, [z,] y, x)."""
        values = self.stem(pad_to_multiple(images, self.steps.spread(-1)))
        skips = []
        for stage, down in zip(self.encoder, self.downs, strict=False):
            values = stage(values)
            skips.append(values)
            values = down(values)
        values = self.encoder[-1](values)
        for level in reversed(range(len(skips))):
            values = self.decoder[level](self.ups[level](values) + skips[level])
        logits = shuffle_up(self.head(values), self.out_channels, self.steps.strides[0])
        return crop_to_start(logits, images.shape[2:])


class Residual(nn.Module):
    """Two convolutions (3 x 3) beside the input itself."""

    def __init__(self, n_dims: int, width: int, kernel: tuple[int, ...], norm: Norm) -> None:
        super().__init__()
        first = conv_unit(n_dims, width, width, kernel=kernel, norm=norm)
        second = conv_unit(n_dims, width, width, kernel=kernel, norm=norm)
        self.path = nn.Sequential(*first, *second[:-1])
        self.activation = second[-1]

    def forward(self, values: Tensor) -> Tensor:
        """(n, c, …) -> the same shape."""
        result: Tensor = self.activation(self.path(values) + values)
        return result


def _stage(n_dims: int, width: int, kernel: tuple[int, ...], level: int, norm: Norm) -> nn.Module:
    if level == 0:
        return nn.Sequential(*conv_unit(n_dims, width, width, kernel=kernel, norm=norm))
    return Residual(n_dims, width, kernel, norm)


def _reach(steps: AxisSteps) -> int:
    """Stem and head look one half-resolution pixel further; the finest grid has one convolution."""
    reaches = []
    for axis, kernels in enumerate(zip(*steps.kernels, strict=True)):
        last = len(kernels) - 1
        first = steps.strides[0][axis]
        total = (kernels[0] // 2) * first + first
        for level, kernel in enumerate(kernels):
            n_units = (1 if level == 0 else 2) * (1 if level == last else 2)
            total += n_units * (kernel // 2) * steps.spread(level)[axis]
        reaches.append(total + steps.spread(-1)[axis] - first)
    return int(max(reaches))
