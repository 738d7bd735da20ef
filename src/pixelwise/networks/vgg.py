"""The convolutional part of VGG16, which FCN, DeconvNet, SegNet and the dilated front end share."""

from __future__ import annotations

from torch import nn

from pixelwise.networks.layers import Norm, conv_unit

CONVOLUTIONS = (2, 2, 3, 3, 3)
"""How many 3 x 3 convolutions stand in each of the five blocks."""

FULL_WIDTH = 64
HIDDEN_FACTOR = 64
"""fc6 and fc7 have 64 times the maps of the first block: 4096 at full width."""


VGG_WIDTHS = (8, 16, 24, 32, 48, 64)
"""Widths that a planner may choose from; 64 is the published network."""

NEEDS_NORM = (
    "Thirteen layers and more without any norm hardly learn from a random start; "
    "published weights would do without."
)


def block_widths(width: int) -> tuple[int, ...]:
    """Maps of the five blocks; VGG16 itself has width 64: 64, 128, 256, 512, 512."""
    return (width, 2 * width, 4 * width, 8 * width, 8 * width)


def vgg_block(
    inputs: int,
    outputs: int,
    n_convolutions: int,
    *,
    norm: Norm = "none",
    first_padding: int | None = None,
    dilation: int = 1,
    padding: int | None = None,
) -> nn.Sequential:
    """One block of VGG16 without its pooling: 3 x 3 convolutions, each with bias and ReLU."""
    layers: list[nn.Module] = []
    for index in range(n_convolutions):
        layers += conv_unit(
            2,
            inputs if index == 0 else outputs,
            outputs,
            padding=first_padding if index == 0 and first_padding is not None else padding,
            dilation=dilation,
            norm=norm,
            bias=True,
        )
    return nn.Sequential(*layers)
