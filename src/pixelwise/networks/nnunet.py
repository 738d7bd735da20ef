"""nnU-Net's two networks: the plain U-Net with strided convolutions, and the residual encoder."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from pixelwise.core.errors import BadPlan
from pixelwise.networks import NETWORKS, Field, NetworkIO
from pixelwise.networks.axis_steps import AxisSteps, Sizes, axis_steps
from pixelwise.networks.fitting import crop_to_start, pad_to_multiple
from pixelwise.networks.layers import (
    CONVOLUTION,
    Norm,
    conv_unit,
    initialise,
    make_activation,
    make_norm,
    require_dims,
)
from pixelwise.networks.mirrored import Parts, Skip, Steps
from pixelwise.networks.recipe import Recipe
from pixelwise.networks.resampling import Downsampling, Upsampling, average_pool

_MAX_WIDTH = {2: 512, 3: 320}
_RESIDUAL_BLOCKS = (1, 3, 4)
_DEEP_RESIDUAL_BLOCKS = 6
_SLOPE = 0.01
_RECIPE = Recipe(widths=(8, 16, 24, 32), halvings=("stages", 1), most_halvings=5)


@NETWORKS.register("nnunet", dimensions=(2, 3), small={"width": 4, "stages": 3}, recipe=_RECIPE)
def nnunet(  # noqa: PLR0913  # one parameter per option
    io: NetworkIO,
    *,
    width: int = 32,
    stages: int = 6,
    strides: Sizes | None = None,
    kernels: Sizes | None = None,
    deep_supervision: bool = True,
    norm: Norm = "instance",
    downsampling: Downsampling = "strided",
    upsampling: Upsampling = "transposed",
    skip: Skip = "concatenate",
) -> nn.Module:
    """nnU-Net's plain network: strided convolutions, instance norm, leaky ReLU, deep supervision.

    strides and kernels: one tuple per stage, for volumes whose axes differ in spacing (the
    first stride is all ones); halving and 3 everywhere if not given. Exact at width 32:
    46,324,558 parameters in 2D with 8 stages, 31,195,594 in 3D with 6 (1 channel, 2 classes).
    The ways down and up and the skip connections can be exchanged; a pooling stands before
    the stage, whose first convolution then has no stride.
    Source: Isensee et al., Nature Methods 2021, and the released version 2.
    """
    parts = Parts("nnunet", downsampling, upsampling, skip)
    steps = _steps(io, parts, width, stages, strides, kernels)
    widths = _widths(io, width, stages)
    return NNUNet(io, NNUNetShape(widths, steps, norm, parts, is_residual=False), deep_supervision)


@NETWORKS.register(
    "nnunet-residual", dimensions=(2, 3), small={"width": 4, "stages": 3}, recipe=_RECIPE
)
def nnunet_residual(  # noqa: PLR0913  # one parameter per option
    io: NetworkIO,
    *,
    width: int = 32,
    stages: int = 6,
    strides: Sizes | None = None,
    kernels: Sizes | None = None,
    deep_supervision: bool = True,
    norm: Norm = "instance",
    downsampling: Downsampling = "strided",
    upsampling: Upsampling = "transposed",
    skip: Skip = "concatenate",
) -> nn.Module:
    """nnU-Net with a residual encoder of 1, 3, 4, 6, 6, … blocks and a slim decoder.

    Options as for nnunet.
    Source: Isensee et al., MICCAI 2024 ("nnU-Net revisited"), and the released version 2.
    """
    parts = Parts("nnunet-residual", downsampling, upsampling, skip)
    steps = _steps(io, parts, width, stages, strides, kernels)
    widths = _widths(io, width, stages)
    return NNUNet(io, NNUNetShape(widths, steps, norm, parts, is_residual=True), deep_supervision)


@dataclass(frozen=True, slots=True)
class NNUNetShape:
    """Per stage: maps, stride on entering, kernel. Plain has 2 convolutions everywhere."""

    widths: tuple[int, ...]
    steps: AxisSteps
    norm: Norm
    parts: Parts
    is_residual: bool

    def spread(self, stage: int) -> tuple[int, ...]:
        """Input pixels between neighbours of a stage's grid: 1 where nothing steps down."""
        spread = self.steps.spread(stage)
        return (1,) * len(spread) if self.parts.is_dilated else spread

    def stride(self, stage: int) -> tuple[int, ...]:
        """Stride of a stage's own first convolution or block."""
        entering = self.steps.strides[stage]
        return entering if self.parts.downsampling == "strided" else (1,) * len(entering)


