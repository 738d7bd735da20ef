"""Label masks as class ids, through the meaning that was found for the set."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import IGNORE, Case, LabelMeaning
from pixelwise.core.contents import shown
from pixelwise.core.errors import BadData
from pixelwise.core.image import Array, Header, Region, Source
from pixelwise.data.label_values import (
    MaskValues,
    colour_text,
    count_numbers,
    explain_values,
    has_equal_channels,
    pack_colours,
)
from pixelwise.data.polygons import is_polygon_label, polygon_shape, read_polygon_labels
from pixelwise.data.region_masks import combine_masks, region_files, single_meaning
from pixelwise.readers import open_labels

Labels = npt.NDArray[np.uint8]
_UNKNOWN = -1


def read_labels(path: Path, meaning: LabelMeaning, region: Region | None = None) -> Labels:
    """Class ids ([z,] y, x) of a mask, IGNORE (255) where it says nothing.

    Where the meaning holds regions, bit sets of regions; with a mask for each, `path` is the
    first region's.

    Raises BadData naming file, unknown values, their pixel counts and the allowed ones;
    UnreadableFile if the file is damaged.
    """
    if is_polygon_label(path):
        return read_polygon_labels(path, meaning, region)
    if meaning.folders:
        single = single_meaning(meaning)
        files = region_files(path, meaning.folders)
        return combine_masks({file: read_labels(file, single, region) for file in files})
    with open_labels(path) as source:
        return labels_from(source, meaning, region)


def labels_from(source: Source, meaning: LabelMeaning, region: Region | None = None) -> Labels:
    """As read_labels, from a mask that is open already."""
    pixels = source.read(region)
    if meaning.kind == "colours":
        packed = _packed(pixels, source.header)
        return _translate(packed, meaning, source.header, "colours")
    if pixels.shape[0] > 1 and not has_equal_channels(pixels):
        raise BadData(_explain_colours(pixels, meaning, source.header))
    if meaning.threshold is not None:
        return _cut(pixels[0], meaning)
    return _translate(pixels[0], meaning, source.header, "values")


def read_fov(path: Path, region: Region | None = None) -> npt.NDArray[np.bool_]:
    """Field of view ([z,] y, x): True where a mask of any kind is not 0."""
    with open_labels(path) as source:
        inside: npt.NDArray[np.bool_] = (source.read(region) != 0).any(axis=0)
    return inside


def read_valid(
    case: Case, meaning: LabelMeaning, region: Region | None = None
) -> npt.NDArray[np.bool_]:
    """Pixels ([z,] y, x) that count in losses and scores: not void, and inside the field of view.

    Raises BadData if the case has no mask.
    """
    if case.label is None:
        raise BadData("it has no mask", path=shown(case.image), code="no-mask")
    valid: npt.NDArray[np.bool_] = read_labels(case.label, meaning, region) != IGNORE
    return valid if case.fov is None else valid & read_fov(case.fov, region)


def label_shape(path: Path) -> tuple[int, ...]:
    """The spatial shape ([z,] y, x) of a mask, from its header."""
    if is_polygon_label(path):
        return polygon_shape(path)
    with open_labels(path) as source:
        return source.header.shape


def _cut(values: Array, meaning: LabelMeaning) -> Labels:
    low, high = list(meaning.to_class.values())[:2]
    labels = np.where(values >= meaning.threshold, np.uint8(high), np.uint8(low))
    if values.dtype.kind == "f":
        labels[np.isnan(values)] = IGNORE
    return labels.astype(np.uint8)


def _packed(pixels: Array, header: Header) -> Array:
    """Colours as one number each; grey and palette masks are turned into their colours."""
    if pixels.shape[0] >= 3:
        return pack_colours(pixels)
    if header.palette is not None:
        table = np.zeros(256, np.uint32)
        packed = pack_colours(np.asarray(header.palette[:256], np.uint8).T)
        table[: len(packed)] = packed
        found: Array = table[pixels[0]]
        return found
    grey: Array = pixels[0].astype(np.uint32) * 0x010101
    return grey


def _translate(values: Array, meaning: LabelMeaning, header: Header, kind: str) -> Labels:
    keys = tuple(meaning.to_class.items())
    if values.dtype.kind == "u" and values.dtype.itemsize <= 2:
        labels = _table(keys, values.dtype.itemsize)[values]
    else:
        labels = _look_up(values, keys, kind)
    if (labels == _UNKNOWN).any():
        raise BadData(_explain(values, labels, meaning, header, kind))
    return labels.astype(np.uint8)


@lru_cache(maxsize=16)
def _table(keys: tuple[tuple[str, int], ...], n_bytes: int) -> npt.NDArray[np.int16]:
    """Stored number -> class id, -1 for what no class has."""
    table = np.full(1 << (8 * n_bytes), _UNKNOWN, np.int16)
    for text, class_id in keys:
        if text.isdecimal() and int(text) < len(table):
            table[int(text)] = class_id
    return table


def _look_up(values: Array, keys: tuple[tuple[str, int], ...], kind: str) -> Array:
    """Class ids of sparse or floating values, -1 for what no class has."""
    labels = np.full(values.shape, _UNKNOWN, np.int16)
    for text, class_id in keys:
        if text == "nan":
            labels[values != values] = class_id
        else:
            number = int(text[1:], 16) if kind == "colours" else float(text)
            labels[values == number] = class_id
    return labels


def _explain(values: Array, labels: Array, meaning: LabelMeaning, header: Header, kind: str) -> Any:
    if kind == "colours":
        numbers, counts = np.unique(values, return_counts=True)
        found = {colour_text(int(n)): int(c) for n, c in zip(numbers, counts, strict=True)}
    else:
        found = count_numbers(values)
    mask = MaskValues(header.path, kind, found, header.format_name, str(header.dtype))
    return explain_values(mask, meaning.to_class)


def _explain_colours(pixels: Array, meaning: LabelMeaning, header: Header) -> Any:
    if pixels.dtype != np.uint8 or pixels.shape[0] != 3:
        return BadData(
            f"the mask has {pixels.shape[0]} channels of {pixels.dtype}",
            "one channel of class ids",
            "Save it with one channel.",
            path=shown(header.path),
            code="mask-channels",
        ).problems
    packed = pack_colours(pixels)
    return _explain(packed, packed, meaning, header, "colours")
