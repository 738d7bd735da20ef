"""Tiles that a model does not take: mirrored at their ends, the answer cut back."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.core.errors import ShapeMismatch
from pixelwise.inference.fitted_sizes import run_fitted
from pixelwise.networks import Field


def seen(field: Field, shape: tuple[int, ...], fixed: tuple[int, ...] | None = None) -> np.ndarray:
    """What a model is fed with for a ramp of this shape."""
    given: list[np.ndarray] = []

    def run(images: np.ndarray) -> np.ndarray:
        given.append(images)
        return images

    ramp = np.arange(np.prod(shape), dtype=np.float32).reshape(1, 1, *shape)
    answer = run_fitted(run, ramp, field, fixed)
    np.testing.assert_array_equal(answer, ramp)
    return given[0][0, 0]


def test_a_size_that_fits_goes_through_as_it_is() -> None:
    assert seen(Field(multiple=4), (8, 12)).shape == (8, 12)


def test_missing_rows_are_mirrored_without_repeating_the_last() -> None:
    found = seen(Field(multiple=4), (5, 8))
    assert found.shape == (8, 8)
    # rows 0..4, then 3, 2, 1: of a ramp with 8 columns the row numbers are value // 8
    assert (found[:, 0] // 8).tolist() == [0, 1, 2, 3, 4, 3, 2, 1]


def test_one_coarsest_pixel_in_all_is_doubled_as_networks_do() -> None:
    assert seen(Field(multiple=4), (3, 2)).shape == (4, 8)
    assert seen(Field(multiple=4, smallest=8), (3, 2)).shape == (8, 8)


def test_a_fixed_model_gets_its_own_shape() -> None:
    assert seen(Field(), (5, 6), fixed=(7, 6)).shape == (7, 6)
    with pytest.raises(ShapeMismatch, match="7x6"):
        seen(Field(), (8, 6), fixed=(7, 6))


def test_without_padding_a_wrong_size_is_refused_with_the_nearest_right_ones() -> None:
    field = Field(margin=20, multiple=8, remainder=4, smallest=44)
    with pytest.raises(ShapeMismatch, match="44 and 52"):
        run_fitted(lambda images: images, np.zeros((1, 1, 50, 52), np.float32), field, None)
