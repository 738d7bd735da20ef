"""Dilated convolutions: a front end that keeps resolution, and a module that gathers context."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from pixelwise.networks import NETWORKS, Field, NetworkIO
from pixelwise.networks.bilinear import PaddedShuffle, ScoreUpsampling, make_score_upsampling
from pixelwise.networks.fitting import crop_to_start, extend, pad_to_multiple
from pixelwise.networks.layers import CONVOLUTION, Norm, conv_unit, initialise, require_dims
from pixelwise.networks.recipe import Recipe
from pixelwise.networks.resampling import make_downsampling
from pixelwise.networks.vgg import (
    CONVOLUTIONS,
    HIDDEN_FACTOR,
    NEEDS_NORM,
    VGG_WIDTHS,
    block_widths,
    vgg_block,
)

Module = Literal["basic", "large", "deep"]
Context = Literal["none", "basic", "large", "deep"]
Pooling = Literal["max", "average", "strided"]

_DILATIONS = (1, 1, 2, 4, 8, 16, 1)
_DEEP_DILATIONS = (1, 1, 2, 4, 8, 16, 32, 64, 1)
_LARGE_WIDTHS = (2, 2, 4, 8, 16, 32, 32)
_STRIDE = 8
_MARGIN = 186
_NOISE = 0.01
"""Standard deviation of what is added to the identity; the release uses this value."""

_RECIPE = Recipe(widths=VGG_WIDTHS, from_scratch={"norm": "batch"}, sentence=NEEDS_NORM)


@NETWORKS.register("dilated", dimensions=(2,), small={"width": 4}, recipe=_RECIPE)
def dilated(
    io: NetworkIO,
    *,
    width: int = 64,
    context: Context = "basic",
    norm: Norm = "none",
    downsampling: Pooling = "max",
    upsampling: ScoreUpsampling = "fixed",
) -> nn.Module:
    """VGG16 without its last two poolings, dilated instead, then a context module.

    The front end is exact at width 64: 134,305,611 parameters for 11 classes. The image is
    mirrored by 186 pixels, scores come at every 8th pixel and are interpolated bilinearly.
    norm="batch" is ours, for training without published weights. downsampling: the three
    poolings that are left; upsampling: of the scores. There are no skip connections to exchange.
    Source: Yu, Koltun, ICLR 2016.
    """
    require_dims(io, "dilated", (2,))
    up = make_score_upsampling(io.out_channels, _STRIDE, upsampling)
    network = Dilated(io, front_end(io, width, norm, downsampling), context, up)
    if isinstance(up, PaddedShuffle):
        up.start_even()
    return network


@NETWORKS.register(
    "dilated-context",
    dimensions=(2, 3),
    small={"width": 4},
    recipe=Recipe(widths=(8, 16, 32)),
)
def dilated_context(io: NetworkIO, *, width: int = 16, context: Module = "basic") -> nn.Module:
    """The context module alone, at full resolution, between a first and a last convolution.

    Ours, to try what dilation does without any pooling; receptive field 69 (deep: 261).
    Source of the module: Yu, Koltun, ICLR 2016.
    """
    require_dims(io, "dilated-context", (2, 3))
    return DilatedContext(io, width, context)


def context_module(
    n_dims: int, channels: int, kind: Module, *, noise: float = _NOISE
) -> nn.Sequential:
    """Seven 3 x 3 convolutions with dilations 1, 1, 2, 4, 8, 16, 1 and a 1 x 1; sees 67 pixels.

    large: up to 32 times the channels inside. deep: two more convolutions with dilations 32
    and 64, sees 259 pixels. Starts as the identity (for non-negative input, exactly so
    without noise).
    Source: Yu, Koltun, ICLR 2016, table 1 and equations 4 and 5; deep: their release.
    """
    dilations = _DEEP_DILATIONS if kind == "deep" else _DILATIONS
    factors = _LARGE_WIDTHS if kind == "large" else (1,) * len(dilations)
    widths = [channels, *(channels * factor for factor in factors), channels]
    layers: list[nn.Module] = []
    for index, (inputs, outputs) in enumerate(pairwise(widths)):
        is_last = index == len(dilations)
        step = 1 if is_last else dilations[index]
        convolution = CONVOLUTION[n_dims](
            inputs,
            outputs,
            1 if is_last else 3,
            dilation=step,
            padding=0 if is_last else step,
        )
        start_as_identity(convolution, channels, noise)
        layers += [convolution] if is_last else [convolution, nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def start_as_identity(convolution: nn.Conv2d | nn.Conv3d, channels: int, noise: float) -> None:
    """Let a convolution hand every one of `channels` features on, in as many maps as it has.

    Source: Yu, Koltun, ICLR 2016, equation 5: the middle tap is C / c_out where the maps of
    input and output belong to the same feature, everything else is Gaussian noise.
    """
    weight = convolution.weight
    outputs, inputs = weight.shape[:2]
    feature_in = torch.arange(inputs) * channels // inputs
    feature_out = torch.arange(outputs) * channels // outputs
    is_same = (feature_out[:, None] == feature_in[None, :]).to(weight)
    with torch.no_grad():
        weight.normal_(0.0, noise) if noise > 0 else weight.zero_()
        taps = weight.flatten(2)
        tap = taps[:, :, taps.shape[2] // 2]
        tap.copy_(torch.where(is_same > 0, is_same * channels / outputs, tap))
        if convolution.bias is not None:
            convolution.bias.zero_()


class DilatedContext(nn.Module):
    """First convolution, context module, scores; any size, answers on the input's grid."""

    def __init__(self, io: NetworkIO, width: int, kind: Module) -> None:
        super().__init__()
        self.field = Field(reach=1 + _module_reach(kind))
        self.first = nn.Sequential(*conv_unit(io.n_dims, io.in_channels, width))
        self.score = CONVOLUTION[io.n_dims](width, io.out_channels, 1)
        initialise(self)
        self.context = context_module(io.n_dims, width, kind)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, [z,] y, x) -> logits (n, k, [z,] y, x)."""
        values = self.first(pad_to_multiple(images, 1))
        logits: Tensor = self.score(self.activation(self.context(values)))
        return crop_to_start(logits, images.shape[2:])


class Dilated(nn.Module):
    """Front end, context module, bilinear upsampling; any size, answers on the input's grid."""

    def __init__(self, io: NetworkIO, front: nn.Module, context: Context, up: nn.Module) -> None:
        super().__init__()
        self.field = Field(alignment=_STRIDE, reach=_reach(context, up))
        self.front = front
        self.context = (
            nn.Identity() if context == "none" else context_module(2, io.out_channels, context)
        )
        self.up = up

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, y, x) -> logits (n, k, y, x)."""
        sizes = images.shape[2:]
        margins = [(_MARGIN, _MARGIN + -size % _STRIDE) for size in sizes]
        scores = self.context(self.front(extend(images, margins)))
        half = _STRIDE // 2
        values: Tensor = self.up(scores)
        return values.narrow(2, half, sizes[0]).narrow(3, half, sizes[1])


def _reach(context: Context, up: nn.Module) -> int:
    """Of the front end, the context and the upsampling, bicubic looking one score further."""
    further = _STRIDE if getattr(up, "mode", "") == "bicubic" else 0
    module = 0 if context == "none" else _module_reach(context)
    return _MARGIN + module * _STRIDE + _STRIDE + 3 + further


def _module_reach(kind: Module) -> int:
    return sum(_DEEP_DILATIONS if kind == "deep" else _DILATIONS)


def front_end(
    io: NetworkIO, width: int, norm: Norm = "none", downsampling: Pooling = "max"
) -> nn.Sequential:
    """The front end: (n, c, y, x) -> scores (n, k, (y - 372) / 8, …); no padding anywhere."""
    widths, hidden = block_widths(width), HIDDEN_FACTOR * width
    inputs = (io.in_channels, *widths[:-1])
    layers: list[nn.Module] = []
    for level in range(5):
        block = vgg_block(
            inputs[level],
            widths[level],
            CONVOLUTIONS[level],
            norm=norm,
            padding=0,
            dilation=2 if level == 4 else 1,
        )
        layers += [*block]
        if level < 3:
            layers.append(make_downsampling(2, widths[level], downsampling))
    layers += conv_unit(2, widths[4], hidden, kernel=7, dilation=4, padding=0, norm=norm, bias=True)
    layers.append(nn.Dropout(0.5))
    layers += conv_unit(2, hidden, hidden, kernel=1, norm=norm, bias=True)
    layers += [nn.Dropout(0.5), nn.Conv2d(hidden, io.out_channels, 1)]
    network = nn.Sequential(*layers)
    initialise(network)
    return network
