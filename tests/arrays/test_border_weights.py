"""Two nearest objects against one distance transform per object; weights against the formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from pixelwise.arrays.border_weights import border_weights
from pixelwise.arrays.two_nearest import two_nearest


def slow_two_nearest(objects: np.ndarray, spacing: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    far = np.full(objects.shape, np.inf)
    single = [
        ndimage.distance_transform_edt(objects != number, sampling=spacing)
        for number in np.unique(objects)
        if number
    ]
    ordered = np.sort(np.stack([*single, far, far]), axis=0)
    return ordered[0], ordered[1]


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(9, 12), (1, 8), (7, 1), (4, 6, 5)]),
    st.integers(0, 6),
)
def test_equals_one_distance_transform_per_object(
    seed: int, shape: tuple[int, ...], n_objects: int
) -> None:
    generator = np.random.default_rng(seed)
    objects = np.zeros(shape, np.uint16)
    for number in 3 * np.arange(1, n_objects + 1):
        corner = [generator.integers(0, n) for n in shape]
        sides = [generator.integers(1, 4) for _ in shape]
        part = tuple(slice(c, c + s) for c, s in zip(corner, sides, strict=True))
        objects[part] = number
    spacing = tuple(generator.choice([0.5, 1.0, 3.0], len(shape)))
    for found, wanted in zip(
        two_nearest(objects, spacing, 1000.0), slow_two_nearest(objects, spacing), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("total", "surplus"),
    [
        (2, 9.231163),
        (4, 7.261490),
        (5, 6.065307),
        (6, 4.867523),
        (10, 1.353353),
        (15, 0.111090),
        (20, 0.003355),
    ],
)
def test_formula_between_two_walls(total: int, surplus: float) -> None:
    """Every pixel of a gap of total - 1 pixels has d1 + d2 = total."""
    objects = np.zeros((3, total + 9), np.int64)
    objects[:, :5], objects[:, total + 4 :] = 1, 7
    weights = border_weights(objects, class_weights=(1.0, 2.0))
    np.testing.assert_allclose(weights[:, 5 : total + 4], 1 + surplus, atol=1e-6)
    assert (weights[objects != 0] == 2).all()


def test_spacing_is_what_counts_not_pixels() -> None:
    objects = np.zeros((1, 3, 9), np.uint8)
    objects[..., :3], objects[..., 6:] = 1, 2
    fine = border_weights(objects, spacing=(1.0, 1.0, 0.5))
    np.testing.assert_allclose(fine[..., 3:6], 1 + 10 * np.exp(-4 / 50), rtol=1e-6)


@pytest.mark.parametrize("n_objects", [0, 1])
def test_no_surplus_without_two_objects(n_objects: int) -> None:
    objects = np.zeros((6, 6), np.uint8)
    objects[2:4, 2:4] = n_objects
    assert (border_weights(objects) == 1).all()


def test_the_numbers_given_stay_as_they_are() -> None:
    """The loops write into their copy, also where type and layout need no other."""
    numbers = np.zeros((8, 9), np.int32)
    numbers[2:4, 1:3], numbers[5:7, 6:8] = 1, 2
    before = numbers.copy()
    two_nearest(numbers, (1.0, 1.0), 20.0)
    np.testing.assert_array_equal(numbers, before)
