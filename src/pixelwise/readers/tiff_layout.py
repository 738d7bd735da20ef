"""What the tags of a TIFF say: pages, channels, colours, physical size, place on the map."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pixelwise.core.contents import shown
from pixelwise.core.errors import UnreadableFile
from pixelwise.core.image import NODATA, Array

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
_AXIS_NAMES = {
    "Z": "slices (Z)",
    "T": "time points (T)",
    "C": "channels (C)",
    "Q": "pages",
    "I": "pages",
    "S": "samples",
    "R": "tiles",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How the pages of a file make up one image."""

    pages: tuple[Any, ...]
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
    """The layout of an opened TIFF. Raises UnreadableFile for stacks and rare colour models."""
    pages, notes = _choose_pages(path, file)
    page = pages[0].keyframe
    _refuse_unusual(path, page)
    n_planes, depth, height, width, n_mixed = page.shaped
    if depth > 1 or 0 in page.shaped:
        raise _refusal(path, f"it holds blocks of {depth} x {height} x {width} pixels")
    n_channels = len(pages) * n_planes * n_mixed
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
    spacing, unit = _spacing(file, page)
    return Layout(
        pages,
        (height, width),
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


def _choose_pages(path: Path, file: Any) -> tuple[tuple[Any, ...], list[str]]:
    """The pages that make up the image: one, or one per channel."""
    pages = [page for page in file.pages if not getattr(page, "is_reduced", False)]
    n_reduced = len(file.pages) - len(pages)
    notes = [f"{n_reduced} smaller copies of the picture in it were left out"] * bool(n_reduced)
    if not pages:
        raise _refusal(path, "it holds no page with a picture of full size")
    series = file.series[0]
    n_pixels = math.prod(series.shape)
    if len(pages) == 1 and n_pixels <= math.prod(pages[0].shape):
        return (pages[0],), notes
    counts = {
        axis: length
        for axis, length in zip(series.axes, series.shape, strict=True)
        if axis not in "YXS" and length > 1
    }
    says_channels = series.kind in ("ome", "imagej") and set(counts) == {"C"}
    members = list(series.pages)
    if says_channels and len(members) == counts["C"]:
        own = file.filehandle.path
        if any(page is None or page.parent.filehandle.path != own for page in members):
            raise _refusal(path, "a part of its channels lies in other files")
        notes.append(f"its {len(members)} pages are channels of one image, as its metadata says")
        return tuple(members), notes
    raise _refusal(path, _describe_stack(pages, series, counts))


def _describe_stack(pages: list[Any], series: Any, counts: dict[str, int]) -> str:
    height, width = pages[0].shaped[2:4]
    text = f"it holds {max(len(pages), 1)} pages of {width} x {height} pixels"
    if series.kind in ("ome", "imagej") and counts:
        named = [f"{n} {_AXIS_NAMES.get(axis, axis)}" for axis, n in counts.items()]
        text = f"{text}: {', '.join(named)}"
    elif len(pages) in (3, 4):
        text += ", which may be slices or colour channels: the file does not say"
    return text


def _refusal(path: Path, what: str) -> UnreadableFile:
    return UnreadableFile(
        what,
        "one 2D picture per file",
        "Save each page as a file of its own; if the pages are channels, save them as one RGB "
        "page or as an OME-TIFF whose axes say C.",
        path=shown(path),
        code="many-pages",
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


def _spacing(file: Any, page: Any) -> tuple[tuple[float, ...] | None, str]:
    """Physical size of a pixel (y, x) and its unit, from OME, ImageJ or GeoTIFF."""
    if file.is_ome and file.ome_metadata:
        return _ome_spacing(file.ome_metadata)
    if file.is_imagej and file.imagej_metadata:
        return _imagej_spacing(file.imagej_metadata, page)
    if _PIXEL_SCALE in page.tags and _is_projected(page):
        scale = page.tags[_PIXEL_SCALE].value
        return (float(scale[1]), float(scale[0])), "m"
    return None, "px"


def _ome_spacing(text: str) -> tuple[tuple[float, ...] | None, str]:
    found = re.search(r"<(?:\w+:)?Pixels\b[^>]*>", text)
    given = dict(re.findall(r'(\w+)\s*=\s*"([^"]*)"', found.group())) if found else {}
    try:
        spacing = float(given["PhysicalSizeY"]), float(given["PhysicalSizeX"])
    except (KeyError, ValueError):
        return None, "px"
    unit = given.get("PhysicalSizeXUnit", "µm")
    is_usable = min(spacing) > 0 and unit == given.get("PhysicalSizeYUnit", "µm")
    return (spacing, unit) if is_usable else (None, "px")


def _imagej_spacing(given: Mapping[str, Any], page: Any) -> tuple[tuple[float, ...] | None, str]:
    unit = str(given.get("unit", "")).replace("\\u00B5m", "µm").replace("micron", "µm")
    if unit in ("", "pixel", "px", "inch"):
        return None, "px"
    per_unit = [page.tags[code].value if code in page.tags else (0, 1) for code in (283, 282)]
    if any(above <= 0 or below <= 0 for above, below in per_unit):
        return None, "px"
    return tuple(below / above for above, below in per_unit), unit


def _is_projected(page: Any) -> bool:
    """Whether the map has lengths, not degrees (GTModelTypeGeoKey 1024 = 1)."""
    keys = page.tags[_GEO_KEYS].value if _GEO_KEYS in page.tags else ()
    entries = zip(keys[4::4], keys[5::4], keys[7::4], strict=False)
    return any(key == 1024 and place == 0 and value == _PROJECTED for key, place, value in entries)
