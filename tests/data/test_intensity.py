"""Stored intensities become network input, by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pixelwise.core.image import Array, Region
from pixelwise.core.plan import IntensitySection
from pixelwise.data import intensity
from pixelwise.data.intensity import IntensityScale, measured_scale, sample_pixels, scale_for
from pixelwise.readers import open_image

from .folders import save


def scale(low: float, high: float, centre: float, width: float) -> IntensityScale:
    return IntensityScale(*(np.array([v], np.float32) for v in (low, high, centre, width)))


def test_clipped_centred_scaled() -> None:
    image = np.array([[[0, 10, 20, 200]]], np.uint8)
    found = scale(5, 100, 10, 5).apply(image)
    assert found.dtype == np.float32
    assert found.tolist() == [[[-1, 0, 2, 18]]]


def test_sixteen_bits_keep_their_steps() -> None:
    image = np.array([[[40000, 40001]]], np.uint16)
    assert scale(0, 65535, 40000, 1).apply(image).tolist() == [[[0, 1]]]


def test_what_is_not_finite_becomes_the_centre() -> None:
    image = np.array([[[np.nan, np.inf, -np.inf, 3]]], np.float32)
    found = scale(-np.inf, np.inf, 1, 2).apply(image)
    assert found.tolist() == [[[0, 0, 0, 1]]]


def test_the_image_itself_is_not_changed() -> None:
    image = np.array([[[1, 2]]], np.float32)
    scale(0, 1, 1, 1).apply(image)
    assert image.tolist() == [[[1, 2]]]


def test_scale_of_one_image() -> None:
    """(2, 4, 4, 6) has mean 4 and deviation sqrt(2); a constant channel has scale 1."""
    found = measured_scale(np.array([[2, 4, 4, 6], [7, 7, 7, 7]], np.uint8))
    np.testing.assert_allclose(found.centre, [4, 7])
    np.testing.assert_allclose(found.scale, [np.sqrt(2), 1])
    image = np.array([[[2, 6]], [[7, 7]]], np.uint8)
    np.testing.assert_allclose(found.apply(image), [[[-np.sqrt(2), np.sqrt(2)]], [[0, 0]]])


def test_missing_pixels_are_left_out_of_the_scale() -> None:
    found = measured_scale(np.array([[np.nan, 1, 3, np.inf]], np.float32))
    assert (found.centre.tolist(), found.scale.tolist()) == ([2], [1])
    nothing = measured_scale(np.array([[np.nan, np.nan]], np.float32))
    assert (nothing.centre.tolist(), nothing.scale.tolist()) == ([0], [1])


def test_zeros_around_an_object_do_not_count() -> None:
    """Of 0, 2, 6: mean 4, deviation 2; what is 0 in one channel of two does count."""
    found = measured_scale(np.array([[0, 2, 6, 0]]), without_zeros=True)
    assert (found.centre.tolist(), found.scale.tolist()) == ([4], [2])
    two = measured_scale(np.array([[0, 0, 4], [0, 1, 3]]), without_zeros=True)
    assert (two.centre.tolist(), two.scale.tolist()) == ([2, 2], [2, 1])
    empty = measured_scale(np.zeros((1, 5)), without_zeros=True)
    assert (empty.centre.tolist(), empty.scale.tolist()) == ([0], [1])


class Ball:
    """A large volume that is nowhere in memory: 1 in a ball of half its edge, air around it."""

    def __init__(self, edge: int) -> None:
        self.header = SimpleNamespace(shape=(edge,) * 3)

    def read(self, region: Region | None = None) -> Array:
        assert region is not None, "a large volume is not read whole"
        edge = self.header.shape[0]
        axes = [np.arange(p.start, p.stop) / edge - 0.5 for p in region]
        squares = sum(a**2 for a in np.meshgrid(*axes, indexing="ij", sparse=True))
        return (squares < 0.25**2)[None].astype(np.float32)


def test_a_large_volume_is_measured_all_over() -> None:
    """The ball takes 4/3 pi / 4^3 = 6.5 % of the cube; its corners are air."""
    pixels = sample_pixels(Ball(600))  # type: ignore[arg-type]  # enough of a source
    assert pixels.shape[1] <= 2 * intensity.SAMPLE_PIXELS
    assert float(pixels.mean()) == pytest.approx(4 / 3 * np.pi / 64, rel=0.6)


@pytest.mark.parametrize(("scheme", "expected"), [("image", [-1, 1]), ("data set", [0, 1])])
def test_the_plan_says_whose_scale(tmp_path: Path, scheme: Any, expected: list[float]) -> None:
    path = save(tmp_path / "a.png", np.array([[10, 30]], np.uint8))
    section = IntensitySection(scheme=scheme, centre=(10,), scale=(20,), low=(0,), high=(255,))
    with open_image(path) as source:
        found = scale_for(section, source, lambda image: image).apply(source.read())
    assert found[0, 0].tolist() == expected


class Tall:
    """A large image that is nowhere in memory: its value is its row."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.header = SimpleNamespace(shape=shape)
        self.regions: list[Region] = []

    def read(self, region: Region | None = None) -> Array:
        assert region is not None, "a large image is not read whole"
        self.regions.append(region)
        rows, columns = (np.arange(part.start, part.stop) for part in region)
        return np.broadcast_to(rows[:, None], (len(rows), len(columns)))[None].astype(np.float32)


@pytest.mark.parametrize("shape", [(8000, 6000), (100_000, 300)])
def test_a_large_image_is_measured_in_bounded_memory(shape: tuple[int, ...]) -> None:
    """Its rows are uniform from 0 to n - 1: mean (n - 1) / 2, deviation n / sqrt(12)."""
    source = Tall(shape)
    pixels = sample_pixels(source)  # type: ignore[arg-type]  # as much of a source as is needed
    assert pixels.shape[1] <= 2 * intensity.SAMPLE_PIXELS
    found = measured_scale(pixels)
    assert found.centre[0] == pytest.approx((shape[0] - 1) / 2, rel=0.05)
    assert found.scale[0] == pytest.approx(shape[0] / np.sqrt(12), rel=0.15)
    assert all(0 <= r.start < r.stop <= n for reg in source.regions
               for r, n in zip(reg, shape, strict=True))  # fmt: skip
