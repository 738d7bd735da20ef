"""OME-Zarr images of versions 0.4 and 0.5: chunks read and written as regions touch them."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from pixelwise.core.contents import damaged
from pixelwise.core.errors import ProgramError, UserError
from pixelwise.core.files import unwritable
from pixelwise.core.image import Array, Closing, Header, LabelStyle, Region, Sink, whole_region
from pixelwise.readers import READERS, Purpose
from pixelwise.readers.ome_zarr_metadata import (
    ZarrLayout,
    is_zarr_folder,
    label_metadata,
    read_layout,
)
from pixelwise.readers.stored_values import import_extra
from pixelwise.readers.zarr_chunks import check_chunks, packing_options

_CHUNK = (64, 256, 256)
"""Longest edges of the chunks that labels are written in."""


class OmeZarrSource(Closing):
    """The finest level of an opened OME-Zarr image; only chunks that a region touches are read."""

    def __init__(self, path: Path) -> None:
        zarr = import_extra("zarr", "OME-Zarr")
        try:
            self._layout: ZarrLayout = read_layout(path, zarr)
        except UserError:
            raise
        except Exception as error:  # zarr raises many kinds on damaged metadata
            raise damaged(path, error) from error

    @property
    def header(self) -> Header:
        return self._layout.header

    def read(self, region: Region | None = None) -> Array:
        layout = self._layout
        index = layout.stored_index(region or whole_region(layout.header.shape))
        try:
            check_chunks(layout.folder, layout.array, index)
            stored = np.asarray(layout.array[index])
        except Exception as error:  # decoders raise anything on damaged chunks
            raise damaged(layout.header.path, error) from error
        return np.ascontiguousarray(layout.as_channels(stored), layout.header.dtype)


class OmeZarrSink:
    """A folder of chunks under a temporary name until it is whole."""

    def __init__(self, path: Path, header: Header, dtype: str, colours: Any) -> None:
        zarr = import_extra("zarr", "OME-Zarr")
        self._path = path
        self._temporary: Path | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            name = tempfile.mkdtemp(dir=path.parent, prefix=".writing-", suffix=".zarr")
            self._temporary = Path(name)
            zarr_format, attributes = label_metadata(header, colours, path.name)
            group = zarr.open_group(name, mode="w", zarr_format=zarr_format)
            group.attrs.update(attributes)
            chunks = tuple(min(n, c) for n, c in zip(header.shape[::-1], _CHUNK[::-1]))[::-1]
            packing = packing_options(zarr_format)
            self._array = group.create_array(
                "0", shape=header.shape, chunks=chunks, dtype=dtype, **packing
            )
        except OSError as error:
            self.discard()
            raise unwritable(path, error) from error

    def write(self, region: Region, values: Array) -> None:
        """Put values where the region lies."""
        if self._temporary is None:
            raise ProgramError("a sink was written to after it was closed")
        self._array[region] = values

    def close(self) -> None:
        """Rename the folder into place, instead of one that is there."""
        if self._temporary is None:
            return
        temporary, self._temporary = self._temporary, None
        try:
            temporary.chmod(0o777 & ~_umask())
            if self._path.is_dir():
                old = temporary.with_name(temporary.name + ".old")
                self._path.rename(old)
                temporary.rename(self._path)
                shutil.rmtree(old)
            else:
                self._path.unlink(missing_ok=True)
                temporary.rename(self._path)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise unwritable(self._path, error) from error

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._temporary is not None:
            with suppress(OSError):
                shutil.rmtree(self._temporary)
            self._temporary = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


def create_ome_zarr(path: Path, header: Header, style: LabelStyle) -> Sink:
    """An OME-Zarr label image that is being filled ([z,] y, x)."""
    return OmeZarrSink(path, header, style.dtype, style.palette)


@READERS.register(
    "ome-zarr",
    recognises=lambda head: False,  # it is a folder, never a file
    recognises_folder=is_zarr_folder,
    suffixes=(".ome.zarr", ".zarr"),
    purposes=("image", "labels"),
    sinks={".ome.zarr": create_ome_zarr, ".zarr": create_ome_zarr},
)
def open_ome_zarr(path: Path, purpose: Purpose) -> OmeZarrSource:
    """Open an OME-Zarr image."""
    return OmeZarrSource(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
