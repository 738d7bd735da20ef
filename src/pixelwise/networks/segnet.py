"""SegNet and SegNet-Basic: the decoder unpools to where the encoder's maxima were."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from pixelwise.networks import NETWORKS, Field, NetworkIO
from pixelwise.networks.fitting import crop_to_start, extend_to, pad_to_multiple
from pixelwise.networks.layers import Norm, conv_unit, initialise, make_norm, require_dims
from pixelwise.networks.mirrored import Parts, Skip, Steps
from pixelwise.networks.recipe import Recipe
from pixelwise.networks.resampling import Downsampling, Upsampling
from pixelwise.networks.vgg import CONVOLUTIONS, VGG_WIDTHS, block_widths, vgg_block

_BASIC_LEVELS = 4
_BASIC_KERNEL = 7
_NORM_SHIFT = 0.001
"""Every batch norm of SegNet starts with this shift."""


@NETWORKS.register("segnet", dimensions=(2,), small={"width": 4}, recipe=Recipe(widths=VGG_WIDTHS))
def segnet(
    io: NetworkIO,
    *,
    width: int = 64,
    norm: Norm = "batch",
    downsampling: Downsampling = "max",
    upsampling: Upsampling = "unpooling",
    skip: Skip = "none",
) -> nn.Module:
    """SegNet: VGG16's convolutions, and a decoder that mirrors them with unpooling.

    Exact at width 64 with 3 channels and 11 classes: 29,449,355 parameters. Any size:
    pooling rounds up, unpooling returns to the size before. The ways down and up and the
    skip connections can be exchanged; the paper has max pooling, unpooling and no skips.
    Source: Badrinarayanan, Kendall, Cipolla, PAMI 2017.
    """
    require_dims(io, "segnet", (2,))
    parts = Parts("segnet", downsampling, upsampling, skip)
    widths = block_widths(width)
    inputs = (io.in_channels, *widths[:-1])
    encoder = [
        vgg_block(inputs[i], widths[i], CONVOLUTIONS[i], norm=norm, dilation=_dilation(parts, i))
        for i in range(5)
    ]
    decoder: list[nn.Module] = []
    for level in range(5):
        below = widths[level - 1] if level else widths[0]
        n_same, dilation = CONVOLUTIONS[level] - 1, _dilation(parts, level)
        joined = parts.joined(widths[level])
        layers = list(vgg_block(joined, widths[level], n_same, norm=norm, dilation=dilation))
        if level:
            layers += conv_unit(2, widths[level], below, norm=norm, bias=True, dilation=dilation)
        else:
            layers.append(nn.Conv2d(widths[0], io.out_channels, 3, padding=1))
        decoder.append(nn.Sequential(*layers))
    network = SegNet(encoder, decoder, Steps(parts, widths), convolution_reach=180)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.constant_(layer.bias, _NORM_SHIFT)
    return network


@NETWORKS.register(
    "segnet-basic", dimensions=(2,), small={"width": 4}, recipe=Recipe(widths=(16, 32, 64))
)
def segnet_basic(
    io: NetworkIO,
    *,
    width: int = 64,
    norm: Norm = "batch",
    downsampling: Downsampling = "max",
    upsampling: Upsampling = "unpooling",
    skip: Skip = "none",
) -> nn.Module:
    """SegNet-Basic: four levels of one 7 x 7 convolution each; the decoder has no ReLU.

    Exact at width 64 with 11 classes: 1,416,587 parameters, biases and norm included.
    The input passes a local response normalisation first, as in the released network. Parts
    can be exchanged as in segnet.
    Source: Badrinarayanan, Kendall, Cipolla, PAMI 2017.
    """
    require_dims(io, "segnet-basic", (2,))
    parts = Parts("segnet-basic", downsampling, upsampling, skip)
    encoder: list[nn.Module] = []
    decoder: list[nn.Module] = []
    for level in range(_BASIC_LEVELS):
        inputs = io.in_channels if level == 0 else width
        stem = [nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)] if level == 0 else []
        dilation = _dilation(parts, level)
        padding = _BASIC_KERNEL // 2 * dilation
        unit = conv_unit(
            2, inputs, width, kernel=_BASIC_KERNEL, dilation=dilation, norm=norm, bias=True
        )
        encoder.append(nn.Sequential(*stem, *unit))
        layers = [
            nn.Conv2d(parts.joined(width), width, _BASIC_KERNEL, padding=padding, dilation=dilation)
        ]
        head = [nn.Conv2d(width, io.out_channels, 1)] if level == 0 else []
        decoder.append(nn.Sequential(*layers, *make_norm(2, width, norm), *head))
    steps = Steps(parts, (width,) * _BASIC_LEVELS)
    return SegNet(encoder, decoder, steps, convolution_reach=90)


class SegNet(nn.Module):
    """Encoder blocks with a step down after each, decoder blocks with a step up before each.

    convolution_reach: how far the convolutions of one way down and up see together.
    """

    def __init__(
        self,
        encoder: Sequence[nn.Module],
        decoder: Sequence[nn.Module],
        steps: Steps,
        *,
        convolution_reach: int,
    ) -> None:
        super().__init__()
        self.stride = 1 if steps.parts.is_dilated else 2 ** len(encoder)
        reach = steps.parts.reach(convolution_reach, self.stride)
        self.field = Field(alignment=self.stride, reach=reach)
        self.encoder = nn.ModuleList(encoder)
        self.decoder = nn.ModuleList(decoder)
        self.steps = steps
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, y, x) -> logits (n, k, y, x)."""
        shape = tuple(images.shape[2:])
        values, memories = self._fit(images), []
        for level, block in enumerate(self.encoder):
            values, memory = self.steps.go_down(block(values), level)
            memories.append(memory)
        for level in reversed(range(len(memories))):
            values = self.decoder[level](self.steps.go_up(values, level, memories[level]))
        return crop_to_start(values, shape)

    def _fit(self, images: Tensor) -> Tensor:
        shape = tuple(images.shape[2:])
        if self.steps.parts.upsampling != "unpooling":
            return pad_to_multiple(images, self.stride)
        if max(shape) <= self.stride:
            # one coarsest pixel in all would leave a norm nothing to learn from
            return extend_to(images, (shape[0], self.stride + 1))
        return images


def _dilation(parts: Parts, level: int) -> int:
    return 2**level if parts.is_dilated else 1
