"""Overlapping regions as classes that a picture can show: one for each set that occurs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.region_bits import find_parents, is_nested, members
from pixelwise.core.case import IGNORE, ClassInfo
from pixelwise.report.pictures import ColouredClass

Bits = npt.NDArray[np.uint8]


def regions_as_classes(
    arrays: Sequence[Bits], regions: Sequence[ColouredClass]
) -> tuple[tuple[Bits, ...], tuple[ClassInfo, ...]]:
    """Class ids for bit sets, and the classes: background, then a class per set that occurs.

    Shape: arrays ([z,] y, x) of bit sets, 255 = void, as the result. All arrays of a page
    are given at once, so that they share their classes. Where regions nest, a set has the
    colour of its innermost region and its name; else the mean colour and all names.
    """
    found: set[int] = set()
    for array in arrays:
        found |= set(np.flatnonzero(np.bincount(array.reshape(-1), minlength=256)).tolist())
    sets = sorted(found - {0, IGNORE}, key=lambda bits: (bits.bit_count(), bits))
    nests = is_nested(sets, len(regions))
    parents = find_parents(sets, len(regions))
    table = np.zeros(256, np.uint8)
    table[IGNORE] = IGNORE
    classes = [ClassInfo(0, "background", "#000000")]
    for index, bits in enumerate(sets, start=1):
        table[bits] = index
        inner = _innermost(bits, parents) if nests else None
        classes.append(
            ClassInfo(index, _name(bits, regions), regions[inner].colour)
            if inner is not None
            else ClassInfo(index, _name(bits, regions), _mixed(bits, regions))
        )
    return tuple(table[array] for array in arrays), tuple(classes)


def legend_of_regions(regions: Sequence[ColouredClass]) -> tuple[ClassInfo, ...]:
    """Regions as a legend lists them: behind a background, which no region is."""
    shown = [ClassInfo(entry.id + 1, entry.name, entry.colour) for entry in regions]
    return (ClassInfo(0, "background", "#000000"), *shown)


def _innermost(bits: int, parents: Sequence[int]) -> int:
    regions = members(bits)
    return next(r for r in regions if r not in {parents[other] for other in regions})


def _name(bits: int, regions: Sequence[ColouredClass]) -> str:
    return " + ".join(regions[r].name for r in members(bits))


def _mixed(bits: int, regions: Sequence[ColouredClass]) -> str:
    colours = [regions[r].colour for r in members(bits)]
    levels = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours]
    return "#" + "".join(f"{round(float(v)):02x}" for v in np.mean(levels, axis=0))
