"""Shared boundaries against closed forms: boxes, balls, discs, anisotropic spacing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pixelwise.arrays.contacts import contact_areas, surface_size


def make_ball(radius: float, spacing: tuple[float, ...]) -> np.ndarray:
    """A disc or ball in physical units."""
    axes = [np.arange(-math.ceil(radius / s) - 1, math.ceil(radius / s) + 2) * s for s in spacing]
    return sum(a**2 for a in np.meshgrid(*axes, indexing="ij")) <= radius**2


def test_faces_of_two_boxes() -> None:
    """Boxes of 2 x 3 x 4 and 2 x 3 x 5 voxels side by side along x; voxels 3 x 2 x 0.5."""
    labels = np.zeros((6, 7, 15), np.uint8)
    labels[2:4, 2:5, 2:6] = 1
    labels[2:4, 2:5, 6:11] = 2
    found = contact_areas(labels, 3, (3.0, 2.0, 0.5), estimator="faces")
    yz, xz, xy = 6.0, 1.5, 1.0  # area of a voxel's side by the axes that span it
    shared = 2 * 3 * yz
    outer = [shared + 2 * (2 * n * xz) + 2 * (3 * n * xy) for n in (4, 5)]
    assert found[1, 2] == found[2, 1] == pytest.approx(shared)
    assert [found[1, 0], found[2, 0]] == pytest.approx(outer)
    assert np.diag(found).tolist() == [0, 0, 0, 0]
    rim = 2 * (6 * 7 * yz + 6 * 15 * xz + 7 * 15 * xy)
    assert found[0, 3] == pytest.approx(rim)


def test_lengths_in_a_picture() -> None:
    labels = np.array([[0, 0, 1], [0, 1, 1]], np.uint8)
    found = contact_areas(labels, 2, (2.0, 3.0), estimator="faces")
    #  0|1 across x: two sides of length 2; across y: one of length 3
    assert found[0, 1] == 2 * 2 + 3
    assert found[1, 2] == 2 + 3 + 2 + 3 + 3  # top, right, right, bottom twice


def test_void_is_outside() -> None:
    labels = np.array([[1, 255, 0]], np.uint8)
    found = contact_areas(labels, 2, estimator="faces")
    assert found[0, 1] == 0
    assert found[1].tolist() == [0, 0, 4]


@pytest.mark.parametrize(
    ("radius", "spacing"),
    [(12.0, (1.0, 1.0, 1.0)), (12.0, (2.0, 1.0, 1.0)), (9.0, (0.5, 1.0, 0.7))],
)
def test_surface_of_a_ball(radius: float, spacing: tuple[float, ...]) -> None:
    area = surface_size(make_ball(radius, spacing), spacing)
    assert area == pytest.approx(4 * math.pi * radius**2, rel=0.02)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (2.0, 1.0), (0.3, 0.4)])
def test_outline_of_a_disc(spacing: tuple[float, ...]) -> None:
    length = surface_size(make_ball(20 * min(spacing), spacing), spacing)
    assert length == pytest.approx(2 * math.pi * 20 * min(spacing), rel=0.03)


def test_faces_of_a_ball_are_half_too_many() -> None:
    """Each of the six ways along the axes sees the ball's shadow once: 6 pi r²."""
    area = surface_size(make_ball(20.0, (1.0, 1.0, 1.0)), estimator="faces")
    assert area == pytest.approx(6 * math.pi * 400, rel=0.02)


def test_plane_along_an_axis_is_what_crofton_loses() -> None:
    """2 sum(c |cos|) over the 13 directions of cubes: 0.9266 of the true area."""
    labels = np.ones((40, 40, 20), np.uint8)
    labels[:, :, :10] = 0
    found = contact_areas(labels, 2)
    inner = 0.9266 * 40 * 40
    assert found[0, 1] == pytest.approx(inner, rel=0.03)  # diagonals beyond the rim are missing


def test_two_half_balls_share_a_disc() -> None:
    ball = make_ball(15.0, (1.0, 1.0, 1.0))
    labels = np.where(ball, 1, 0).astype(np.uint8)
    labels[ball & (np.arange(ball.shape[0]) > 16).reshape(-1, 1, 1)] = 2
    found = contact_areas(labels, 3, estimator="faces")
    assert found[1, 2] == pytest.approx(math.pi * 15**2, rel=0.02)
    assert contact_areas(labels, 3)[1, 2] == pytest.approx(0.9266 * math.pi * 15**2, rel=0.06)


def test_meeting_at_a_corner_is_no_contact() -> None:
    labels = np.array([[1, 0], [0, 2]], np.uint8)
    assert contact_areas(labels, 3)[1, 2] == 0


def test_rows_sum_up_to_whole_surfaces() -> None:
    labels = np.random.default_rng(0).integers(0, 3, (6, 7, 8)).astype(np.uint8)
    found = contact_areas(labels, 3, (1.0, 2.0, 3.0), estimator="faces")
    for k in range(3):
        alone = surface_size(labels == k, (1.0, 2.0, 3.0), estimator="faces")
        assert found[k].sum() == pytest.approx(alone)


def test_nothing_has_no_surface() -> None:
    assert surface_size(np.zeros((4, 4), bool)) == 0


def test_spacing_may_be_whole_numbers() -> None:
    labels = np.array([[0, 1], [0, 1]], np.uint8)
    assert np.array_equal(contact_areas(labels, 2, (2, 1)), contact_areas(labels, 2, (2.0, 1.0)))
