"""Where labelling by tiles gives what the whole image at once would give, and the halo it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn

from pixelwise.networks import field_of

_WHOLE_MAP = (
    nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d, nn.GroupNorm, nn.LayerNorm,
    nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d,
)  # fmt: skip
"""Layers whose answer at one place depends on the whole map that they are given."""


@dataclass(frozen=True, slots=True)
class Exactness:
    """halo: the least context on each side that makes tiles exact, None if none does.

    sentence: why, for people.
    """

    halo: int | None
    sentence: str


def exactness_of(network: nn.Module, reach: int | None = None) -> Exactness:
    """Whether tiles can give the whole image's answer, and with which halo.

    A tile is exact where the network sees true pixels, or the image's own border, as far as
    its reach, and where its pooling grid is that of the whole image: tiles see to the second
    (they start at multiples of the alignment), the halo to the first. The whole image is the
    image mirrored at its end to a multiple of the coarsest pixel: U-Net, light and nnU-Net do
    so by themselves, FCN, SegNet, DeconvNet and the dilated network treat other sizes
    differently and are always given sizes that fit. Equal is meant up to
    the order of summation: 1e-12 of the logits in float64, about 1e-5 in float32.

    reach: for a network that does not state its own, as traced.
    """
    field = field_of(network)
    whole = next((part for part in network.modules() if isinstance(part, _WHOLE_MAP)), None)
    if whole is not None:
        name = type(whole).__name__
        return Exactness(
            None,
            f"It has {name} layers, which look at everything that they are given: a tile's "
            "answer depends on where the tile ends, whatever its halo.",
        )
    if field.margin > 0:
        return Exactness(
            0,
            f"Its convolutions are not padded: a tile reads the {field.margin} pixels around it "
            "that count, and tiles are exact by themselves.",
        )
    reach = field.reach if field.reach is not None else reach
    if reach is None:
        return Exactness(None, "How far it sees is not known, or it sees the whole image.")
    step = math.lcm(field.alignment, field.multiple)
    halo = -(-reach // step) * step
    return Exactness(
        halo,
        f"It sees {reach} pixels to each side: with {halo} (the next multiple of its coarsest "
        "pixel) around each tile nothing is missing.",
    )
