"""The runner evens out illumination exactly as the package does, for every kind of image."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.data.shading import correct, fit_surface, grid_places
from pixelwise.runs.runner_shading import evened


@pytest.mark.parametrize("kind", ["divide", "subtract"])
@pytest.mark.parametrize("shape", [(1, 130, 70), (3, 64, 300), (1, 9, 40, 33), (1, 20, 5)])
def test_equals_the_package(kind: str, shape: tuple[int, ...]) -> None:
    generator = np.random.default_rng(len(shape))
    ramp = np.linspace(0.3, 1, shape[-1])
    image = (generator.uniform(40, 60, shape) * ramp).astype(np.uint8)
    if shape[0] == 3:
        image[2] = 0
    axes = [grid_places(n, len(shape) - 1) for n in shape[1:]]
    surface = fit_surface(image[np.ix_(range(shape[0]), *axes)], shape[1:])
    whole = tuple(slice(0, n) for n in shape[1:])
    expected = correct(image, surface, whole, kind)  # type: ignore[arg-type]
    found = evened(image, {"shading": kind})
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)


def test_plans_from_before_and_without_it_leave_images_alone() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    assert evened(image, {}) is image
    assert evened(image, {"shading": "none"}) is image
