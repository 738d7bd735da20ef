"""Grids compared in space: equal ones in any stored order, and each way of being another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pixelwise.core.grids import compare_grids, describe_grid
from pixelwise.core.image import Header
from pixelwise.core.placement import place_volume

SHAPE = (4, 5, 6)
"""Lengths along i, j, k."""


def header(affine: np.ndarray | None, **more: object) -> Header:
    values = {"path": Path("a"), "n_channels": 1, "dtype": np.dtype("u1"), "format_name": "x"}
    if affine is None:
        return Header(shape=SHAPE[::-1], **values, **more)  # type: ignore[arg-type]
    placement = place_volume(affine, SHAPE)
    values |= {"shape": placement.array_shape, "spacing": placement.spacing, "unit": "mm"}
    return Header(**values, placement=placement)  # type: ignore[arg-type]


def moved(*steps: float) -> np.ndarray:
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[:3, 3] = steps or (0, 0, 0)
    return affine


def test_equal_grids_stored_in_other_directions_are_one() -> None:
    flipped = moved() @ np.array([[-1, 0, 0, 3], [0, 1, 0, 0], [0, 0, -1, 5], [0, 0, 0, 1.0]])
    assert compare_grids(header(moved()), header(flipped)) is None


def test_rounding_is_no_difference_and_half_a_voxel_is_one() -> None:
    assert compare_grids(header(moved()), header(moved(0.05, 0.0, 0.0))) is None
    difference = compare_grids(header(moved()), header(moved(0.5, 0.0, 0.0)))
    assert difference is not None
    assert difference.is_certain
    assert "corners by up to 0.5 mm" in difference.text


def test_a_small_turn_counts_at_the_far_corner() -> None:
    angle = 0.1
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    difference = compare_grids(header(moved()), header(turn @ moved()))
    assert difference is not None
    # the far corner (3, 8) mm moves along a chord of 2 r sin(angle / 2)
    chord = 2 * np.hypot(3, 8) * np.sin(angle / 2)
    assert f"up to {chord:.4g} mm" in difference.text
    assert "rotated by 5.73 degrees" in difference.text


def test_one_without_a_place_fits_only_what_is_stored_in_array_order() -> None:
    unknown = header(None)
    plain = compare_grids(header(moved()), unknown)
    assert plain is not None
    assert not plain.is_certain
    turned = compare_grids(header(np.diag([-1.0, -2.0, 3.0, 1.0])), unknown)
    assert turned is not None
    assert turned.is_certain


def test_spacings_are_compared_as_lengths() -> None:
    one = header(None, spacing=(3.0, 2.0, 1.0), unit="mm")
    assert compare_grids(one, header(None, spacing=(3000.0, 2000.0, 1000.0), unit="µm")) is None
    assert compare_grids(one, header(None, spacing=(3.0, 2.0, 1.0), unit="µm")) is not None
    assert compare_grids(one, header(None)) is None
    assert describe_grid(one) == "4 x 5 x 6 voxels of 1 x 2 x 3 mm"


@pytest.mark.parametrize("column", [[0, 0, 0], [1, 0, 0], [np.nan, 0, 1]])
def test_axes_that_span_no_volume(column: list[float]) -> None:
    affine = np.eye(4)
    affine[:3, 2] = column
    with pytest.raises(ValueError, match=r"span|finite"):
        place_volume(affine, SHAPE)


def test_the_nearest_axes_are_chosen_as_a_whole() -> None:
    # taken one by one, j and k would both be nearest to y
    directions = np.array([[1, 0, 0], [0, 0.8, 0.75], [0, -0.6, 0.66]])
    affine = np.eye(4)
    affine[:3, :3] = directions
    placement = place_volume(affine, SHAPE)
    assert placement.axes == (2, 1, 0)
    assert placement.flips == (False, False, False)
