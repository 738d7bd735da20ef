"""Depth, contact and gaps of numbered objects: by hand, and by a slow twin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from pixelwise.arrays.object_guides import contact_map, depth_map, number_objects, where_touching


def test_depth_of_a_square_by_hand() -> None:
    """5 x 5 in the middle of 9 x 9: rings at distance 1, 2, 3 of 3."""
    objects = np.zeros((9, 9), np.uint16)
    objects[2:7, 2:7] = 700
    depth = depth_map(objects)
    assert depth[4].tolist() == pytest.approx([0, 0, 1 / 3, 2 / 3, 1, 2 / 3, 1 / 3, 0, 0])
    assert depth.max() == 1.0


def test_the_frame_is_no_rim() -> None:
    """An object that leaves the image is deepest where it leaves; one that fills it is all deep."""
    objects = np.zeros((3, 6), np.uint8)
    objects[:, 3:] = 1
    assert depth_map(objects)[1].tolist() == pytest.approx([0, 0, 0, 1 / 3, 2 / 3, 1])
    assert depth_map(np.ones((3, 3), np.uint8)).min() == 1.0


def test_touching_objects_have_a_rim_between_them() -> None:
    objects = np.array([[1, 1, 1, 2, 2, 2]], np.uint8)
    assert depth_map(objects)[0].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3, 2 / 3, 1])


@pytest.mark.parametrize("shape", [(30, 34), (10, 12, 14)])
def test_depth_equals_object_by_object(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    blobs, _ = ndimage.label(ndimage.gaussian_filter(random.normal(size=shape), 1.5) > 0.05)
    inner = np.pad(blobs, 1)
    depth = depth_map(inner, spacing=(2.0, 1.0, 0.5)[: len(shape)])
    for number in range(1, blobs.max() + 1):
        mask = inner == number
        own = ndimage.distance_transform_edt(mask, sampling=(2.0, 1.0, 0.5)[: len(shape)])
        np.testing.assert_allclose(depth[mask], (own / own.max())[mask], rtol=1e-6)
    assert not depth[inner == 0].any()


def test_contact_by_hand() -> None:
    """A gap of three pixels: d1 + d2 = 4 throughout; at the rims of the objects 0 + 4."""
    objects = np.array([[5, 5, 0, 0, 0, 9, 9]], np.int32)
    expected = np.exp(-(np.array([5, 4, 4, 4, 4, 4, 5]) ** 2) / (2 * 9.0))
    np.testing.assert_allclose(contact_map(objects, sigma=3.0)[0], expected, rtol=1e-5)
    assert not contact_map(np.array([[0, 3, 3, 0]], np.int32)).any()


def test_where_touching_by_hand() -> None:
    objects = np.array([[1, 1, 7, 7], [1, 1, 7, 7], [0, 0, 0, 0], [4, 4, 4, 0]], np.uint16)
    expected = [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert where_touching(objects).astype(int).tolist() == expected
    diagonal = np.array([[1, 0], [0, 2]], np.uint8)
    assert where_touching(diagonal).tolist() == [[True, False], [False, True]]


def test_gaps_in_the_numbers_are_closed_in_their_order() -> None:
    stored = np.array([[0, 65535, 12], [12, -3, 300]], np.int64)
    assert number_objects(stored).tolist() == [[0, 3, 1], [1, 0, 2]]
