"""U-Net: an encoder, a decoder, and at every scale a skip connection between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from pixelwise.core.errors import BadPlan, Problem, raise_errors
from pixelwise.networks import NETWORKS, Field, NetworkIO, check_size
from pixelwise.networks.fitting import crop_to_centre, crop_to_start, pad_to_multiple
from pixelwise.networks.layers import CONVOLUTION, Norm, conv_unit, initialise, require_dims
from pixelwise.networks.recipe import Recipe
from pixelwise.networks.resampling import (
    Downsampling,
    Upsampling,
    make_downsampling,
    make_upsampling,
)
from pixelwise.networks.unpooling import pool_with_places, unpool

Skip = Literal["concatenate", "add", "none"]

WIDTHS = (16, 24, 32, 48, 64)
_HISTORIC = Recipe(widths=(8, *WIDTHS))


@dataclass(frozen=True, slots=True)
class UNetShape:
    """Every setting of a U-Net; the registered functions fill it.

    widths: channels per level, finest first. last_up_width: maps of the last up-convolution
    (half as many as come in, except in the released network).
    """

    widths: tuple[int, ...]
    convolutions: int = 2
    padding: Literal["same", "valid"] = "same"
    norm: Norm = "batch"
    dropout: float = 0.0
    downsampling: Downsampling = "max"
    upsampling: Upsampling = "transposed"
    skip: Skip = "concatenate"
    deep_supervision: bool = False
    activated_up: bool = False
    last_up_width: int | None = None


@NETWORKS.register("unet", dimensions=(2, 3), recipe=Recipe(widths=WIDTHS, halvings=("depth", 0)))
def unet(  # noqa: PLR0913  # one parameter per option
    io: NetworkIO,
    *,
    width: int = 32,
    depth: int = 4,
    convolutions: int = 2,
    padding: Literal["same", "valid"] = "same",
    norm: Norm = "batch",
    dropout: float = 0.0,
    downsampling: Downsampling = "max",
    upsampling: Upsampling = "transposed",
    skip: Skip = "concatenate",
    deep_supervision: bool = False,
    max_width: int = 1024,
) -> nn.Module:
    """U-Net with same padding and batch norm; every part of it can be exchanged.

    width: channels at full resolution, doubled at each of `depth` poolings up to `max_width`.
    dropout acts after the two deepest levels of the encoder.
    Source: Ronneberger, Fischer, Brox, MICCAI 2015; padding and norm are later habits.
    """
    require_dims(io, "unet", (2, 3))
    widths = tuple(min(width * 2**level, max_width) for level in range(depth + 1))
    shape = UNetShape(
        widths,
        convolutions,
        padding,
        norm,
        dropout,
        downsampling,
        upsampling,
        skip,
        deep_supervision,
    )
    _check(shape, width, depth)
    return UNet(io, shape, "unet")


@NETWORKS.register("unet-paper", dimensions=(2,), recipe=_HISTORIC)
def unet_paper(io: NetworkIO, *, width: int = 64) -> nn.Module:
    """The U-Net of the paper: valid convolutions, 572 x 572 in, 388 x 388 out.

    Exact at width 64: 31,030,658 parameters for 1 channel and 2 classes, He initialisation,
    dropout 0.5 at the end of the contracting path.
    Source: Ronneberger, Fischer, Brox, MICCAI 2015, figure 1 and section 3.
    """
    require_dims(io, "unet-paper", (2,))
    return UNet(io, _historic(width), "unet-paper")


@NETWORKS.register("unet-released", dimensions=(2,), recipe=_HISTORIC)
def unet_released(io: NetworkIO, *, width: int = 64) -> nn.Module:
    """The U-Net as its authors released it, which is not quite the one of the paper.

    ReLU also after the up-convolutions, the last of which keeps its 128 maps: 31,100,354
    parameters. Xavier initialisation.
    Source: faithful ports of the released network (phseg_v5).
    """
    require_dims(io, "unet-released", (2,))
    network = UNet(io, _historic(width, is_released=True), "unet-released")
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(layer.weight)
    return network


class UNet(nn.Module):
    """The module behind all three names; `field` says which sizes it takes."""

    def __init__(self, io: NetworkIO, shape: UNetShape, name: str) -> None:
        super().__init__()
        self.name = name
        self.shape = shape
        self.field = _field(shape)
        widths, depth = shape.widths, len(shape.widths) - 1
        inputs = (io.in_channels, *widths[:-1])
        is_dilated = shape.downsampling == "dilated"
        self.encoder = nn.ModuleList(
            _stage(
                io.n_dims,
                inputs[i],
                widths[i],
                shape,
                dilation=2**i if is_dilated else 1,
                dropout=shape.dropout if i >= depth - 1 else 0.0,
            )
            for i in range(depth + 1)
        )
        self.downsampling = nn.ModuleList(
            make_downsampling(io.n_dims, widths[i], shape.downsampling) for i in range(depth)
        )
        up_widths = [widths[i] for i in range(depth)]
        if shape.last_up_width is not None and depth:
            up_widths[0] = shape.last_up_width
        self.upsampling = nn.ModuleList(
            _up(io.n_dims, widths[i + 1], up_widths[i], shape) for i in range(depth)
        )
        joined = [
            up_widths[i] + (widths[i] if shape.skip == "concatenate" else 0) for i in range(depth)
        ]
        self.decoder = nn.ModuleList(
            _stage(io.n_dims, joined[i], widths[i], shape, dilation=2**i if is_dilated else 1)
            for i in range(depth)
        )
        n_heads = max(1, depth) if shape.deep_supervision else 1
        self.heads = nn.ModuleList(
            CONVOLUTION[io.n_dims](widths[i], io.out_channels, 1) for i in range(n_heads)
        )
        initialise(self)

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Logits on the input's grid, less the margin; in training maybe one per scale."""
        sizes = tuple(images.shape[2:])
        if self.shape.padding == "valid":
            check_size(self.field, sizes, self.name)
        else:
            images = pad_to_multiple(images, self.field.alignment)
        features = self._features(images)
        n_heads = len(self.heads) if self.training else 1
        logits = [
            head(values) for head, values in zip(self.heads, features[:n_heads], strict=False)
        ]
        if self.shape.padding == "same":
            goals = [tuple(-(-size // 2**level) for size in sizes) for level in range(n_heads)]
            logits = [crop_to_start(a, goal) for a, goal in zip(logits, goals, strict=True)]
        return tuple(logits) if n_heads > 1 else logits[0]

    def _features(self, values: Tensor) -> list[Tensor]:
        skips: list[Tensor] = []
        places: list[Tensor] = []
        for stage, down in zip(self.encoder[:-1], self.downsampling, strict=True):
            values = stage(values)
            skips.append(values)
            if self.shape.upsampling == "unpooling":
                values, place = pool_with_places(values)
                places.append(place)
            else:
                values = down(values)
        values = self.encoder[-1](values)
        features = [] if skips else [values]
        for level in reversed(range(len(skips))):
            values = self.upsampling[level](values)
            if self.shape.upsampling == "unpooling":
                values = unpool(values, places[level], skips[level].shape[2:])
            values = self.decoder[level](self._join(values, skips[level]))
            features.insert(0, values)
        return features

    def _join(self, values: Tensor, skip: Tensor) -> Tensor:
        if self.shape.skip == "none":
            return values
        skip = crop_to_centre(skip, values.shape[2:])
        if self.shape.skip == "add":
            return values + skip
        return torch.cat((skip, values), dim=1)


def _historic(width: int, *, is_released: bool = False) -> UNetShape:
    return UNetShape(
        tuple(width * 2**level for level in range(5)),
        padding="valid",
        norm="none",
        dropout=0.5,
        activated_up=is_released,
        last_up_width=2 * width if is_released else None,
    )


def _stage(
    n_dims: int,
    inputs: int,
    width: int,
    shape: UNetShape,
    *,
    dilation: int = 1,
    dropout: float = 0.0,
) -> nn.Sequential:
    padding = 0 if shape.padding == "valid" else None
    layers: list[nn.Module] = []
    for index in range(shape.convolutions):
        layers += conv_unit(
            n_dims,
            inputs if index == 0 else width,
            width,
            dilation=dilation,
            padding=padding,
            norm=shape.norm,
        )
    if dropout > 0:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)


def _up(n_dims: int, inputs: int, outputs: int, shape: UNetShape) -> nn.Module:
    if shape.downsampling == "dilated":
        return CONVOLUTION[n_dims](inputs, outputs, 1)
    up = make_upsampling(n_dims, inputs, outputs, shape.upsampling)
    return nn.Sequential(up, nn.ReLU(inplace=True)) if shape.activated_up else up


def _field(shape: UNetShape) -> Field:
    stride, n = 2 ** (len(shape.widths) - 1), shape.convolutions
    lost = n * (3 * stride - 2)
    is_dilated = shape.downsampling == "dilated"
    blur = {"bilinear": 1, "bicubic": 3}.get(shape.upsampling, 0)
    reach = lost if is_dilated else lost + (1 + blur) * (stride - 1)
    if shape.padding == "same":
        return Field(alignment=1 if is_dilated else stride, reach=reach)
    entering = 2 * n + 1 + (2 * n * (stride - 1)) // stride
    return Field(
        margin=lost,
        multiple=stride,
        remainder=-2 * n % stride,
        smallest=stride * entering + 2 * n * (stride - 1),
        alignment=stride,
        reach=reach,
    )


def _check(shape: UNetShape, width: int, depth: int) -> None:
    problems = []
    for option, value, low in (
        ("width", width, 1),
        ("depth", depth, 0),
        ("convolutions", shape.convolutions, 1),
        ("max_width", shape.widths[-1] if shape.widths else 1, 1),
    ):
        if value < low:
            problems.append(_problem(f"option {option} is {value}", f"at least {low}"))
    if not 0 <= shape.dropout < 1:
        problems.append(_problem(f"option dropout is {shape.dropout}", "a share from 0 to below 1"))
    if shape.upsampling == "unpooling" and shape.downsampling != "max":
        problems.append(
            _problem(
                f"upsampling is unpooling and downsampling is {shape.downsampling}",
                "downsampling=max: unpooling puts values where max pooling found them",
            )
        )
    flags = {
        "deep_supervision=true": shape.deep_supervision,
        "padding=valid": shape.padding == "valid",
        "downsampling=dilated": shape.downsampling == "dilated",
    }
    special = [text for text, is_set in flags.items() if is_set]
    if len(special) > 1:
        problems.append(_problem(" and ".join(special), "only one of these at a time"))
    raise_errors(problems, BadPlan)


def _problem(what: str, expected: str) -> Problem:
    return Problem(f"network unet: {what}", expected, "Change that option.", code="bad-option")
