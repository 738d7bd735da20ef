"""Physical size of the pixels of a TIFF, from OME, ImageJ or GeoTIFF metadata."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from pixelwise.core.grids import MILLIMETRES

_PIXEL_SCALE, _GEO_KEYS = 33550, 34735
_X_RESOLUTION, _Y_RESOLUTION = 282, 283
_PROJECTED = 1

Spacing = tuple[tuple[float, ...] | None, str]


def read_spacing(file: Any, page: Any, n_dims: int) -> Spacing:
    """Spacing ([z,] y, x) and its unit; (None, "px") if it is not given for every axis."""
    if file.is_ome and file.ome_metadata:
        return _ome_spacing(file.ome_metadata, n_dims)
    if file.is_imagej and file.imagej_metadata:
        return _imagej_spacing(file.imagej_metadata, page, n_dims)
    if _PIXEL_SCALE in page.tags and _is_projected(page) and n_dims == 2:
        scale = page.tags[_PIXEL_SCALE].value
        return (float(scale[1]), float(scale[0])), "m"
    return None, "px"


def _ome_spacing(text: str, n_dims: int) -> Spacing:
    found = re.search(r"<(?:\w+:)?Pixels\b[^>]*>", text)
    given = dict(re.findall(r'(\w+)\s*=\s*"([^"]*)"', found.group())) if found else {}
    axes = "ZYX"[-n_dims:]
    unit = given.get("PhysicalSizeXUnit", "µm")
    spacing = []
    for axis in axes:
        own = given.get(f"PhysicalSize{axis}Unit", "µm")
        if own != unit and (own not in MILLIMETRES or unit not in MILLIMETRES):
            return None, "px"
        try:
            size = float(given[f"PhysicalSize{axis}"])
        except (KeyError, ValueError):
            return None, "px"
        spacing.append(size if own == unit else size * MILLIMETRES[own] / MILLIMETRES[unit])
    is_usable = min(spacing) > 0 and all(math.isfinite(step) for step in spacing)
    return (tuple(spacing), unit) if is_usable else (None, "px")


def _imagej_spacing(given: Mapping[str, Any], page: Any, n_dims: int) -> Spacing:
    unit = str(given.get("unit", "")).replace("\\u00B5m", "µm").replace("micron", "µm")
    if unit in ("", "pixel", "px", "inch"):
        return None, "px"
    codes = (_Y_RESOLUTION, _X_RESOLUTION)
    per_unit = [page.tags[code].value if code in page.tags else (0, 1) for code in codes]
    if any(above <= 0 or below <= 0 for above, below in per_unit):
        return None, "px"
    plane = tuple(below / above for above, below in per_unit)
    if n_dims == 2:
        return plane, unit
    depth = given.get("spacing")
    is_known = isinstance(depth, int | float) and math.isfinite(depth) and depth > 0
    return ((float(depth), *plane), unit) if is_known and depth is not None else (None, "px")


def _is_projected(page: Any) -> bool:
    """Whether the map has lengths, not degrees (GTModelTypeGeoKey 1024 = 1)."""
    keys = page.tags[_GEO_KEYS].value if _GEO_KEYS in page.tags else ()
    entries = zip(keys[4::4], keys[5::4], keys[7::4], strict=False)
    return any(key == 1024 and place == 0 and value == _PROJECTED for key, place, value in entries)
