"""The memory that labelling will take, told before it starts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import nn

from pixelwise.core.errors import BadData
from pixelwise.core.image import Header
from pixelwise.core.plan import InferenceSection
from pixelwise.core.quantities import format_bytes
from pixelwise.core.runtime import available_bytes
from pixelwise.explanation.live_memory import live_bytes
from pixelwise.networks import field_of

_SCRATCH = 1.5
_FIXED_BYTES = 50_000_000
"""Convolutions hold weights in another order and scratch space besides the feature maps.
Measured growth of six networks (light, U-Nets of width 16 and 32, the paper's, SegNet, nnU-Net)
was 46 to 147 MB, and 515 MB for the paper's; this bound lies 9 to 95 % above each."""

_FLOAT_BYTES = 4

_DECODED_WHOLE = ("PNG", "JPEG", "BMP", "GIF", "WebP")
LABELS_IN_MEMORY = 1 << 28
"""Label images above this many bytes are filled on disk (`core.sinks`)."""


def tile_bytes(
    network: nn.Module, section: InferenceSection, n_channels: int, n_outputs: int
) -> int | None:
    """The most memory that a batch of tiles takes in float32, None if it cannot be told."""
    field = field_of(network)
    edges = [
        field.valid_size(core + 2 * max(halo, field.margin))
        for core, halo in zip(section.tile, section.halo, strict=True)
    ]
    live = live_bytes(network, (section.batch, n_channels, *edges))
    if live is None:
        return None
    return round(_SCRATCH * live) + _FIXED_BYTES + 4 * _FLOAT_BYTES * n_outputs * math.prod(edges)


def image_bytes(header: Header, section: InferenceSection, n_outputs: int) -> int:
    """What an image takes besides: decoded, its labels, and a band of rows where tiles blend.

    Files that are read by region (TIFF, volumes) are not held whole, nor are large labels.
    """
    n_pixels = math.prod(header.shape)
    needed = min(n_pixels, LABELS_IN_MEMORY)
    if header.format_name in _DECODED_WHOLE:
        needed += n_pixels * header.n_channels * header.dtype.itemsize
    if section.overlap > 0:
        row = n_pixels // header.shape[0] * min(section.tile[0], header.shape[0])
        needed += 2 * _FLOAT_BYTES * (n_outputs + 1) * row
    return needed


def require_memory(
    headers: Sequence[Header], of_tile: int | None, section: InferenceSection, n_outputs: int
) -> None:
    """Raise BadData naming the first image for which there is not enough memory."""
    free = available_bytes()
    if free is None or of_tile is None:
        return
    for header in headers:
        needed = of_tile + image_bytes(header, section, n_outputs)
        if needed > free:
            raise BadData(
                f"labelling it takes about {format_bytes(needed)}, of which "
                f"{format_bytes(of_tile)} for a tile; {format_bytes(free)} are free",
                "less than what is free",
                "Give a smaller --tile, close other programs, or cut the image.",
                path=header.path,
                code="memory",
            )
