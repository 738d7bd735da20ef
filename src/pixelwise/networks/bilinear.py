"""Upsampling of scores by a large factor: bilinear transposed convolutions and their rivals."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Kernels = Literal["fixed", "learned", "full"]
"""fixed: bilinear for ever, one kernel per class, no parameters. learned: the same, but
trained. full: trained, with a kernel from every class to every class (bilinear at first)."""

ScoreUpsampling = Literal["fixed", "learned", "full", "nearest", "bicubic", "pixel-shuffle"]


def make_score_upsampling(channels: int, factor: int, kind: ScoreUpsampling) -> nn.Module:
    """(n, k, y, x) -> (n, k, factor (y - 1) + 2 factor, …), by any of the ways."""
    if kind == "nearest" or kind == "bicubic":
        return PaddedInterpolation(factor, kind)
    if kind == "pixel-shuffle":
        return PaddedShuffle(channels, factor)
    return BilinearUpsampling(channels, factor, kind)


def bilinear_kernel(size: int) -> Tensor:
    """The bilinear kernel of a size, (size, size) float32; its sum is (size / 2)^2 if even.

    Source: Long, Shelhamer, Darrell 2015 (their initialisation of upsampling layers).
    """
    half = (size + 1) // 2
    centre = half - 1.0 if size % 2 else half - 0.5
    row = 1 - (torch.arange(size, dtype=torch.float64) - centre).abs() / half
    return torch.outer(row, row).float()


class BilinearUpsampling(nn.Module):
    """A transposed convolution, no bias: (n, k, y, x) -> (n, k, factor (y - 1) + 2 factor, …)."""

    def __init__(self, channels: int, factor: int, kernels: Kernels = "fixed") -> None:
        super().__init__()
        self.factor = factor
        self.groups = 1 if kernels == "full" else channels
        self.channels = channels
        weight = bilinear_kernel(2 * factor).expand(channels, 1, -1, -1).clone()
        if kernels == "full":
            weight = weight * torch.eye(channels)[:, :, None, None]
        if kernels == "fixed":
            self.register_buffer("weight", weight, persistent=False)
        else:
            self.weight = nn.Parameter(weight)

    def forward(self, values: Tensor) -> Tensor:
        """Upsample without cropping: the outermost `factor / 2` pixels fade to zero."""
        return F.conv_transpose2d(values, self.weight, stride=self.factor, groups=self.groups)


class PaddedInterpolation(nn.Module):
    """Interpolation on the same grid as the transposed convolution's, borders repeated."""

    def __init__(self, factor: int, mode: Literal["nearest", "bicubic"]) -> None:
        super().__init__()
        self.factor = factor
        self.mode = mode

    def forward(self, values: Tensor) -> Tensor:
        """Upsample and repeat the outermost pixels `factor / 2` times."""
        align = None if self.mode == "nearest" else False
        fine = F.interpolate(values, scale_factor=self.factor, mode=self.mode, align_corners=align)
        return F.pad(fine, [self.factor // 2] * 4, mode="replicate")


class PaddedShuffle(nn.Module):
    """A 1 x 1 convolution to factor^2 times the maps, laid out as pixels.

    The same for all pixels of a cell at first, so that training starts without a pattern.
    Source: Shi et al. 2016 (sub-pixel convolution); Aitken et al. 2017 (its initialisation).
    """

    def __init__(self, channels: int, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.channels = channels
        self.convolution = nn.Conv2d(channels, channels * factor**2, 1, bias=False)

    def start_even(self) -> None:
        """Copy each map's weights to all pixels of its cell: nearest interpolation at first."""
        with torch.no_grad():
            weight = torch.eye(self.channels)[:, :, None, None]
            self.convolution.weight.copy_(weight.repeat_interleave(self.factor**2, dim=0))

    def forward(self, values: Tensor) -> Tensor:
        """Upsample and repeat the outermost pixels `factor / 2` times."""
        fine = F.pixel_shuffle(self.convolution(values), self.factor)
        return F.pad(fine, [self.factor // 2] * 4, mode="replicate")
