"""U-Net: an encoder, a decoder, and at every scale a skip connection between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from pixelwise.networks import NETWORKS, Field, NetworkIO, check_size
from pixelwise.networks.axis_steps import Sizes, axis_steps
from pixelwise.networks.fitting import crop_to_centre, crop_to_start, pad_to_multiple
from pixelwise.networks.layers import CONVOLUTION, Norm, conv_unit, initialise, require_dims
from pixelwise.networks.recipe import Recipe
from pixelwise.networks.resampling import (
    Downsampling,
    Upsampling,
    make_downsampling,
    make_upsampling,
)
from pixelwise.networks.unet_shape import Skip, UNetShape, check_shape, check_steps
from pixelwise.networks.unpooling import pool_with_places, unpool

WIDTHS = (16, 24, 32, 48, 64)


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
    strides: Sizes | None = None,
    kernels: Sizes | None = None,
) -> nn.Module:
    """U-Net with same padding and batch norm; every part of it can be exchanged.

    width: channels at full resolution, doubled at each of `depth` poolings up to `max_width`.
    dropout acts after the two deepest levels of the encoder. strides and kernels: one tuple per
    level, the finest first, for volumes whose voxels are not cubes (the first stride is all ones).
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
    check_shape(shape, width, depth)
    if strides is not None or kernels is not None:
        steps = axis_steps("unet", io.n_dims, depth + 1, strides, kernels)
        check_steps(shape)
        shape = replace(shape, steps=steps)
    return UNet(io, shape, "unet")


class UNet(nn.Module):
    """The module behind `unet` and its published forms; `field` says which sizes it takes."""

    def __init__(self, io: NetworkIO, shape: UNetShape, name: str) -> None:
        super().__init__()
        self.name = name
        self.shape = shape
        self.field = _field(shape)
        widths, depth = shape.widths, len(shape.widths) - 1
        is_dilated = shape.downsampling == "dilated"
        self.steps = shape.steps or axis_steps(name, io.n_dims, depth + 1, None, None)
        strides, kernels = self.steps.strides[1:], self.steps.kernels
        inputs = (io.in_channels, *widths[:-1])
        self.encoder = nn.ModuleList(
            _stage(
                io.n_dims,
                inputs[i],
                widths[i],
                shape,
                kernel=kernels[i],
                dilation=2**i if is_dilated else 1,
                dropout=shape.dropout if i >= depth - 1 else 0.0,
            )
            for i in range(depth + 1)
        )
        self.downsampling = nn.ModuleList(
            make_downsampling(io.n_dims, widths[i], shape.downsampling, strides[i])
            for i in range(depth)
        )
        up_widths = [widths[i] for i in range(depth)]
        if shape.last_up_width is not None and depth:
            up_widths[0] = shape.last_up_width
        self.upsampling = nn.ModuleList(
            _up(io.n_dims, widths[i + 1], up_widths[i], shape, strides[i]) for i in range(depth)
        )
        joined = [
            up_widths[i] + (widths[i] if shape.skip == "concatenate" else 0) for i in range(depth)
        ]
        self.decoder = nn.ModuleList(
            _stage(
                io.n_dims,
                joined[i],
                widths[i],
                shape,
                kernel=kernels[i],
                dilation=2**i if is_dilated else 1,
            )
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
            multiple = (1,) * len(sizes) if self.field.alignment == 1 else self.steps.spread(-1)
            images = pad_to_multiple(images, multiple)
        features = self._features(images)
        n_heads = len(self.heads) if self.training else 1
        logits = [
            head(values) for head, values in zip(self.heads, features[:n_heads], strict=False)
        ]
        if self.shape.padding == "same":
            for level in range(n_heads):
                spread = self.steps.spread(level)
                goal = [-(-size // step) for size, step in zip(sizes, spread, strict=True)]
                logits[level] = crop_to_start(logits[level], goal)
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


def _stage(
    n_dims: int,
    inputs: int,
    width: int,
    shape: UNetShape,
    *,
    kernel: tuple[int, ...],
    dilation: int = 1,
    dropout: float = 0.0,
) -> nn.Sequential:
    padding = 0 if shape.padding == "valid" else tuple(size // 2 * dilation for size in kernel)
    layers: list[nn.Module] = []
    for index in range(shape.convolutions):
        layers += conv_unit(
            n_dims,
            inputs if index == 0 else width,
            width,
            kernel=kernel,
            dilation=dilation,
            padding=padding,
            norm=shape.norm,
        )
    if dropout > 0:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)


def _up(
    n_dims: int, inputs: int, outputs: int, shape: UNetShape, stride: tuple[int, ...]
) -> nn.Module:
    if shape.downsampling == "dilated":
        return CONVOLUTION[n_dims](inputs, outputs, 1)
    up = make_upsampling(n_dims, inputs, outputs, shape.upsampling, stride)
    return nn.Sequential(up, nn.ReLU(inplace=True)) if shape.activated_up else up


def _field(shape: UNetShape) -> Field:
    stride, n = 2 ** (len(shape.widths) - 1), shape.convolutions
    lost = n * (3 * stride - 2)
    is_dilated = shape.downsampling == "dilated"
    blur = {"bilinear": 1, "bicubic": 3}.get(shape.upsampling, 0)
    reach = lost if is_dilated else lost + (1 + blur) * (stride - 1)
    if shape.steps is not None:
        return Field(alignment=shape.steps.widest, reach=shape.steps.reach(n, 1 + blur))
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
