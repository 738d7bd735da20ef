"""Exchangeable ways down and up by a factor of two: pooling, strides, interpolation, and more."""

from __future__ import annotations

import math
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.core.errors import BadPlan
from pixelwise.networks.layers import AVERAGE_POOL, CONVOLUTION, MAX_POOL, TRANSPOSED, Size

Downsampling = Literal["max", "average", "strided", "dilated"]
Upsampling = Literal["transposed", "nearest", "bilinear", "bicubic", "pixel-shuffle", "unpooling"]

_INTERPOLATION = {
    ("nearest", 2): "nearest",
    ("nearest", 3): "nearest",
    ("bilinear", 2): "bilinear",
    ("bilinear", 3): "trilinear",
    ("bicubic", 2): "bicubic",
}


def make_downsampling(
    n_dims: int, channels: int, kind: Downsampling, stride: Size = 2
) -> nn.Module:
    """A layer that halves the grid, channels unchanged ("dilated" leaves the grid as it is).

    stride: 1 for axes that stay as they are.
    """
    if kind == "max":
        return MAX_POOL[n_dims](stride)
    if kind == "average":
        return AVERAGE_POOL[n_dims](stride)
    if kind == "strided":
        return CONVOLUTION[n_dims](channels, channels, stride, stride=stride)
    return nn.Identity()


def make_upsampling(
    n_dims: int, inputs: int, outputs: int, kind: Upsampling, stride: Size = 2
) -> nn.Module:
    """A layer that doubles the grid and changes the number of channels.

    stride: 1 for axes that stay as they are.
    Interpolating kinds are followed by a 1 x 1 convolution for the channels, done before
    the interpolation, where it costs a fraction of it and gives the same values.
    """
    if kind == "transposed":
        return TRANSPOSED[n_dims](inputs, outputs, stride, stride=stride)
    if kind == "pixel-shuffle":
        return PixelShuffle(n_dims, inputs, outputs, stride)
    if kind == "unpooling":
        return CONVOLUTION[n_dims](inputs, outputs, 1)
    if (kind, n_dims) not in _INTERPOLATION:
        raise BadPlan(
            f"upsampling {kind} cannot be used for {n_dims}D images",
            "transposed, nearest, bilinear (trilinear in 3D), pixel-shuffle or unpooling",
            "Choose one of these.",
            code="upsampling-dims",
        )
    return Interpolation(n_dims, inputs, outputs, _INTERPOLATION[kind, n_dims], stride)


class Interpolation(nn.Module):
    """Interpolate to `factor` times the grid, with a 1 x 1 convolution for the channels."""

    def __init__(self, n_dims: int, inputs: int, outputs: int, mode: str, factor: Size = 2) -> None:
        super().__init__()
        self.convolution = CONVOLUTION[n_dims](inputs, outputs, 1)
        self.mode = mode
        self.factor = factor

    def forward(self, values: Tensor) -> Tensor:
        align = None if self.mode == "nearest" else False
        values = self.convolution(values)
        return F.interpolate(values, scale_factor=self.factor, mode=self.mode, align_corners=align)


class PixelShuffle(nn.Module):
    """A convolution to 2^d times the channels, laid out as 2^d neighbouring pixels.

    factor: 2, or per axis. kernel: of the convolution.
    Source: Shi et al. 2016 (sub-pixel convolution).
    """

    def __init__(
        self, n_dims: int, inputs: int, outputs: int, factor: Size = 2, kernel: Size = 1
    ) -> None:
        super().__init__()
        self.factors = (factor,) * n_dims if isinstance(factor, int) else factor
        sizes = (kernel,) * n_dims if isinstance(kernel, int) else kernel
        self.convolution = CONVOLUTION[n_dims](
            inputs,
            outputs * math.prod(self.factors),
            sizes,
            padding=tuple(size // 2 for size in sizes),
        )
        self.outputs = outputs

    def forward(self, values: Tensor) -> Tensor:
        return shuffle_up(self.convolution(values), self.outputs, self.factors)


def shuffle_up(values: Tensor, outputs: int, factors: tuple[int, ...] | None = None) -> Tensor:
    """Channels laid out as pixels: (n, 2^d k, [z,] y, x) -> (n, k, [2z,] 2y, 2x).

    factors: per axis, 2 if not given.
    """
    n_dims = values.ndim - 2
    factors = factors or (2,) * n_dims
    if factors == (2, 2):
        return F.pixel_shuffle(values, 2)
    sizes = values.shape[2:]
    values = values.reshape(values.shape[0], outputs, *factors, *sizes)
    order = [axis for i in range(n_dims) for axis in (2 + n_dims + i, 2 + i)]
    values = values.permute(0, 1, *order)
    fine = (factor * size for factor, size in zip(factors, sizes, strict=True))
    return values.reshape(values.shape[0], outputs, *fine)


def average_pool(n_dims: int, size: tuple[int, ...]) -> nn.Module:
    """Average pooling over windows of `size` that do not overlap."""
    return AVERAGE_POOL[n_dims](size, stride=size)
