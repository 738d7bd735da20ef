"""A light network for two processor cores: nothing is computed at full resolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from pixelwise.core.errors import BadPlan
from pixelwise.networks import NETWORKS, Field, NetworkIO
from pixelwise.networks.axis_steps import AxisSteps, Sizes, axis_steps
from pixelwise.networks.fitting import crop_to_start, pad_to_multiple
from pixelwise.networks.layers import Norm, conv_unit, initialise, require_dims
from pixelwise.networks.mirrored import Parts, Skip, Steps
from pixelwise.networks.recipe import Recipe
from pixelwise.networks.resampling import PixelShuffle, Upsampling

Pooling = Literal["max", "average", "strided"]


@NETWORKS.register(
    "light", dimensions=(2, 3), small={"width": 4}, recipe=Recipe(learning_rate=5e-3)
)
def light(  # noqa: PLR0913  # one parameter per option
    io: NetworkIO,
    *,
    width: int = 24,
    depth: int = 3,
    max_width: int = 128,
    norm: Norm = "batch",
    downsampling: Pooling = "strided",
    upsampling: Upsampling = "nearest",
    skip: Skip = "add",
    strides: Sizes | None = None,
    kernels: Sizes | None = None,
) -> nn.Module:
    """A small U-Net on half the resolution, with sub-pixel scores: ours, for short budgets.

    On a processor the layers at high resolution cost most, and at small sizes every layer
    costs, however small. So a 4 x 4 convolution with stride 2 comes first; the half grid has
    few channels and, besides, a single convolution on the way up; each coarser grid is
    entered by a strided convolution, followed by one more (two on the coarsest, where they
    widen the sight for almost nothing); features come up by repetition, behind a 1 x 1
    convolution, and are added to those of the encoder; the decoder has one convolution for
    each grid; a last 1 x 1 convolution writes the scores of 2 x 2 pixels at once.
    width: channels at half resolution, doubled at each of `depth` further halvings up to
    max_width. strides and kernels: one tuple per grid, half resolution first, for volumes
    whose voxels are not cubes.
    """
    require_dims(io, "light", (2, 3))
    if width < 1 or depth < 1 or max_width < 1:
        raise BadPlan(
            f"network light: width is {width}, depth {depth}, max_width {max_width}",
            "numbers of at least 1",
            "Change these options.",
            code="bad-option",
        )
    steps = axis_steps("light", io.n_dims, depth + 1, strides, kernels, first=2)
    parts = Parts("light", downsampling, upsampling, skip)
    widths = tuple(min(width * 2**level, max_width) for level in range(depth + 1))
    return Light(io, widths, norm, steps, parts)


class Light(nn.Module):
    """The module behind `light`; any size."""

    def __init__(
        self,
        io: NetworkIO,
        widths: Sequence[int],
        norm: Norm,
        steps: AxisSteps,
        parts: Parts,
    ) -> None:
        super().__init__()
        n_dims, depth = io.n_dims, len(widths) - 1
        first, *strides = steps.strides
        kernels = steps.kernels
        self.field = Field(alignment=steps.widest, reach=_reach(steps, parts))
        self.steps = steps
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
        is_strided = parts.downsampling == "strided"
        self.encoder = nn.ModuleList(
            nn.Sequential(
                *conv_unit(
                    n_dims,
                    widths[level - 1],
                    widths[level],
                    kernel=kernels[level],
                    stride=strides[level - 1] if is_strided else 1,
                    norm=norm,
                ),
                *(
                    layer
                    for _ in range(_further(level, depth))
                    for layer in conv_unit(
                        n_dims, widths[level], widths[level], kernel=kernels[level], norm=norm
                    )
                ),
            )
            for level in range(1, depth + 1)
        )
        self.between = Steps(parts, widths[:-1], widths[1:], strides=strides, is_within_stages=True)
        self.decoder = nn.ModuleList(
            nn.Sequential(
                *conv_unit(n_dims, parts.joined(widths[i]), widths[i], kernel=kernels[i], norm=norm)
            )
            for i in range(depth)
        )
        self.head = PixelShuffle(n_dims, widths[0], io.out_channels, first)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, [z,] y, x) -> logits (n, k, [z,] y, x)."""
        values = self.stem(pad_to_multiple(images, self.steps.spread(-1)))
        memories = []
        for level, stage in enumerate(self.encoder):
            values, memory = self.between.go_down(values, level)
            memories.append(memory)
            values = stage(values)
        for level in reversed(range(len(memories))):
            values = self.decoder[level](self.between.go_up(values, level, memories[level]))
        return crop_to_start(self.head(values), images.shape[2:])


def _further(level: int, depth: int) -> int:
    """Convolutions of an encoder stage after its first."""
    return 2 if level == depth else 1


def _reach(steps: AxisSteps, parts: Parts) -> int:
    """Of the stem, the stages of the encoder, one convolution for each grid on the way up."""
    reaches = []
    depth = len(steps.kernels) - 1
    for axis, kernels in enumerate(zip(*steps.kernels, strict=True)):
        first = steps.strides[0][axis]
        total = 1 if first == 2 else kernels[0] // 2
        for level, kernel in enumerate(kernels):
            here = steps.spread(level)[axis]
            if level:
                entered = steps.spread(level - 1 if parts.downsampling == "strided" else level)
                total += kernel // 2 * (entered[axis] + _further(level, depth) * here)
            total += kernel // 2 * here * (level < depth)
        reaches.append(parts.reach(total + first - 1, steps.spread(-1)[axis]))
    return max(reaches)
