"""The U-Net as it was published, and as its authors released it: valid convolutions, no norm."""

from __future__ import annotations

from torch import nn

from pixelwise.networks import NETWORKS, NetworkIO
from pixelwise.networks.layers import require_dims
from pixelwise.networks.recipe import Recipe
from pixelwise.networks.unet import WIDTHS, UNet
from pixelwise.networks.unet_shape import UNetShape

_HISTORIC = Recipe(widths=(8, *WIDTHS))


@NETWORKS.register("unet-paper", dimensions=(2,), recipe=_HISTORIC)
def unet_paper(io: NetworkIO, *, width: int = 64) -> nn.Module:
    """The U-Net of the paper: valid convolutions, 572 x 572 in, 388 x 388 out.

    Exact at width 64: 31,030,658 parameters for 1 channel and 2 classes, He initialisation,
    dropout 0.5 at the end of the contracting path.
    Source: Ronneberger, Fischer, Brox, MICCAI 2015, figure 1 and section 3.
    """
    require_dims(io, "unet-paper", (2,))
    return UNet(io, _historic(width), "unet-paper")


@NETWORKS.register("unet-released", dimensions=(2,), recipe=_HISTORIC)
def unet_released(io: NetworkIO, *, width: int = 64) -> nn.Module:
    """The U-Net as its authors released it, which is not quite the one of the paper.

    ReLU also after the up-convolutions, the last of which keeps its 128 maps: 31,100,354
    parameters. Xavier initialisation.
    Source: faithful ports of the released network (phseg_v5).
    """
    require_dims(io, "unet-released", (2,))
    network = UNet(io, _historic(width, is_released=True), "unet-released")
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(layer.weight)
    return network


def _historic(width: int, *, is_released: bool = False) -> UNetShape:
    return UNetShape(
        tuple(width * 2**level for level in range(5)),
        padding="valid",
        norm="none",
        dropout=0.5,
        activated_up=is_released,
        last_up_width=2 * width if is_released else None,
    )
