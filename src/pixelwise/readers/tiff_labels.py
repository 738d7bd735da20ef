"""Writing labels as TIFF: pictures and stacks, with size, axes and place on the map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from pixelwise.core.contents import shown
from pixelwise.core.errors import BadOutput
from pixelwise.core.image import Array, Header, LabelStyle, Sink
from pixelwise.core.sinks import RegionSink, blank_labels
from pixelwise.readers.tiff_layout import GDAL_NODATA, GEO_TAGS

_TILE = 512
_OPAQUE_CLASSES = 254
"""The last label that can be a class; a nodata value up to here would hide one."""


def create_tiff(path: Path, header: Header, style: LabelStyle) -> Sink:
    """A deflated TIFF, tiled if large, that is being filled with labels ([z,] y, x)."""
    dtype = style.dtype
    palette = style.palette
    if len(header.shape) not in (2, 3):
        raise BadOutput(
            f"labels of shape {header.shape} cannot be written as TIFF",
            "2D or 3D labels",
            "Write the format of the input.",
            path=shown(path),
            code="unknown-format",
        )
    options: dict[str, Any] = {"metadata": None, "photometric": "minisblack"}
    geo_tags = header.geometry.get(GEO_TAGS, ())
    if geo_tags:
        options["extratags"] = [_label_tag(tag) for tag in geo_tags]
    elif len(header.shape) == 3 or (header.spacing and header.unit != "px"):
        options |= {"ome": True, "metadata": _ome_metadata(header)}
    if palette and dtype == "uint8":
        options |= {"photometric": "palette", "colormap": _colormap(palette)}
    height, width = header.shape[-2:]

    def finish(temporary: Path, labels: Array) -> None:
        is_large = max(height, width) > _TILE
        tifffile.imwrite(
            temporary,
            _tiles(labels) if is_large else labels,
            shape=labels.shape,
            dtype=labels.dtype,
            compression="zlib",
            tile=(_TILE, _TILE) if is_large else None,
            bigtiff=labels.nbytes > 1 << 31,
            software=False,
            **options,
        )

    return RegionSink(path, lambda temporary: blank_labels(temporary, header.shape, dtype), finish)


def _tiles(labels: Array) -> Iterator[Array]:
    for plane in labels.reshape(-1, *labels.shape[-2:]):
        for top in range(0, plane.shape[0], _TILE):
            for left in range(0, plane.shape[1], _TILE):
                yield np.ascontiguousarray(plane[top : top + _TILE, left : left + _TILE])


def _colormap(palette: tuple[tuple[int, int, int], ...]) -> Array:
    colormap = np.zeros((3, 256), np.uint16)
    colormap[:, : len(palette)] = np.asarray(palette[:256], np.uint16).T * 257
    return colormap


def _label_tag(tag: tuple[int, int, int, Any, bool]) -> tuple[int, int, int, Any, bool]:
    """A GeoTIFF tag for the labels: a nodata value that is a class would hide that class."""
    code, dtype, _, value, once = tag
    if code != GDAL_NODATA:
        return tag
    try:
        hides_class = 0 <= float(value) <= _OPAQUE_CLASSES
    except ValueError:
        hides_class = False
    return (code, dtype, 0, "255", once) if hides_class else tag


def _ome_metadata(header: Header) -> dict[str, Any]:
    axes = "ZYX"[-len(header.shape) :]
    if header.spacing is None or header.unit == "px":
        return {"axes": axes}
    names = [f"PhysicalSize{axis}" for axis in axes]
    sizes: dict[str, Any] = dict(zip(names, header.spacing, strict=True))
    units = {f"{name}Unit": header.unit for name in names}
    return {"axes": axes, **sizes, **units}
