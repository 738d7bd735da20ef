"""What the tags of a TIFF say: pages, channels, colours, physical size, place on the map."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pixelwise.core.contents import shown
from pixelwise.core.errors import UnreadableFile
from pixelwise.core.image import NODATA, Array
from pixelwise.readers.tiff_pages import choose_pages, refuse_pages
from pixelwise.readers.tiff_spacing import read_spacing

GEO_TAGS = "geotiff"
"""Key of Header.geometry: tags (code, dtype, count, value, True) to be written back."""

GDAL_NODATA = 42113
_GEO_CODES = (33550, 33922, 34264, 34735, 34736, 34737, GDAL_NODATA)
_PIXEL_SCALE, _GEO_KEYS, _COLORMAP = 33550, 34735, 320
_PROJECTED = 1
_MIN_IS_WHITE, _PALETTE, _SEPARATED, _YCBCR = 0, 3, 5, 6
_UNUSUAL = {8: "CIELAB", 9: "ICCLAB", 10: "ITULAB"}
_ALPHA = (1, 2)
_JPEG = (6, 7, 34892, 33007)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the pages of a file make up one image: the pages of each slice, one or one a channel."""

    slices: tuple[tuple[Any, ...], ...]
    shape: tuple[int, ...]
    n_channels: int
    dtype: np.dtype[Any]
    notes: tuple[str, ...] = ()
    is_inverted: bool = False
    white: int = 1
    is_cmyk: bool = False
    colours: Array | None = None
    palette: tuple[tuple[int, int, int], ...] | None = None
    spacing: tuple[float, ...] | None = None
    unit: str = "px"
    geometry: Mapping[str, Any] = field(default_factory=dict)


def read_layout(path: Path, file: Any, *, is_labels: bool) -> Layout:
    """The layout of an opened TIFF. Raises UnreadableFile for films and rare colour models."""
    table = choose_pages(path, file)
    page, notes = table.keyframe, list(table.notes)
    _refuse_unusual(path, page)
    n_planes, depth, height, width, n_mixed = page.shaped
    if depth > 1 or 0 in page.shaped:
        raise refuse_pages(path, f"it holds blocks of {depth} x {height} x {width} pixels")
    n_channels = len(table.slices[0]) * n_planes * n_mixed
    has_alpha = n_channels > 1 and bool(page.extrasamples) and page.extrasamples[-1] in _ALPHA
    photometric = int(page.photometric)
    dtype = np.dtype("uint8" if page.dtype == bool else page.dtype)
    colours, palette = _colours(page) if photometric == _PALETTE else (None, None)
    is_cmyk = photometric == _SEPARATED and n_planes * n_mixed in (4, 5) and dtype.kind == "u"
    is_inverted = photometric == _MIN_IS_WHITE and (dtype.kind == "u" or page.dtype == bool)
    is_inverted = is_inverted and not is_labels  # a label is its number, however it is shown
    if is_inverted:
        notes.append("it stores white as 0 (MinIsWhite); the numbers were inverted")
    if is_cmyk:
        notes.append("it has the print colours CMYK and was converted to RGB")
    if colours is not None and is_labels:
        colours = None
    if colours is not None:
        n_channels, dtype = colours.shape[0], colours.dtype
        notes.append("it stores palette indices; the colours that they stand for are read")
    shape = (len(table.slices), height, width) if table.is_stack else (height, width)
    spacing, unit = read_spacing(file, page, len(shape))
    return Layout(
        table.slices,
        shape,
        3 if is_cmyk else n_channels - has_alpha,
        dtype,
        tuple(notes),
        is_inverted,
        (1 << page.bitspersample) - 1 if dtype.kind == "u" else 1,
        is_cmyk,
        colours,
        palette,
        spacing,
        unit,
        _geometry(page),
    )


def _refuse_unusual(path: Path, page: Any) -> None:
    photometric = int(page.photometric)
    name = _UNUSUAL.get(photometric)
    if photometric == _YCBCR and int(page.compression) not in _JPEG:
        name = "YCbCr"
    if name is None and page.dtype is not None and np.dtype(page.dtype).kind not in "buif":
        name = f"numbers of type {np.dtype(page.dtype)}"
    if name is not None:
        raise UnreadableFile(
            f"its colours are stored as {name}",
            "grey, RGB, palette or CMYK",
            "Convert it to RGB.",
            path=shown(path),
            code="colour-model",
        )


def _colours(page: Any) -> tuple[Array, tuple[tuple[int, int, int], ...]]:
    """Look-up table (1 or 3, n) of 8 bits, one row if all are grey; and the palette."""
    table = (np.asarray(page.colormap) >> 8).astype(np.uint8)
    palette = tuple((int(red), int(green), int(blue)) for red, green, blue in table.T)
    is_grey = bool((table[0] == table[1]).all() and (table[1] == table[2]).all())
    return (table[:1] if is_grey else table), palette


def _geometry(page: Any) -> dict[str, Any]:
    tags = [page.tags[code] for code in _GEO_CODES if code in page.tags]
    if not tags:
        return {}
    kept = []
    for tag in tags:
        count = 0 if isinstance(tag.value, str) else tag.count
        kept.append((int(tag.code), int(tag.dtype), count, tag.value, True))
    found: dict[str, Any] = {GEO_TAGS: tuple(kept)}
    if GDAL_NODATA in page.tags:
        with suppress(ValueError):
            found[NODATA] = float(page.tags[GDAL_NODATA].value)
    return found
