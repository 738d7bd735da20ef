"""Upsampling by a transposed convolution that starts as, or stays, bilinear interpolation."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Kernels = Literal["fixed", "learned", "full"]
"""fixed: bilinear for ever, one kernel per class, no parameters. learned: the same, but
trained. full: trained, with a kernel from every class to every class (bilinear at first)."""


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
