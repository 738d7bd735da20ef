"""Arrays in every order of axes, and what is said about those that fit no run."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.core.errors import BadData
from pixelwise.data.array_images import (
    ArraySource,
    Layout,
    accepted_channels,
    checked_array,
    checked_spacing,
    layout_of,
)

COLOUR, GREY = {1, 3}, {1, 3}


def test_channels_last_is_what_is_expected() -> None:
    assert layout_of((5, 6), n_dims=2, accepted=GREY) == Layout(None, (0, 1))
    assert layout_of((5, 6, 3), n_dims=2, accepted=COLOUR) == Layout(2, (0, 1))
    assert layout_of((3, 5, 3), n_dims=2, accepted=COLOUR) == Layout(2, (0, 1)), "last, not first"
    assert layout_of((4, 5, 6), n_dims=3, accepted={1}) == Layout(None, (0, 1, 2))
    assert layout_of((4, 5, 6, 2), n_dims=3, accepted={2}) == Layout(3, (0, 1, 2))


def test_named_axes_are_turned_and_labels_turned_back() -> None:
    values = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)  # x y c z
    layout = layout_of(values.shape, n_dims=3, accepted={4}, axes="xycz")
    turned = layout.turn(values)
    assert turned.shape == (4, 5, 3, 2)
    assert turned[1, 2, 0, 1] == values[1, 0, 1, 2]
    labels = turned[0]  # z y x
    np.testing.assert_array_equal(layout.turn_back(labels), values[:, :, 0])
    np.testing.assert_array_equal(
        layout.turn_back(turned), np.moveaxis(values, 2, 0), "leading axes stay in front"
    )
    assert layout.turn_numbers((0.1, 0.2, 0.3)) == (0.3, 0.2, 0.1), "given for x, y, z"
    circle = layout_of((2, 3, 4), n_dims=3, accepted={1}, axes="yzx")
    assert circle.turn(np.zeros((2, 3, 4))).shape == (1, 3, 2, 4)
    assert circle.turn_back(np.zeros((3, 2, 4))).shape == (2, 3, 4)
    assert circle.turn_numbers((1.0, 2.0, 3.0)) == (2.0, 1.0, 3.0)


@pytest.mark.parametrize(
    ("shape", "n_dims", "accepted", "said"),
    [
        ((3, 50, 60), 2, {1, 3}, "axes='cyx'"),
        ((50, 60, 4), 2, {1, 3}, r"image\[..., :3\]"),
        ((20, 50, 60), 2, {1, 3}, "planes of a stack one by one"),
        ((50, 60), 3, {1}, "arrays of 3 dimensions"),
        ((50, 60), 2, {2}, r"\(y, x, 2 channels\)"),
        ((20, 50, 60, 2), 3, {1}, "one volume at a time"),
        ((1, 1, 50, 60), 2, {1, 3}, "one image at a time"),
        ((0, 60), 2, {1, 3}, "no pixels"),
    ],
)
def test_what_does_not_fit_is_explained(
    shape: tuple[int, ...], n_dims: int, accepted: set[int], said: str
) -> None:
    with pytest.raises(BadData, match=said) as caught:
        layout_of(shape, n_dims=n_dims, accepted=accepted)
    assert f"({', '.join(map(str, shape))})" in str(caught.value), "the shape is named"


@pytest.mark.parametrize("axes", ["yx", "yxz", "yyc", "yxcc", "", "tyx"])
def test_names_of_axes_that_cannot_be(axes: str) -> None:
    with pytest.raises(BadData, match="axes is"):
        layout_of((5, 6, 3), n_dims=2, accepted=COLOUR, axes=axes)


def test_grey_and_colour_are_one_for_pictures_only() -> None:
    assert accepted_channels(1, (), 2) == {1, 3}
    assert accepted_channels(3, ("r", "g", "b"), 2) == {1, 3}
    assert accepted_channels(3, ("dapi", "gfp", "actin"), 2) == {3}
    assert accepted_channels(3, (), 3) == {3}
    assert accepted_channels(2, (), 2) == {2}


def test_what_is_no_array_of_numbers() -> None:
    assert checked_array([[1, 2], [3, 4]]).shape == (2, 2)
    assert checked_array(np.array([[True, False]])).tolist() == [[1, 0]]
    for wrong in (np.array([["a"]]), np.array([[1j]]), np.array([[None]]), [[1], [2, 3]]):
        with pytest.raises(BadData):
            checked_array(wrong)


def test_spacing_is_positive_and_complete() -> None:
    assert checked_spacing(None, 3) is None
    assert checked_spacing(0.5, 3) == (0.5, 0.5, 0.5)
    assert checked_spacing((2, 1, 1), 3) == (2.0, 1.0, 1.0)
    for wrong in ((1, 1), 0, -1, (1, 1, float("nan")), "mm", (1, 1, 1, 1)):
        with pytest.raises(BadData, match="spacing is"):
            checked_spacing(wrong, 3)  # type: ignore[arg-type]  # what users give


def test_a_source_reads_regions_and_gives_copies() -> None:
    values = np.arange(24).reshape(1, 4, 6)
    source = ArraySource(values, spacing=(2, 1), unit="mm")
    assert (source.header.shape, source.header.spacing) == ((4, 6), (2, 1))
    part = source.read((slice(1, 3), slice(2, 4)))
    np.testing.assert_array_equal(part, [[[8, 9], [14, 15]]])
    part[:] = 0
    assert values.sum() == sum(range(24))
