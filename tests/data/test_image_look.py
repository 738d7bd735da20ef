"""How images look, in numbers worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pixelwise.data.array_images import ArraySource
from pixelwise.data.image_look import LAGS, QUANTILES, look_at


def look_of(values: Any, **options: Any) -> Any:
    return look_at(ArraySource(np.asarray(values)), **options)


def test_quantiles_of_0_to_100_are_their_percentages() -> None:
    look = look_of(np.random.default_rng(0).permutation(101).reshape(1, 1, 101).astype(np.uint8))
    assert look.quantiles[0] == pytest.approx(QUANTILES)
    assert look.means == (50,)
    assert look.stds[0] == pytest.approx(((101**2 - 1) / 12) ** 0.5, rel=1e-5)


def test_steps_of_a_ramp_are_its_lags_as_far_as_the_axis_goes() -> None:
    ramp = np.broadcast_to(3 * np.arange(10), (1, 40, 10)).astype(np.int16)
    along_y, along_x = look_of(ramp).steps[0]
    assert LAGS == (1, 2, 4, 8, 16)
    assert along_x == (3, 6, 12, 24, 0), "16 pixels apart there is nothing"
    assert along_y == (0, 0, 0, 0, 0)


def test_colour_is_the_distance_of_channels_from_their_mean() -> None:
    """Means 2 and 4 deviate by 1; (1, 2, 3) and (3, 4, 5) lie 2/3 from their means."""
    look = look_of(np.array([[[1, 3]], [[2, 4]], [[3, 5]]], np.float32))
    assert look.colourfulness == pytest.approx(2 / 3, abs=1e-4)
    grey = look_of(np.repeat(np.arange(12).reshape(1, 3, 4), 3, axis=0))
    assert grey.colourfulness == 0
    assert look_of(np.arange(24).reshape(2, 3, 4)).colourfulness == 0, "two channels are no colour"


def test_colour_is_judged_before_it_is_turned_to_grey() -> None:
    image = np.array([[[1, 3]], [[2, 4]], [[3, 5]]], np.float32)
    look = look_of(image, convert=lambda block: block.mean(axis=0, keepdims=True))
    assert (len(look.means), look.colourfulness) == (1, pytest.approx(2 / 3, abs=1e-4))


def test_nan_is_counted_and_left_out() -> None:
    look = look_of(np.array([[[1, np.nan, 3, np.inf]]], np.float32))
    assert look.invalid_share == 0.5
    assert look.means == (2,)
    empty = look_of(np.full((1, 2, 2), np.nan, np.float32))
    assert (empty.invalid_share, set(empty.quantiles[0])) == (1.0, {0.0})


def test_a_large_image_is_sampled_and_a_volume_has_three_axes() -> None:
    ramp = np.broadcast_to(np.arange(3000, dtype=np.uint16), (1, 3000, 3000))
    look = look_of(ramp)
    assert look.steps[0][1] == (1, 2, 4, 8, 16)
    assert look.means[0] == pytest.approx(1500, rel=0.02)
    assert len(look_of(np.zeros((1, 5, 6, 7))).steps[0]) == 3
