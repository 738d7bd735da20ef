"""Which pages of a TIFF make up the image: one, one per channel, one per slice, or both."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixelwise.core.contents import shown
from pixelwise.core.errors import UnreadableFile

_AXIS_NAMES = {
    "Z": "slices (Z)",
    "T": "time points (T)",
    "C": "channels (C)",
    "Q": "pages",
    "I": "pages",
    "S": "samples",
    "R": "tiles",
}
_NAMED_AXES = frozenset("ZC")
_PLAIN_KINDS = ("generic", "uniform", "shaped", "imagej")
_MANY_PAGES = 5
"""So many pages of one size are a stack of slices if the file does not say what they are;
two to four may as well be channels."""


@dataclass(frozen=True, slots=True)
class OpenPlane:
    """A plane of pixels without a page of its own, in a file that stores them in one piece."""

    index: int
    shaped: tuple[int, int, int, int, int]
    dtype: np.dtype[Any]
    dataoffsets: tuple[int, ...]
    is_memmappable: bool = True


@dataclass(frozen=True, slots=True)
class PageTable:
    """Pages of each slice (one slice unless is_stack), one page per channel or one for all."""

    slices: tuple[tuple[Any, ...], ...]
    is_stack: bool
    keyframe: Any
    notes: tuple[str, ...] = ()


def choose_pages(path: Path, file: Any) -> PageTable:
    """The pages that make up the image of an opened TIFF.

    Axes that the file's metadata name (OME, ImageJ, LSM and others, or tifffile's own) are
    believed. Five or more pages of one size, or several colour pages, are slices where
    nothing is said; two to four grey ones are refused. Time points are refused.
    """
    pages = [page for page in file.pages if not getattr(page, "is_reduced", False)]
    n_reduced = len(file.pages) - len(pages)
    notes = [f"{n_reduced} smaller copies of the picture in it were left out"] * bool(n_reduced)
    if not pages:
        raise refuse_pages(path, "it holds no page with a picture of full size")
    series = file.series[0]
    if len(pages) == 1 and math.prod(series.shape) <= math.prod(pages[0].shape):
        return PageTable(((pages[0],),), False, pages[0].keyframe, tuple(notes))
    counts = {
        axis: length
        for axis, length in zip(series.axes, series.shape, strict=True)
        if axis not in "YXS" and length > 1
    }
    members = _members(path, file, series, pages)
    if set(counts) <= _NAMED_AXES and len(members) == math.prod(counts.values()):
        return _named(series, counts, members, pages[0].keyframe, notes)
    if not set(counts) - set("QI") and _is_silent_stack(file, series, pages):
        notes.append(
            f"its {len(pages)} pages are taken as slices of a volume, from bottom to top: the file "
            "does not say what they are"
        )
        return PageTable(tuple((page,) for page in pages), True, pages[0].keyframe, tuple(notes))
    raise refuse_pages(path, _describe_stack(pages, series, counts))


def refuse_pages(path: Path, what: str) -> UnreadableFile:
    """The error for pages that are no picture and no volume."""
    return UnreadableFile(
        what,
        "one picture, or a volume whose axes are named (OME, ImageJ) or that has 5 slices or more",
        "Save time points as files of their own; save channels as one RGB page or as an OME-TIFF "
        "whose axes say C, slices as an OME-TIFF whose axes say Z.",
        path=shown(path),
        code="many-pages",
    )


def _members(path: Path, file: Any, series: Any, pages: Sequence[Any]) -> list[Any]:
    """The pages of a series in their order; planes without pages are counted off."""
    first = pages[0]
    n_planes = math.prod(series.shape) // max(1, math.prod(first.shape))
    if len(pages) == 1 and series.dataoffset is not None and n_planes > 1:
        dtype = np.dtype(first.dtype)
        n_bytes = math.prod(first.shaped) * dtype.itemsize
        return [
            OpenPlane(index, first.shaped, dtype, (series.dataoffset + index * n_bytes,))
            for index in range(n_planes)
        ]
    members = list(series.pages)
    own = file.filehandle.path
    if any(page is None or page.parent.filehandle.path != own for page in members):
        raise refuse_pages(path, "a part of its channels or slices lies in other files")
    return members


def _named(
    series: Any, counts: Mapping[str, int], members: list[Any], keyframe: Any, notes: list[str]
) -> PageTable:
    """Pages in the order of the named axes, sorted into slices and channels."""
    order = [axis for axis in series.axes if axis in counts]
    table = np.empty(len(members), object)
    table[:] = members
    table = table.reshape([counts[axis] for axis in order])
    for axis in "CZ":  # an axis that is not there has one entry
        if axis not in counts:
            table, order = table[..., None], [*order, axis]
    table = table.transpose([order.index("Z"), order.index("C")])
    n_slices, n_channels = len(table), len(table[0])
    if n_channels > 1:
        noun = "volume" if n_slices > 1 else "image"
        kind = "its" if n_slices == 1 else f"{n_slices} slices of"
        notes.append(f"{kind} {n_channels} pages are channels of one {noun}, as its metadata says")
    return PageTable(tuple(map(tuple, table)), n_slices > 1, keyframe, tuple(notes))


def _is_silent_stack(file: Any, series: Any, pages: Sequence[Any]) -> bool:
    """Whether pages that nobody names are all alike, and many or in colour."""
    sizes = {(page.shaped, page.dtype) for page in pages}
    is_one = len(sizes) == 1 and len(series.pages) == len(pages) and len(file.series) == 1
    is_colour = pages[0].samplesperpixel > 1
    return is_one and series.kind in _PLAIN_KINDS and (len(pages) >= _MANY_PAGES or is_colour)


def _describe_stack(pages: list[Any], series: Any, counts: Mapping[str, int]) -> str:
    height, width = pages[0].shaped[2:4]
    text = f"it holds {max(len(pages), 1)} pages of {width} x {height} pixels"
    if set(counts) & set("ZCT"):
        named = [f"{n} {_AXIS_NAMES.get(axis, axis)}" for axis, n in counts.items()]
        return f"{text}: {', '.join(named)}"
    if len({page.shaped for page in pages}) > 1:
        return f"{text} and other sizes"
    if len(pages) < _MANY_PAGES:
        text += ", which may be slices or channels: the file does not say"
    return text
