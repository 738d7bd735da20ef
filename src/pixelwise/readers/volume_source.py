"""A volume whose voxels lie in one block: regions are cut from it, turned and rescaled."""

from __future__ import annotations

from collections.abc import Callable

from pixelwise.core.contents import damaged, shown
from pixelwise.core.errors import BadOutput
from pixelwise.core.image import Array, Closing, Header, Region
from pixelwise.readers.stored_values import rescale
from pixelwise.readers.voxel_block import VoxelBlock


class VolumeSource(Closing):
    """An opened volume. as_channels turns the stored array into a view (c, [z,] y, x).

    What is read is slope * stored + intercept, in the type that the header gives.
    """

    def __init__(
        self,
        header: Header,
        block: VoxelBlock,
        as_channels: Callable[[Array], Array],
        slope: float = 1.0,
        intercept: float = 0.0,
    ) -> None:
        self._header = header
        self._block = block
        self._as_channels = as_channels
        self._scaling = (slope, intercept)

    @property
    def header(self) -> Header:
        return self._header

    def read(self, region: Region | None = None) -> Array:
        try:
            values = self._as_channels(self._block.values())
        except Exception as error:  # unpacking raises many kinds on damaged bytes
            raise damaged(self._header.path, error) from error
        if region is not None:
            values = values[(slice(None), *region)]
        return rescale(values, self._header.dtype, *self._scaling)

    def close(self) -> None:
        self._block.close()


def stored_order(header: Header) -> Callable[[Array], Array]:
    """How labels ([z,] y, x) on the grid of an image are stored, (k, j, i): as the image is."""
    if header.placement is not None:
        return header.placement.to_stored
    return lambda labels: labels if labels.ndim == 3 else labels[None]


def check_labels(header: Header, dtype: str, format_name: str) -> None:
    """Raise BadOutput if labels of this type or shape cannot be written as a volume."""
    if dtype not in ("uint8", "uint16") or len(header.shape) not in (2, 3):
        raise BadOutput(
            f"labels of type {dtype} and shape {header.shape} cannot be written as {format_name}",
            "2D or 3D labels of 8 or 16 bits",
            "Choose another format.",
            path=shown(header.path),
            code="unknown-format",
        )
