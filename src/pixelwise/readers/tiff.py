"""TIFF, BigTIFF, OME-TIFF and GeoTIFF: only the tiles or strips that a region touches."""

from __future__ import annotations

import logging
import math
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from pixelwise.core.contents import alpha_note, damaged, misnamed, shown
from pixelwise.core.errors import Problem, UserError
from pixelwise.core.image import Array, Closing, Header, Region, whole_region
from pixelwise.readers import READERS, Purpose
from pixelwise.readers.tiff_chain import check_chain
from pixelwise.readers.tiff_labels import create_tiff
from pixelwise.readers.tiff_layout import Layout, read_layout

# tifffile logs what is odd in a file; without a handler Python prints that to stderr.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_CACHE_BYTES = 64 << 20


class TiffSource(Closing):
    """An opened TIFF. Decoded tiles and strips are kept up to 64 MB."""

    def __init__(self, path: Path, purpose: Purpose) -> None:
        self._path = path
        self._is_labels = purpose == "labels"
        self._lock = threading.Lock()
        self._cache: OrderedDict[tuple[int, int], Array] = OrderedDict()
        self._alpha: tuple[float, float] | None = None
        try:
            check_chain(path)
            self._file = tifffile.TiffFile(path)
        except Exception as error:  # tifffile raises anything on damaged headers
            raise damaged(path, error) from error
        try:
            self._layout: Layout = read_layout(path, self._file, is_labels=self._is_labels)
            self._header = self._describe()
        except UserError:
            self.close()
            raise
        except Exception as error:  # as above
            self.close()
            raise damaged(path, error) from error

    @property
    def header(self) -> Header:
        if self._alpha is None:
            return self._header
        note = alpha_note(self._path, *self._alpha)
        return replace(self._header, notes=(*self._header.notes, note))

    def read(self, region: Region | None = None) -> Array:
        *depth, rows, columns = region or whole_region(self._header.shape)
        slices = self._layout.slices[depth[0]] if depth else self._layout.slices
        try:
            planes = [self._read_slice(pages, rows, columns) for pages in slices]
            return np.stack(planes, axis=1) if depth else planes[0]
        except UserError:
            raise
        except Exception as error:  # decoders raise anything on damaged bytes
            raise damaged(self._path, error) from error

    def close(self) -> None:
        self._cache.clear()
        self._file.close()

    def _describe(self) -> Header:
        layout = self._layout
        notes = misnamed(self._path, "TIFF", (".tif", ".tiff"))
        notes += [
            Problem(text, path=shown(self._path), severity="note", code="tiff")
            for text in layout.notes
        ]
        return Header(
            self._path,
            layout.shape,
            layout.n_channels,
            layout.dtype,
            "TIFF",
            layout.spacing,
            layout.unit,
            layout.geometry,
            layout.palette,
            tuple(notes),
        )

    def _read_slice(self, pages: tuple[Any, ...], rows: slice, columns: slice) -> Array:
        parts = [self._read_page(page, rows, columns) for page in pages]
        return self._finish(np.concatenate(parts) if len(parts) > 1 else parts[0])

    def _read_page(self, page: Any, rows: slice, columns: slice) -> Array:
        """Samples (c, y, x) of one page, as they are stored."""
        n_planes, _, height, width, n_mixed = page.shaped
        mapped = self._map(page)
        if mapped is not None:
            part = mapped[:, rows, columns]
        else:
            shape = (n_planes, rows.stop - rows.start, columns.stop - columns.start, n_mixed)
            part = np.empty(shape, page.dtype)
            for index, plane, top, left, n_rows, n_columns in _touched(page, rows, columns):
                segment = self._segment(page, index)
                y0, y1 = max(top, rows.start), min(top + n_rows, rows.stop, height)
                x0, x1 = max(left, columns.start), min(left + n_columns, columns.stop, width)
                into = slice(y0 - rows.start, y1 - rows.start)
                across = slice(x0 - columns.start, x1 - columns.start)
                part[plane, into, across] = segment[y0 - top : y1 - top, x0 - left : x1 - left]
        # planes, y, x, mixed -> channels, y, x
        moved = np.moveaxis(part, 3, 1)
        return moved.reshape(-1, *moved.shape[2:])

    def _map(self, page: Any) -> Array | None:
        """The uncompressed page as a map of the file, None if it has to be decoded."""
        if not page.is_memmappable:
            return None
        n_planes, _, height, width, n_mixed = page.shaped
        dtype = np.dtype(page.dtype).newbyteorder(self._file.byteorder)
        offset = page.dataoffsets[0]
        needed = offset + math.prod(page.shaped) * dtype.itemsize
        if needed > self._path.stat().st_size:
            raise EOFError(f"truncated: {needed} bytes are needed")
        return np.memmap(self._path, dtype, "r", offset, (n_planes, height, width, n_mixed))

    def _segment(self, page: Any, index: int) -> Array:
        """One decoded tile or strip (y, x, c)."""
        key = (page.index, index)
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        segment = self._decode(page, index)
        with self._lock:
            self._cache[key] = segment
            while sum(kept.nbytes for kept in self._cache.values()) > _CACHE_BYTES:
                self._cache.popitem(last=False)
        return segment

    def _decode(self, page: Any, index: int) -> Array:
        offset, n_bytes = page.dataoffsets[index], page.databytecounts[index]
        keyframe = page.keyframe
        if offset == 0 and n_bytes == 0:  # GDAL leaves out tiles that hold nothing
            height, width = (
                (keyframe.tilelength, keyframe.tilewidth)
                if keyframe.is_tiled
                else (keyframe.rowsperstrip, keyframe.imagewidth)
            )
            shape = (height, width, keyframe.shaped[4])
            return np.full(shape, keyframe.nodata, keyframe.dtype)
        data = os.pread(self._file.filehandle.fileno(), n_bytes, offset)
        if len(data) < n_bytes or not data:
            raise EOFError(f"truncated: tile or strip {index} ends beyond the file")
        segment, _, _ = keyframe.decode(
            data, index, jpegtables=page.jpegtables, jpegheader=keyframe.jpegheader
        )
        decoded: Array = segment[0]
        return decoded

    def _finish(self, values: Array) -> Array:
        """Invert, look up, convert and drop, as the layout says."""
        layout = self._layout
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        if values.dtype == bool:
            values = values.astype(np.uint8)
            scale = np.uint8(1 if self._is_labels else 255)
            return np.ascontiguousarray((1 - values if layout.is_inverted else values) * scale)
        if layout.is_inverted:
            values = layout.dtype.type(layout.white) - values
        if layout.colours is not None:
            values = layout.colours[:, np.clip(values[0], 0, layout.colours.shape[1] - 1)]
        if layout.is_cmyk:
            values = _from_cmyk(values, np.iinfo(layout.dtype).max)
        if values.shape[0] > layout.n_channels:
            alpha = values[layout.n_channels]
            low, high = self._alpha or (alpha.min(), alpha.max())
            self._alpha = min(low, alpha.min()), max(high, alpha.max())
            values = values[: layout.n_channels]
        return np.ascontiguousarray(values)


