"""FCN: a classification network made convolutional, its coarse scores interpolated back up."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from pixelwise.networks import NETWORKS, Field, NetworkIO
from pixelwise.networks.bilinear import BilinearUpsampling, Kernels
from pixelwise.networks.layers import Norm, conv_unit, initialise, require_dims
from pixelwise.networks.vgg import CONVOLUTIONS, HIDDEN_FACTOR, block_widths, vgg_block

_PADDING = 100
"""The first convolution pads this much, so that even small images survive fc6."""

_CROPS = {32: (19,), 16: (5, 27), 8: (5, 9, 31)}
"""Where each crop starts: of the fused pools, then of the final map."""

_AT_ONCE_SCALES = (0.01, 0.0001)
"""Factors on pool4 and pool3 that let all three streams train together."""

_REACHES = {32: 233, 16: 241, 8: 245}


@NETWORKS.register("fcn-32s", dimensions=(2,), small={"width": 4})
def fcn_32s(
    io: NetworkIO, *, width: int = 64, norm: Norm = "none", upsampling: Kernels = "fixed"
) -> nn.Module:
    """FCN-32s on VGG16: scores at every 32nd pixel, interpolated.

    Exact at width 64 with 21 classes: 134,346,581 learned parameters. Padding 100, pooling
    that rounds up, crop at 19. norm="batch" is ours, for training without published weights.
    Source: Long, Shelhamer, Darrell, CVPR 2015.
    """
    return _build(io, "fcn-32s", width, norm, upsampling, 32)


@NETWORKS.register("fcn-16s", dimensions=(2,), small={"width": 4})
def fcn_16s(
    io: NetworkIO, *, width: int = 64, norm: Norm = "none", upsampling: Kernels = "fixed"
) -> nn.Module:
    """FCN-16s: the scores of FCN-32s joined with those of pool4.

    Source: Long, Shelhamer, Darrell, CVPR 2015.
    """
    return _build(io, "fcn-16s", width, norm, upsampling, 16)


@NETWORKS.register("fcn-8s", dimensions=(2,), small={"width": 4})
def fcn_8s(
    io: NetworkIO, *, width: int = 64, norm: Norm = "none", upsampling: Kernels = "fixed"
) -> nn.Module:
    """FCN-8s: the scores of FCN-16s joined with those of pool3.

    Source: Long, Shelhamer, Darrell, CVPR 2015.
    """
    return _build(io, "fcn-8s", width, norm, upsampling, 8)


@NETWORKS.register("fcn-8s-at-once", dimensions=(2,), small={"width": 4})
def fcn_8s_at_once(
    io: NetworkIO, *, width: int = 64, norm: Norm = "none", upsampling: Kernels = "fixed"
) -> nn.Module:
    """FCN-8s trained in one go: pool4 and pool3 are scaled by 0.01 and 0.0001 first.

    Source: Shelhamer, Long, Darrell, PAMI 2016 and their released networks.
    """
    return _build(io, "fcn-8s-at-once", width, norm, upsampling, 8, scales=_AT_ONCE_SCALES)


def _build(
    io: NetworkIO,
    name: str,
    width: int,
    norm: Norm,
    upsampling: Kernels,
    stride: Literal[32, 16, 8],
    scales: tuple[float, float] = (1.0, 1.0),
) -> nn.Module:
    require_dims(io, name, (2,))
    return FCN(io, width, norm, upsampling, stride=stride, scales=scales)


class FCN(nn.Module):
    """All four forms; any input size, the output has the input's grid."""

    def __init__(
        self,
        io: NetworkIO,
        width: int,
        norm: Norm,
        upsampling: Kernels,
        *,
        stride: Literal[32, 16, 8],
        scales: tuple[float, float],
    ) -> None:
        super().__init__()
        self.field = Field(alignment=32, reach=_REACHES[stride])
        self.crops = _CROPS[stride]
        self.scales = scales
        widths, hidden, n = block_widths(width), HIDDEN_FACTOR * width, io.out_channels
        inputs = (io.in_channels, *widths[:-1])
        self.blocks = nn.ModuleList(
            vgg_block(
                inputs[i],
                widths[i],
                CONVOLUTIONS[i],
                norm=norm,
                first_padding=_PADDING if i == 0 else None,
            )
            for i in range(5)
        )
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.fc6 = nn.Sequential(
            *conv_unit(2, widths[4], hidden, kernel=7, padding=0, norm=norm, bias=True),
            nn.Dropout(0.5),
        )
        self.fc7 = nn.Sequential(
            *conv_unit(2, hidden, hidden, kernel=1, norm=norm, bias=True), nn.Dropout(0.5)
        )
        n_skips = len(self.crops) - 1
        self.scores = nn.ModuleList(
            nn.Conv2d(channels, n, 1) for channels in (hidden, widths[3], widths[2])[: n_skips + 1]
        )
        factors = [2] * n_skips + [stride]
        self.ups = nn.ModuleList(BilinearUpsampling(n, f, upsampling) for f in factors)
        initialise(self)
        for score in self.scores.parameters():
            nn.init.zeros_(score)

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, y, x) -> logits (n, k, y, x)."""
        values, pools = images, []
        for block in self.blocks:
            values = self.pool(block(values))
            pools.append(values)
        scores: Tensor = self.scores[0](self.fc7(self.fc6(values)))
        skips = zip(self.scores[1:], self.scales, (pools[3], pools[2]), strict=False)
        for up, crop, (score, scale, pool) in zip(self.ups, self.crops, skips, strict=False):
            scores = up(scores)
            fine = score(pool * scale) if scale != 1 else score(pool)
            scores = scores + _crop(fine, crop, scores.shape[2:])
        return _crop(self.ups[-1](scores), self.crops[-1], images.shape[2:])


def _crop(values: Tensor, start: int, size: tuple[int, ...]) -> Tensor:
    return values.narrow(2, start, size[0]).narrow(3, start, size[1])
