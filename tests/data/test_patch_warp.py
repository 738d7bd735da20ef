"""Cutting warped patches: against slow interpolation, at borders, and from a part of the image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from pixelwise.data.patch_warp import Warp, cut_patch, needed_region


def slow_cut(image: np.ndarray, labels: np.ndarray, warp: Warp, centre: list[float]) -> tuple:
    """The same by SciPy: mirrored at the end pixels, linear for images."""
    axes = [np.arange(n) - (n - 1) / 2 for n in warp.patch]
    offsets = np.stack(np.meshgrid(*axes, indexing="ij"))
    places = np.tensordot(warp.matrix.astype(float), offsets, axes=1)
    if warp.shift is not None:
        places = places + warp.shift
    places += np.reshape(centre, (-1, *[1] * len(centre)))
    found = [map_coordinates(channel, places, order=1, mode="mirror") for channel in image]
    return np.stack(found), places


@pytest.mark.parametrize(
    ("shape", "patch", "channels"),
    [
        ((17, 23), (9, 8), 1),
        ((17, 23), (30, 12), 3),
        ((9, 11, 13), (6, 8, 7), 2),
        ((3, 9, 9), (8, 5, 5), 1),
    ],
)
@pytest.mark.parametrize("is_bent", [False, True])
def test_equal_to_slow_interpolation(
    shape: tuple[int, ...], patch: tuple[int, ...], channels: int, is_bent: bool
) -> None:
    random = np.random.default_rng(len(shape) + channels)
    image = random.normal(size=(channels, *shape)).astype(np.float32)
    labels = random.integers(0, 4, shape).astype(np.uint8)
    n_dims = len(shape)
    for _ in range(5):
        matrix = np.eye(n_dims) + random.uniform(-0.5, 0.5, (n_dims, n_dims))
        shift = random.normal(0, 1, (n_dims, *patch)).astype(np.float32) if is_bent else None
        warp = Warp(patch, matrix.astype(np.float32), shift)
        centre = [random.uniform(0, n - 1) for n in shape]
        region = needed_region(warp, centre, shape)
        found, classes = cut_patch(
            image[(slice(None), *region)],
            labels[region],
            warp,
            centre,
            corner=[part.start for part in region],
            shape=shape,
        )
        expected, places = slow_cut(image, labels, warp, centre)
        np.testing.assert_allclose(found, expected, atol=2e-4)
        nearest = map_coordinates(labels, places, order=0, mode="mirror")
        is_clear = (np.abs(places % 1 - 0.5) > 1e-3).all(axis=0)
        assert is_clear.mean() > 0.9
        np.testing.assert_array_equal(classes[is_clear], nearest[is_clear])


@given(length=st.integers(2, 9), reach=st.integers(0, 20))
@settings(max_examples=30, deadline=None)
def test_beyond_the_border_the_image_is_reflected(length: int, reach: int) -> None:
    line = np.arange(length, dtype=np.float32).reshape(1, 1, length)
    warp = Warp((1, length + 2 * reach), np.eye(2, dtype=np.float32))
    found, _ = cut_patch(
        line, np.zeros((1, length), np.uint8), warp, [0, (length - 1) / 2],
        corner=(0, 0), shape=(1, length),
    )  # fmt: skip
    expected = np.pad(line[0, 0], reach, mode="reflect")
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-4)


def test_one_pixel_is_everywhere() -> None:
    warp = Warp((2, 3), np.array([[0, 1], [-1, 0]], np.float32))
    found, classes = cut_patch(
        np.full((1, 1, 1), 7, np.float32), np.full((1, 1), 2, np.uint8), warp, [0, 0],
        corner=(0, 0), shape=(1, 1),
    )  # fmt: skip
    assert (found == 7).all()
    assert (classes == 2).all()


@pytest.mark.parametrize(
    ("centre", "expected"),
    [(20.0, slice(17, 24)), (1.0, slice(0, 6)), (39.0, slice(35, 40)), (2.5, slice(0, 7))],
)
def test_only_what_is_needed_is_asked_for(centre: float, expected: slice) -> None:
    """A patch of 5 around 20 spans 18..22, and one pixel more on each side for rounding."""
    warp = Warp((5, 5), np.eye(2, dtype=np.float32))
    region = needed_region(warp, [centre, 20.0], (40, 41))
    assert region[0].start <= expected.start + 1
    assert region[0].stop >= expected.stop - 1
    assert abs(region[0].start - expected.start) <= 1
    assert abs(region[0].stop - expected.stop) <= 1
