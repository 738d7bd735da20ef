"""SegNet and SegNet-Basic: the decoder unpools to where the encoder's maxima were."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from pixelwise.networks import NETWORKS, Field, NetworkIO
from pixelwise.networks.fitting import crop_to_start, extend_to
from pixelwise.networks.layers import Norm, conv_unit, initialise, make_norm, require_dims
from pixelwise.networks.unpooling import pool_with_places, unpool
from pixelwise.networks.vgg import CONVOLUTIONS, block_widths, vgg_block

_BASIC_LEVELS = 4
_BASIC_KERNEL = 7
_NORM_SHIFT = 0.001
"""Every batch norm of SegNet starts with this shift."""


@NETWORKS.register("segnet", dimensions=(2,), small={"width": 4})
def segnet(io: NetworkIO, *, width: int = 64, norm: Norm = "batch") -> nn.Module:
    """SegNet: VGG16's convolutions, and a decoder that mirrors them with unpooling.

    Exact at width 64 with 3 channels and 11 classes: 29,449,355 parameters. Any size:
    pooling rounds up, unpooling returns to the size before.
    Source: Badrinarayanan, Kendall, Cipolla, PAMI 2017.
    """
    require_dims(io, "segnet", (2,))
    widths = block_widths(width)
    inputs = (io.in_channels, *widths[:-1])
    encoder = [vgg_block(inputs[i], widths[i], CONVOLUTIONS[i], norm=norm) for i in range(5)]
    decoder: list[nn.Module] = []
    for level in range(5):
        below = widths[level - 1] if level else widths[0]
        n_same = CONVOLUTIONS[level] - 1
        layers = list(vgg_block(widths[level], widths[level], n_same, norm=norm))
        if level:
            layers += conv_unit(2, widths[level], below, norm=norm, bias=True)
        else:
            layers.append(nn.Conv2d(widths[0], io.out_channels, 3, padding=1))
        decoder.append(nn.Sequential(*layers))
    network = SegNet(encoder, decoder, Field(alignment=32, reach=211))
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.constant_(layer.bias, _NORM_SHIFT)
    return network


@NETWORKS.register("segnet-basic", dimensions=(2,), small={"width": 4})
def segnet_basic(io: NetworkIO, *, width: int = 64, norm: Norm = "batch") -> nn.Module:
    """SegNet-Basic: four levels of one 7 x 7 convolution each; the decoder has no ReLU.

    Exact at width 64 with 11 classes: 1,416,587 parameters, biases and norm included.
    The input passes a local response normalisation first, as in the released network.
    Source: Badrinarayanan, Kendall, Cipolla, PAMI 2017.
    """
    require_dims(io, "segnet-basic", (2,))
    encoder: list[nn.Module] = []
    decoder: list[nn.Module] = []
    for level in range(_BASIC_LEVELS):
        inputs = io.in_channels if level == 0 else width
        stem = [nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)] if level == 0 else []
        unit = conv_unit(2, inputs, width, kernel=_BASIC_KERNEL, norm=norm, bias=True)
        encoder.append(nn.Sequential(*stem, *unit))
        layers = [nn.Conv2d(width, width, _BASIC_KERNEL, padding=_BASIC_KERNEL // 2)]
        head = [nn.Conv2d(width, io.out_channels, 1)] if level == 0 else []
        decoder.append(nn.Sequential(*layers, *make_norm(2, width, norm), *head))
    return SegNet(encoder, decoder, Field(alignment=16, reach=105))


class SegNet(nn.Module):
    """Encoder blocks with pooling after each, decoder blocks with unpooling before each."""

    def __init__(
        self, encoder: Sequence[nn.Module], decoder: Sequence[nn.Module], field: Field
    ) -> None:
        super().__init__()
        self.field = field
        self.encoder = nn.ModuleList(encoder)
        self.decoder = nn.ModuleList(decoder)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, y, x) -> logits (n, k, y, x)."""
        shape = tuple(images.shape[2:])
        stride = 2 ** len(self.encoder)
        values = images
        if max(shape) <= stride:
            # one coarsest pixel in all would leave a norm nothing to learn from
            values = extend_to(values, (shape[0], stride + 1))
        places, sizes = [], []
        for block in self.encoder:
            values = block(values)
            sizes.append(values.shape[2:])
            values, place = pool_with_places(values)
            places.append(place)
        for level in reversed(range(len(places))):
            values = self.decoder[level](unpool(values, places[level], sizes[level]))
        return crop_to_start(values, shape)
