"""One look at every mask of a set: which values it holds, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, UserError
from pixelwise.core.image import Array, Header, Region
from pixelwise.data.label_values import (
    MaskValues,
    colour_text,
    count_numbers,
    has_equal_channels,
    pack_colours,
)
from pixelwise.readers import open_labels

N_THREADS = 2
_BAND_PIXELS = 1 << 24


def scan_masks(
    paths: Sequence[Path], max_pixels: int | None = None
) -> tuple[list[MaskValues], list[Problem]]:
    """Count the stored values of each mask; what cannot be read is a problem instead."""
    with ThreadPoolExecutor(N_THREADS) as pool:
        results = list(pool.map(lambda path: _scan(path, max_pixels), paths))
    masks = [result for result in results if isinstance(result, MaskValues)]
    problems = [p for result in results if not isinstance(result, MaskValues) for p in result]
    return masks, [*problems, *(warning for mask in masks for warning in mask.warnings)]


def bands(header: Header) -> Iterator[Region]:
    """Regions of whole planes or rows that cover an image, 16 million pixels each at most.

    Only readers that decode in parts gain from it; the others keep what they decoded.
    """
    *depth, height, width = header.shape
    n_planes = max(1, _BAND_PIXELS // max(1, height * width))
    n_rows = max(1, _BAND_PIXELS // max(1, width))
    for planes in _slabs(depth[0], n_planes) if depth else [()]:
        for rows in _slabs(height, n_rows):
            yield (*planes, *rows, slice(0, width))


def _slabs(length: int, step: int) -> Iterator[tuple[slice]]:
    for start in range(0, length, step):
        yield (slice(start, min(start + step, length)),)


def _scan(path: Path, max_pixels: int | None) -> MaskValues | tuple[Problem, ...]:
    try:
        with open_labels(path, max_pixels=max_pixels) as source:
            header = source.header
            is_colour = header.n_channels == 3 and header.dtype == np.uint8
            counts: Counter[str] = Counter()
            for region in bands(header):
                counts.update(_count(source.read(region), header, is_colour))
            warnings = tuple(note for note in source.header.notes if note.severity == "warning")
    except UserError as error:
        return error.problems
    kind = "colours" if is_colour else "values"
    if is_colour and all(_is_grey(colour) for colour in counts):
        kind = "values"
        counts = Counter({str(int(colour[1:3], 16)): n for colour, n in counts.items()})
    return MaskValues(
        path, kind, counts, header.format_name, str(header.dtype), header.palette, warnings
    )


def _count(pixels: Array, header: Header, is_colour: bool) -> dict[str, int]:
    if is_colour:
        values, counts = np.unique(pack_colours(pixels), return_counts=True)
        return {colour_text(int(v)): int(c) for v, c in zip(values, counts, strict=True)}
    if not has_equal_channels(pixels):
        raise UserError(
            f"the mask has {header.n_channels} different channels of {header.dtype}",
            "one channel of class ids, or 8-bit RGB colours",
            "Save it with one channel.",
            path=shown(header.path),
            code="mask-channels",
        )
    return count_numbers(pixels[0])


def _is_grey(colour: str) -> bool:
    return colour[1:3] == colour[3:5] == colour[5:7]
