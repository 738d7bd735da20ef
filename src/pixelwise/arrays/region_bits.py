"""Overlapping regions as one array of bit sets: bit r says that a pixel lies in region r."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import IGNORE

MAX_REGIONS = 7
"""So many regions fit beside void into a byte: seven bits make 0 to 127, and void stays 255."""

Bits = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def pack_regions(masks: Sequence[npt.NDArray[Any]], void: Mask | None = None) -> Bits:
    """One bit set per pixel from one mask per region, IGNORE (255) where `void` is True.

    Shape: masks ([z,] y, x), nonzero inside, all on one grid; at most MAX_REGIONS of them.
    """
    bits = np.zeros(masks[0].shape, dtype=np.uint8)
    for index, mask in enumerate(masks):
        bits |= (mask != 0).astype(np.uint8) << np.uint8(index)
    if void is not None:
        bits[void] = IGNORE
    return bits


def mask_of_region(bits: Bits, index: int) -> Mask:
    """Where a region is, ([z,] y, x) bool; void pixels lie in no region."""
    return np.asarray(((bits >> np.uint8(index)) & 1).astype(bool) & (bits != IGNORE))


def members(bit_set: int) -> tuple[int, ...]:
    """The regions in a bit set, rising: 5 -> (0, 2)."""
    return tuple(index for index in range(MAX_REGIONS) if bit_set >> index & 1)


def count_regions(counts: npt.NDArray[np.int64], n_regions: int) -> npt.NDArray[np.int64]:
    """Pixels of each region from pixels of each bit set: (at least 2^n,) -> (n_regions,)."""
    sets = np.arange(1 << n_regions)
    return np.array([int(counts[sets][sets >> r & 1 == 1].sum()) for r in range(n_regions)])


def find_parents(bit_sets: Iterable[int], n_regions: int) -> tuple[int, ...]:
    """For each region the smallest one that holds it, -1 where there is none.

    Judged by the bit sets that occur (those of a label map's values). Region a lies inside
    b if every set with a has b. Of equal regions the earlier one holds the later one.
    """
    sets = [bits for bits in bit_sets if 0 < bits < 1 << n_regions]
    inside = [
        frozenset(i for i, bits in enumerate(sets) if bits >> r & 1) for r in range(n_regions)
    ]
    parents = []
    for r, own in enumerate(inside):
        holders = [
            b
            for b, other in enumerate(inside)
            if own and b != r and (own < other or (own == other and b < r))
        ]
        parents.append(min(holders, key=lambda b: (len(inside[b]), -b), default=-1))
    return tuple(parents)


def is_nested(bit_sets: Iterable[int], n_regions: int) -> bool:
    """Whether of any two regions that share a pixel one holds the other."""
    sets = [bits for bits in bit_sets if 0 < bits < 1 << n_regions]
    parents = find_parents(sets, n_regions)
    return all(_is_chain(bits, parents) for bits in sets)


def _is_chain(bits: int, parents: Sequence[int]) -> bool:
    """Whether the regions of a set hold one another in a single row."""
    regions = set(members(bits))
    innermost = [r for r in regions if r not in {parents[other] for other in regions}]
    return len(innermost) == 1 and set(_line(innermost[0], parents)) == regions


def _line(region: int, parents: Sequence[int]) -> Iterator[int]:
    while region >= 0:
        yield region
        region = parents[region]


def painted_values(value_of_set: Mapping[int, int], n_regions: int) -> npt.NDArray[np.int64]:
    """What a label map holds for each bit set 0 to 2^n - 1.

    value_of_set: bit set -> stored value, 0 (background) among them. A set without a value of
    its own gets that of its largest part that has one, the later regions winning.
    """
    table = np.zeros(1 << n_regions, dtype=np.int64)
    for bits in range(1 << n_regions):
        parts = [known for known in value_of_set if known & bits == known]
        best = max(parts, key=lambda known: (known.bit_count(), known))
        table[bits] = value_of_set[best]
    return table
