"""Surfaces that were put in are found and taken out; images without any stay as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pixelwise.core.image import Array, Closing, Header, Region
from pixelwise.data.shading import (
    CorrectedSource,
    correct,
    evened,
    fit_surface,
    grid_places,
    measure_shading,
)


class Held(Closing):
    """An array as an opened image."""

    def __init__(self, values: Array) -> None:
        self.values = values
        self.header = Header(Path("a"), values.shape[1:], len(values), values.dtype, "array")

    def read(self, region: Region | None = None) -> Array:
        return self.values if region is None else self.values[(slice(None), *region)]


def whole(shape: tuple[int, ...]) -> Region:
    return tuple(slice(0, n) for n in shape)


def sampled(image: Array) -> Array:
    axes = [grid_places(n, image.ndim - 1) for n in image.shape[1:]]
    return image[np.ix_(range(len(image)), *axes)]


def light(shape: tuple[int, int]) -> Array:
    """A lamp at one side and darker corners, as a product of which no power is the third."""
    y, x = (np.linspace(-1, 1, n) for n in shape)
    return (1 + 0.4 * x[None] - 0.2 * y[:, None]) * (1 - 0.15 * (x[None] ** 2 + y[:, None] ** 2))


def test_finds_a_cubic_surface_and_its_level() -> None:
    image = 100 * light((120, 200))[None]
    surface = fit_surface(sampled(image), (120, 200))
    assert np.abs(surface.on(whole((120, 200))) - image).max() < 0.2
    assert surface.level[0] == pytest.approx(image.mean(), rel=0.005)
    part = (slice(30, 60), slice(100, 150))
    assert np.array_equal(surface.on(part), surface.on(whole((120, 200)))[(slice(None), *part)])


def test_objects_do_not_pull_the_surface() -> None:
    truth = 100 * light((160, 160))
    image = truth.copy()
    generator = np.random.default_rng(0)
    for y, x in generator.integers(0, 145, (20, 2)):
        image[y : y + 15, x : x + 15] += 120
    surface = fit_surface(sampled(image[None]), image.shape)
    assert np.abs(surface.on(whole(image.shape))[0] - truth).max() < 3


@pytest.mark.parametrize("how", ["divide", "subtract"])
def test_correction_restores_the_image(how: str) -> None:
    generator = np.random.default_rng(1)
    clean = 100 + generator.normal(0, 3, (150, 130))
    shade = light(clean.shape)
    shade /= shade.mean()
    shaded = clean * shade if how == "divide" else clean + 100 * (shade - 1)
    surface = fit_surface(sampled(shaded[None]), clean.shape)
    found = correct(shaded[None], surface, whole(clean.shape), how)  # type: ignore[arg-type]
    assert np.abs(found[0] - clean).mean() < 0.6
    assert np.abs(shaded - clean).mean() > 10


def test_regions_of_a_corrected_image_are_parts_of_the_whole() -> None:
    image = (100 * light((90, 70))[None]).astype(np.uint8)
    source = CorrectedSource(Held(image), "divide")
    assert source.header.dtype == np.float32
    part = (slice(10, 40), slice(20, 65))
    assert np.array_equal(source.read(part), source.read()[(slice(None), *part)])
    assert source.read().std() < 1 < image.std()
    held = Held(image)
    assert evened(held, "none") is held


def test_volumes_and_short_axes() -> None:
    z, y, x = np.mgrid[:5, :40, :50]
    volume = (200.0 + 2 * y - x + 3 * z)[None]
    surface = fit_surface(sampled(volume), volume.shape[1:])
    inside = (slice(0, 5), slice(3, 37), slice(4, 46))
    error = np.abs(surface.on(inside) - volume[(slice(None), *inside)])
    assert error.max() < 4


def test_dark_surroundings_and_nothing_to_fit() -> None:
    y, x = np.mgrid[:128, :128]
    eye = np.where((y - 64) ** 2 + (x - 64) ** 2 < 55**2, 80 * light((128, 128)), 0)
    surface = fit_surface(sampled(eye[None]), eye.shape)
    inside = (y - 64) ** 2 + (x - 64) ** 2 < 50**2
    on = surface.on(whole(eye.shape))[0]
    assert np.abs(on - 80 * light((128, 128)))[inside].max() < 4
    empty = np.zeros((1, 20, 20))
    flat = fit_surface(sampled(empty), (20, 20))
    assert not correct(empty, flat, whole((20, 20)), "subtract").any()
    assert np.isfinite(correct(empty, flat, whole((20, 20)), "divide")).all()


def test_says_which_correction_parts_the_classes() -> None:
    generator = np.random.default_rng(2)
    labels = np.zeros((128, 128), np.uint8)
    for row, column in generator.integers(0, 110, (30, 2)):
        labels[row : row + 12, column : column + 12] = 1
    y, x = (np.linspace(-1, 1, 128) for _ in range(2))
    shade = 1 + 0.8 * x[None] + 0 * y[:, None]
    image = (50 + 25 * labels) * shade + generator.normal(0, 1, labels.shape)
    found = measure_shading(image[None], labels)
    assert found is not None
    stored, divided, subtracted = found.explained
    assert stored < 0.3 < subtracted < divided
    assert found.unevenness > 2
    even = measure_shading((50 + 25.0 * labels)[None], labels)
    assert even is not None
    assert even.unevenness < 0.3
    assert even.explained[0] == pytest.approx(1)
    assert measure_shading(image[None], np.zeros_like(labels)) is None
