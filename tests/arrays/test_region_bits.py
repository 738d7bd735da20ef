"""Bit sets of regions, against sets worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.arrays.region_bits import (
    count_regions,
    find_parents,
    is_nested,
    mask_of_region,
    members,
    pack_regions,
    painted_values,
)

BRATS = (0, 0b011, 0b001, 0b111)
"""Whole tumour (bit 0) holds core (bit 1) holds enhancing (bit 2); labels 0, 1, 2, 4."""


def test_packing_and_unpacking() -> None:
    first = np.array([[1, 1, 0, 0]], dtype=bool)
    second = np.array([[0, 7, 7, 0]], dtype=np.uint16)
    void = np.array([[0, 0, 0, 1]], dtype=bool)
    bits = pack_regions([first, second], void)
    assert bits.tolist() == [[1, 3, 2, 255]]
    assert mask_of_region(bits, 0).tolist() == [[True, True, False, False]]
    assert mask_of_region(bits, 1).tolist() == [[False, True, True, False]]


def test_seven_regions_fit_beside_void() -> None:
    bits = pack_regions([np.ones((1, 1), bool)] * 7)
    assert bits.tolist() == [[127]]
    assert members(127) == (0, 1, 2, 3, 4, 5, 6)
    assert all(mask_of_region(bits, r).all() for r in range(7))


def test_void_lies_in_no_region() -> None:
    bits = np.full((2, 2), 255, dtype=np.uint8)
    assert not any(mask_of_region(bits, r).any() for r in range(7))


def test_pixels_of_each_region() -> None:
    counts = np.zeros(256, dtype=np.int64)
    counts[[0, 1, 2, 3, 255]] = 10, 4, 5, 6, 99
    assert count_regions(counts, 2).tolist() == [4 + 6, 5 + 6]


@pytest.mark.parametrize(
    ("sets", "n", "parents", "nested"),
    [
        (BRATS, 3, (-1, 0, 1), True),
        ((0, 1, 2, 3), 2, (-1, -1), False),  # two that cross
        ((0, 1, 2), 2, (-1, -1), True),  # two apart
        ((0, 0b001, 0b011, 0b101), 3, (-1, 0, 0), True),  # two apart inside a third
        ((0, 0b001, 0b011, 0b101, 0b111), 3, (-1, 0, 0), False),  # they cross inside it
        ((0, 0b11), 2, (-1, 0), True),  # equal: the earlier one holds the later
        ((0, 0b01), 2, (-1, -1), True),  # the second never occurs
    ],
)
def test_nesting(sets: tuple[int, ...], n: int, parents: tuple[int, ...], nested: bool) -> None:
    assert find_parents(sets, n) == parents
    assert is_nested(sets, n) is nested


def test_painting_gives_every_set_a_value() -> None:
    table = painted_values({0: 0, 0b001: 2, 0b011: 1, 0b111: 4}, 3)
    #       {}  WT  TC  WT+TC ET  WT+ET TC+ET all; what has no holder counts as its largest part
    assert table.tolist() == [0, 2, 0, 1, 0, 2, 0, 4]
