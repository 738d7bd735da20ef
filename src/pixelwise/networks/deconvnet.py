"""DeconvNet: VGG16 down to a single vector, and its mirror image back up by unpooling."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from pixelwise.networks import NETWORKS, Field, NetworkIO
from pixelwise.networks.fitting import crop_to_start, extend_to
from pixelwise.networks.layers import Norm, conv_unit, initialise, make_norm, require_dims
from pixelwise.networks.mirrored import Parts, Skip, Steps
from pixelwise.networks.recipe import Recipe
from pixelwise.networks.resampling import Upsampling
from pixelwise.networks.vgg import CONVOLUTIONS, HIDDEN_FACTOR, VGG_WIDTHS, block_widths, vgg_block

_STRIDE = 32
_CONVOLUTION_REACH = 372
"""Of all convolutions of one way down and up, fc6 and its mirror image included."""

_SMALLEST = 224
"""fc6 needs a map of 7 x 7."""

Pooling = Literal["max", "average", "strided"]


@NETWORKS.register(
    "deconvnet", dimensions=(2,), small={"width": 4}, recipe=Recipe(widths=VGG_WIDTHS)
)
def deconvnet(
    io: NetworkIO,
    *,
    width: int = 64,
    hidden: int = 0,
    norm: Norm = "batch",
    downsampling: Pooling = "max",
    upsampling: Upsampling = "unpooling",
    skip: Skip = "none",
) -> nn.Module:
    """DeconvNet: unpooling and transposed convolutions mirror the encoder.

    Exact at width 64 with 21 classes: 251,805,653 parameters with norm. hidden: maps of fc6
    and fc7, 64 times the width if 0 (4096; the SegNet paper compared one with 1024).
    Any size: smaller or uneven images are mirrored up to a multiple of 32, at least 224.
    The ways down and up and the skip connections can be exchanged (no dilation: fc6 needs the
    coarse map); the paper has max pooling, unpooling and no skips.
    Source: Noh, Hong, Han, ICCV 2015.
    """
    require_dims(io, "deconvnet", (2,))
    steps = Steps(Parts("deconvnet", downsampling, upsampling, skip), block_widths(width))
    return DeconvNet(io, steps, width, hidden or HIDDEN_FACTOR * width, norm)


class DeconvNet(nn.Module):
    """The encoder with indices, fc6, fc7, and the mirrored decoder."""

    def __init__(self, io: NetworkIO, steps: Steps, width: int, hidden: int, norm: Norm) -> None:
        super().__init__()
        self.field = Field(alignment=_STRIDE, reach=steps.parts.reach(_CONVOLUTION_REACH, _STRIDE))
        self.steps = steps
        widths = block_widths(width)
        inputs = (io.in_channels, *widths[:-1])
        self.encoder = nn.ModuleList(
            vgg_block(inputs[i], widths[i], CONVOLUTIONS[i], norm=norm) for i in range(5)
        )
        self.fc6 = nn.Sequential(
            *conv_unit(2, widths[4], hidden, kernel=7, padding=0, norm=norm, bias=True)
        )
        self.fc7 = nn.Sequential(*conv_unit(2, hidden, hidden, kernel=1, norm=norm, bias=True))
        self.fc6_back = nn.Sequential(*_deconv(hidden, widths[4], norm, kernel=7, padding=0))
        outputs = (widths[0], *widths[:-1])
        self.decoder = nn.ModuleList(
            nn.Sequential(
                *(
                    layer
                    for index in range(CONVOLUTIONS[i])
                    for layer in _deconv(
                        widths[i] if index else steps.parts.joined(widths[i]),
                        outputs[i] if index == CONVOLUTIONS[i] - 1 else widths[i],
                        norm,
                    )
                )
            )
            for i in range(5)
        )
        self.score = nn.Conv2d(widths[0], io.out_channels, 1)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, y, x) -> logits (n, k, y, x)."""
        shape = tuple(images.shape[2:])
        values = extend_to(images, self._inner_shape(images))
        memories = []
        for level, block in enumerate(self.encoder):
            values, memory = self.steps.go_down(block(values), level)
            memories.append(memory)
        values = self.fc6_back(self.fc7(self.fc6(values)))
        for level in reversed(range(5)):
            values = self.decoder[level](self.steps.go_up(values, level, memories[level]))
        return crop_to_start(self.score(values), shape)

    def _inner_shape(self, images: Tensor) -> list[int]:
        goal = [max(-(-size // _STRIDE) * _STRIDE, _SMALLEST) for size in images.shape[2:]]
        if self.training and len(images) == 1 and goal == [_SMALLEST, _SMALLEST]:
            # batch norm after fc6 cannot learn from a single value
            goal[-1] += _STRIDE
        return goal


def _deconv(
    inputs: int, outputs: int, norm: Norm, *, kernel: int = 3, padding: int = 1
) -> list[nn.Module]:
    convolution = nn.ConvTranspose2d(inputs, outputs, kernel, padding=padding)
    return [convolution, *make_norm(2, outputs, norm), nn.ReLU(inplace=True)]
