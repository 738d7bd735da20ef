"""FCN: a classification network made convolutional, its coarse scores interpolated back up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from pixelwise.networks import NETWORKS, Field, NetworkIO
from pixelwise.networks.bilinear import PaddedShuffle, ScoreUpsampling, make_score_upsampling
from pixelwise.networks.layers import Norm, conv_unit, initialise, require_dims
from pixelwise.networks.mirrored import Skip
from pixelwise.networks.recipe import Recipe
from pixelwise.networks.vgg import (
    CONVOLUTIONS,
    HIDDEN_FACTOR,
    NEEDS_NORM,
    VGG_WIDTHS,
    block_widths,
    vgg_block,
)

_PADDING = 100
"""The first convolution pads this much, so that even small images survive fc6."""

_CROPS = {32: (19,), 16: (5, 27), 8: (5, 9, 31)}
"""Where each crop starts: of the fused pools, then of the final map."""

_AT_ONCE_SCALES = (0.01, 0.0001)
"""Factors on pool4 and pool3 that let all three streams train together."""

_REACHES = {32: 233, 16: 241, 8: 245}
"""How far an output pixel sees by the stride of its finest scores, interpolated linearly."""

_RECIPE = Recipe(widths=VGG_WIDTHS, from_scratch={"norm": "batch"}, sentence=NEEDS_NORM)

Pooling = Literal["max", "average", "strided"]


@dataclass(frozen=True, slots=True)
class FCNParts:
    """The exchangeable parts; scales are factors on pool4 and pool3 before their scores.

    skip: how the scores of the pools are fused, by sum as in the paper, by a 1 x 1
    convolution of both, or not at all (only the steps of the upsampling are left).
    """

    norm: Norm
    downsampling: Pooling
    upsampling: ScoreUpsampling
    skip: Skip
    scales: tuple[float, float] = (1.0, 1.0)


@NETWORKS.register("fcn-32s", dimensions=(2,), small={"width": 4}, recipe=_RECIPE)
def fcn_32s(
    io: NetworkIO,
    *,
    width: int = 64,
    norm: Norm = "none",
    downsampling: Pooling = "max",
    upsampling: ScoreUpsampling = "fixed",
) -> nn.Module:
    """FCN-32s on VGG16: scores at every 32nd pixel, interpolated.

    Exact at width 64 with 21 classes: 134,346,581 learned parameters. Padding 100, pooling
    that rounds up, crop at 19. norm="batch" is ours, for training without published weights.
    Source: Long, Shelhamer, Darrell, CVPR 2015.
    """
    parts = FCNParts(norm, downsampling, upsampling, "none")
    return _build(io, "fcn-32s", width, parts, 32)


@NETWORKS.register("fcn-16s", dimensions=(2,), small={"width": 4}, recipe=_RECIPE)
def fcn_16s(
    io: NetworkIO,
    *,
    width: int = 64,
    norm: Norm = "none",
    downsampling: Pooling = "max",
    upsampling: ScoreUpsampling = "fixed",
    skip: Skip = "add",
) -> nn.Module:
    """FCN-16s: the scores of FCN-32s joined with those of pool4.

    Source: Long, Shelhamer, Darrell, CVPR 2015.
    """
    parts = FCNParts(norm, downsampling, upsampling, skip)
    return _build(io, "fcn-16s", width, parts, 16)


@NETWORKS.register("fcn-8s", dimensions=(2,), small={"width": 4}, recipe=_RECIPE)
def fcn_8s(
    io: NetworkIO,
    *,
    width: int = 64,
    norm: Norm = "none",
    downsampling: Pooling = "max",
    upsampling: ScoreUpsampling = "fixed",
    skip: Skip = "add",
) -> nn.Module:
    """FCN-8s: the scores of FCN-16s joined with those of pool3.

    Source: Long, Shelhamer, Darrell, CVPR 2015.
    """
    parts = FCNParts(norm, downsampling, upsampling, skip)
    return _build(io, "fcn-8s", width, parts, 8)


@NETWORKS.register("fcn-8s-at-once", dimensions=(2,), small={"width": 4}, recipe=_RECIPE)
def fcn_8s_at_once(
    io: NetworkIO,
    *,
    width: int = 64,
    norm: Norm = "none",
    downsampling: Pooling = "max",
    upsampling: ScoreUpsampling = "fixed",
    skip: Skip = "add",
) -> nn.Module:
    """FCN-8s trained in one go: pool4 and pool3 are scaled by 0.01 and 0.0001 first.

    Source: Shelhamer, Long, Darrell, PAMI 2016 and their released networks.
    """
    parts = FCNParts(norm, downsampling, upsampling, skip, _AT_ONCE_SCALES)
    return _build(io, "fcn-8s-at-once", width, parts, 8)


def _build(
    io: NetworkIO, name: str, width: int, parts: FCNParts, stride: Literal[32, 16, 8]
) -> nn.Module:
    require_dims(io, name, (2,))
    return FCN(io, width, parts, stride)


class FCN(nn.Module):
    """All four forms; any input size, the output has the input's grid."""

    def __init__(
        self, io: NetworkIO, width: int, parts: FCNParts, stride: Literal[32, 16, 8]
    ) -> None:
        super().__init__()
        norm = parts.norm
        self.field = Field(alignment=32, reach=_reach(stride, parts.upsampling))
        self.crops = _CROPS[stride]
        self.scales = parts.scales
        self.skip = parts.skip
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
        self.pools = nn.ModuleList(_pooling(widths[i], parts.downsampling) for i in range(5))
        self.fc6 = nn.Sequential(
            *conv_unit(2, widths[4], hidden, kernel=7, padding=0, norm=norm, bias=True),
            nn.Dropout(0.5),
        )
        self.fc7 = nn.Sequential(
            *conv_unit(2, hidden, hidden, kernel=1, norm=norm, bias=True), nn.Dropout(0.5)
        )
        n_skips = len(self.crops) - 1
        fused = (hidden, widths[3], widths[2])[: 1 if parts.skip == "none" else n_skips + 1]
        self.scores = nn.ModuleList(nn.Conv2d(channels, n, 1) for channels in fused)
        n_joins = n_skips if parts.skip == "concatenate" else 0
        self.joins = nn.ModuleList(nn.Conv2d(2 * n, n, 1) for _ in range(n_joins))
        factors = [2] * n_skips + [stride]
        self.ups = nn.ModuleList(make_score_upsampling(n, f, parts.upsampling) for f in factors)
        initialise(self)
        for score in self.scores.parameters():
            nn.init.zeros_(score)
        for up in self.ups:
            if isinstance(up, PaddedShuffle):
                up.start_even()

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, y, x) -> logits (n, k, y, x)."""
        values, pools = images, []
        for block, pool in zip(self.blocks, self.pools, strict=True):
            values = pool(block(values))
            pools.append(values)
        scores: Tensor = self.scores[0](self.fc7(self.fc6(values)))
        for level in range(len(self.crops) - 1):
            scores = self._fuse(level, self.ups[level](scores), pools[3 - level])
        return _crop(self.ups[-1](scores), self.crops[-1], images.shape[2:])

    def _fuse(self, level: int, scores: Tensor, pool: Tensor) -> Tensor:
        """Coarse scores, already upsampled, with those of a finer pool."""
        if self.skip == "none":
            return scores
        scale = self.scales[level]
        fine = self.scores[level + 1](pool * scale if scale != 1 else pool)
        fine = _crop(fine, self.crops[level], scores.shape[2:])
        if self.skip == "add":
            return scores + fine
        joined: Tensor = self.joins[level](torch.cat((scores, fine), dim=1))
        return joined


def _reach(stride: int, upsampling: ScoreUpsampling) -> int:
    """Bicubic interpolation looks one score further in each of its steps."""
    further = sum(step for step in (32, 16, 8) if step >= stride)
    return _REACHES[stride] + (further if upsampling == "bicubic" else 0)


def _pooling(channels: int, kind: Pooling) -> nn.Module:
    """A step down that rounds sizes up."""
    if kind == "max":
        return nn.MaxPool2d(2, ceil_mode=True)
    if kind == "average":
        return nn.AvgPool2d(2, ceil_mode=True)
    return nn.Sequential(nn.ReplicationPad2d((0, 1, 0, 1)), nn.Conv2d(channels, channels, 2, 2))


def _crop(values: Tensor, start: int, size: tuple[int, ...]) -> Tensor:
    return values.narrow(2, start, size[0]).narrow(3, start, size[1])