@READERS.register(
    "tiff",
    recognises=lambda head: head.startswith(_MAGIC),
    suffixes=(".tif", ".tiff"),
    purposes=("image", "labels"),
    sinks={".tif": create_tiff, ".tiff": create_tiff},
)
def open_tiff(path: Path, purpose: Purpose) -> TiffSource:
    """Open a TIFF file."""
    return TiffSource(path, purpose)


def _touched(
    page: Any, rows: slice, columns: slice
) -> Iterator[tuple[int, int, int, int, int, int]]:
    """(index, plane, top, left, height, width) of every tile or strip that a region touches."""
    keyframe = page.keyframe
    n_planes, _, height, width, _ = keyframe.shaped
    tile_height = keyframe.tilelength if keyframe.is_tiled else min(keyframe.rowsperstrip, height)
    tile_width = keyframe.tilewidth if keyframe.is_tiled else width
    n_down, n_across = math.ceil(height / tile_height), math.ceil(width / tile_width)
    for plane in range(n_planes):
        for row in range(rows.start // tile_height, math.ceil(rows.stop / tile_height)):
            for column in range(columns.start // tile_width, math.ceil(columns.stop / tile_width)):
                index = (plane * n_down + row) * n_across + column
                yield (
                    index,
                    plane,
                    row * tile_height,
                    column * tile_width,
                    tile_height,
                    tile_width,
                )


def _from_cmyk(values: Array, white: int) -> Array:
    ink = values[:4].astype(np.float64)
    light = (white - ink[:3]) * (white - ink[3]) / white
    converted: Array = np.rint(light).astype(values.dtype)
    return converted
