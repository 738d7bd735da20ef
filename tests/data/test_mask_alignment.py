"""Masks moved by known amounts are found where they were put; aligned ones are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.data.mask_alignment import Alignment, find_shifted, measure_alignment


def picture(seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:120, :150]
    labels = np.zeros((120, 150), np.uint8)
    for _ in range(8):
        centre = generator.uniform((15, 15), (105, 135))
        labels[(y - centre[0]) ** 2 + (x - centre[1]) ** 2 < generator.uniform(5, 12) ** 2] = 1
    image = 50.0 * labels + generator.normal(0, 12, labels.shape) + 0.3 * x
    return image[None], labels


@pytest.mark.parametrize("shift", [(0, 0), (3, 0), (-2, 2), (0, -7)])
def test_finds_the_shift_that_was_made(shift: tuple[int, int]) -> None:
    image, labels = picture(1)
    found = measure_alignment(image, np.roll(labels, shift, (0, 1)))
    assert found is not None
    assert found.offset == (-shift[0], -shift[1])
    assert found.gain == 0 if shift == (0, 0) else found.gain > 0.2


def test_names_the_shifted_ones_of_a_set() -> None:
    moved = {4: (3, 0), 9: (2, -2)}
    alignments = []
    for index in range(14):
        image, labels = picture(index)
        alignments.append(
            measure_alignment(image, np.roll(labels, moved.get(index, (0, 0)), (0, 1)))
        )
    assert find_shifted(alignments) == [4, 9]


def test_a_set_that_is_shifted_as_a_whole() -> None:
    same = Alignment((0, 5), 0.1, 0.5)
    assert find_shifted([same] * 6) == list(range(6))
    assert find_shifted([Alignment((1, 0), 0.3, 0.02)] * 6) == []


def test_fuzzy_sets_name_only_what_stands_out() -> None:
    offsets = [(0, 0), (3, 1), (-2, 2), (1, -3), (0, 2), (-3, 0), (2, 2), (8, 8)]
    assert find_shifted([Alignment(offset, 0.2, 0.1) for offset in offsets]) == []


def test_one_pixel_more_or_less_is_no_spread() -> None:
    offsets = [(0, 0), (1, 0)] * 8 + [(3, 0), (1, -3)]
    assert find_shifted([Alignment(offset, 0.2, 0.1) for offset in offsets]) == [16, 17]


def test_nothing_to_tell() -> None:
    image, labels = picture(0)
    assert measure_alignment(image, np.zeros_like(labels)) is None
    assert measure_alignment(np.full_like(image, 7), labels) is None
    assert measure_alignment(image[:, :20], labels[:20]) is None
    assert find_shifted([None, None]) == []
