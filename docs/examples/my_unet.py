"""A U-Net of one's own in sixty lines, for `pixelwise train DATA --run RUN --use my_unet.py
--set network.name=my-unet`. Options are the keyword parameters of the registered function."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.networks import NETWORKS, NetworkIO


def two_convolutions(n_in: int, n_out: int) -> nn.Sequential:
    """Convolution, norm, activation, twice."""
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(inplace=True),
        nn.Conv2d(n_out, n_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(inplace=True),
    )


class MyUNet(nn.Module):
    """Down by pooling, up by interpolation, skips by concatenation; any size from 2^depth on."""

    def __init__(self, io: NetworkIO, width: int, depth: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(
            two_convolutions(n_in, n_out)
            for n_in, n_out in zip([io.in_channels, *widths[:-1]], widths, strict=True)
        )
        self.up = nn.ModuleList(
            two_convolutions(below + here, here) for here, below in pairwise(widths)
        )
        self.last = nn.Conv2d(width, io.out_channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, y, x) -> logits (n, k, y, x) on the same grid."""
        skips = []
        x = images
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else F.max_pool2d(x, 2, ceil_mode=True))
            skips.append(x)
        x = skips.pop()
        for block in reversed(self.up):
            skip = skips.pop()
            x = F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
            x = block(torch.cat([skip, x], dim=1))
        logits: Tensor = self.last(x)
        return logits


@NETWORKS.register("my-unet", dimensions=(2,))
def my_unet(io: NetworkIO, *, width: int = 16, depth: int = 3) -> nn.Module:
    """A plain U-Net in one file."""
    return MyUNet(io, width, depth)