class NNUNet(nn.Module):
    """Encoder stages, and per decoder level an up-convolution, a stage and a head."""

    def __init__(self, io: NetworkIO, shape: NNUNetShape, deep_supervision: bool) -> None:
        super().__init__()
        self.shape = shape
        self.deep_supervision = deep_supervision
        self.field = Field(alignment=max(shape.spread(-1)), reach=_reach(shape))
        widths, n_stages = shape.widths, len(shape.widths)
        stem = _convolutions(io, io.in_channels, widths[0], shape, 0, 1)
        self.stem = nn.Sequential(*stem) if shape.is_residual else nn.Identity()
        first = widths[0] if shape.is_residual else io.in_channels
        inputs = (first, *widths[:-1])
        self.encoder = nn.ModuleList(
            _residual_stage(io, inputs[i], shape, i)
            if shape.is_residual
            else nn.Sequential(
                *_convolutions(io, inputs[i], widths[i], shape, i, 2, stride=shape.stride(i))
            )
            for i in range(n_stages)
        )
        self.between = Steps(
            shape.parts,
            widths[:-1],
            widths[1:],
            strides=shape.steps.strides[1:],
            is_within_stages=True,
        )
        n_convolutions = 1 if shape.is_residual else 2
        self.decoder = nn.ModuleList(
            nn.Sequential(
                *_convolutions(
                    io, shape.parts.joined(widths[i]), widths[i], shape, i, n_convolutions
                )
            )
            for i in range(n_stages - 1)
        )
        self.heads = nn.ModuleList(
            CONVOLUTION[io.n_dims](widths[i], io.out_channels, 1) for i in range(n_stages - 1)
        )
        initialise(self, slope=_SLOPE)
        for layer in self.modules():
            if isinstance(layer, ResidualBlock):
                layer.start_as_identity()

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Logits on the input's grid; in training, with deep supervision, one per scale."""
        sizes = tuple(images.shape[2:])
        values = self.encoder[0](self.stem(pad_to_multiple(images, self.shape.spread(-1))))
        memories = []
        for level, stage in enumerate(self.encoder[1:]):
            values, memory = self.between.go_down(values, level)
            memories.append(memory)
            values = stage(values)
        n_heads = len(self.heads) if self.training and self.deep_supervision else 1
        answers: list[Tensor] = []
        for level in reversed(range(len(self.heads))):
            values = self.decoder[level](self.between.go_up(values, level, memories[level]))
            if level < n_heads:
                spread = self.shape.spread(level)
                goal = [-(-size // step) for size, step in zip(sizes, spread, strict=True)]
                answers.insert(0, crop_to_start(self.heads[level](values), goal))
        return tuple(answers) if n_heads > 1 else answers[0]


class ResidualBlock(nn.Module):
    """Two convolutions beside a skip that averages where the block strides (ResNet-D)."""

    def __init__(
        self, io: NetworkIO, inputs: int, shape: NNUNetShape, stage: int, stride: tuple[int, ...]
    ) -> None:
        super().__init__()
        width, n_dims = shape.widths[stage], io.n_dims
        first = _convolutions(io, inputs, width, shape, stage, 1, stride=stride)
        second = _convolutions(io, width, width, shape, stage, 1)
        self.path = nn.Sequential(*first, *second[:-1])
        skip: list[nn.Module] = []
        if max(stride) > 1:
            skip.append(average_pool(n_dims, stride))
        if inputs != width:
            skip.append(CONVOLUTION[n_dims](inputs, width, 1, bias=False))
            skip += make_norm(n_dims, width, shape.norm)
        self.skip = nn.Sequential(*skip)
        self.activation = make_activation("leaky-relu")

    def forward(self, values: Tensor) -> Tensor:
        """(n, c, …) -> (n, width, …), strided."""
        result: Tensor = self.activation(self.path(values) + self.skip(values))
        return result

    def start_as_identity(self) -> None:
        """Scale the path's last norm to zero: at first the block hands its input on."""
        last = self.path[-1]
        if isinstance(
            last, nn.InstanceNorm2d | nn.InstanceNorm3d | nn.BatchNorm2d | nn.BatchNorm3d
        ):
            nn.init.zeros_(last.weight)


def _convolutions(
    io: NetworkIO,
    inputs: int,
    outputs: int,
    shape: NNUNetShape,
    stage: int,
    count: int,
    *,
    stride: tuple[int, ...] | int = 1,
) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for index in range(count):
        layers += conv_unit(
            io.n_dims,
            inputs if index == 0 else outputs,
            outputs,
            kernel=shape.steps.kernels[stage],
            stride=stride if index == 0 else 1,
            dilation=shape.parts.dilation(shape.steps.spread(stage)),
            norm=shape.norm,
            activation="leaky-relu",
            bias=True,
        )
    return layers


def _residual_stage(io: NetworkIO, inputs: int, shape: NNUNetShape, stage: int) -> nn.Sequential:
    ones = (1,) * io.n_dims
    width = shape.widths[stage]
    return nn.Sequential(
        *(
            ResidualBlock(
                io,
                inputs if index == 0 else width,
                shape,
                stage,
                shape.stride(stage) if index == 0 else ones,
            )
            for index in range(_n_blocks(stage))
        )
    )


def _n_blocks(stage: int) -> int:
    return _RESIDUAL_BLOCKS[stage] if stage < len(_RESIDUAL_BLOCKS) else _DEEP_RESIDUAL_BLOCKS


def _steps(
    io: NetworkIO,
    parts: Parts,
    width: int,
    stages: int,
    strides: Sizes | None,
    kernels: Sizes | None,
) -> AxisSteps:
    require_dims(io, parts.name, (2, 3))
    if width < 1 or stages < 2:
        raise BadPlan(
            f"network {parts.name}: width is {width} and stages is {stages}",
            "at least 1 and 2",
            "Change these options.",
            code="bad-option",
        )
    return axis_steps(parts.name, io.n_dims, stages, strides, kernels)


def _widths(io: NetworkIO, width: int, stages: int) -> tuple[int, ...]:
    return tuple(min(width * 2**i, _MAX_WIDTH[io.n_dims]) for i in range(stages))


def _reach(shape: NNUNetShape) -> int:
    """Reach of the convolutions and steps; instance norm looks at the whole tile besides."""
    reaches = []
    is_strided = shape.parts.downsampling == "strided"
    for axis in range(len(shape.steps.strides[0])):
        total = 0
        for stage, kernel in enumerate(shape.steps.kernels):
            here = shape.steps.spread(stage)[axis]
            first = here // shape.steps.strides[stage][axis] if is_strided else here
            n_encoder = 2 * _n_blocks(stage) if shape.is_residual else 2
            total += kernel[axis] // 2 * (first + (n_encoder - 1) * here)
            if stage == 0 and shape.is_residual:
                total += kernel[axis] // 2
            if stage < len(shape.steps.kernels) - 1:
                total += kernel[axis] // 2 * here * (1 if shape.is_residual else 2)
        reaches.append(shape.parts.reach(total, shape.steps.spread(-1)[axis]))
    return max(reaches)
