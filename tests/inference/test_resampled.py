"""Answers on the image's own grid: from another spacing, from slices, in bounded pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pixelwise.core.image import Array, Header, Region, whole_region
from pixelwise.core.plan import GeometrySection, InferenceSection
from pixelwise.inference import resampled
from pixelwise.inference.predictor import Predictor
from pixelwise.inference.resampled import GridPredictor, on_plan_grid
from pixelwise.networks import Field
from pixelwise.tasks import build_task

TASK = build_task("semantic", 2, {})


class Held:
    """An image in memory."""

    def __init__(self, values: Array, spacing: tuple[float, ...] | None) -> None:
        self.values = values
        self.header = Header(
            Path("held.nii"), values.shape[1:], len(values), values.dtype, "NIfTI", spacing, "mm"
        )

    def read(self, region: Region | None = None) -> Array:
        return self.values[(slice(None), *(region or whole_region(self.values.shape[1:])))]

    def close(self) -> None:
        pass


class MiddleChannel:
    """An engine whose logit of class 1 is four times the middle channel, of class 0 zero."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def logits(self, images: Array) -> Array:
        self.shapes.append(images.shape)
        middle = images[:, images.shape[1] // 2]
        return np.stack([np.zeros_like(middle), 4 * middle], axis=1).astype(np.float32)


def grid_predictor(
    geometry: GeometrySection, n_dims: int, tile: int = 16
) -> tuple[Any, MiddleChannel]:
    engine = MiddleChannel()
    section = InferenceSection(tile=(tile,) * n_dims, halo=(0,) * n_dims, batch=1)
    plain = Predictor(engine, Field(), TASK, section)  # type: ignore[arg-type]  # enough of one
    return on_plan_grid(plain, TASK, geometry, spacing=None, unit="mm"), engine


def collect(predictor: Any, image: Held) -> tuple[Array, Array, list[Region]]:
    shape = image.header.shape
    labels = np.full(shape, 99, np.uint8)
    probabilities = np.full((2, *shape), np.nan, np.float32)
    regions = []
    for answer in predictor.predict(image, lambda values: values.astype(np.float32)):
        assert (labels[answer.region] == 99).all(), "every pixel is answered once"
        labels[answer.region] = answer.labels
        probabilities[(slice(None), *answer.region)] = answer.probabilities
        regions.append(answer.region)
    return labels, probabilities, regions


def smooth(shape: tuple[int, ...], seed: int = 0) -> Array:
    field = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 3)
    return (field / field.std())[None].astype(np.float32)


def test_a_plan_without_another_grid_needs_nothing() -> None:
    predictor, _ = grid_predictor(GeometrySection(), 3)
    assert isinstance(predictor, Predictor)


@pytest.mark.parametrize("chunk", [1 << 24, 4000, 1])
@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((40, 37, 33), (1.0, 1.0, 1.0)), ((20, 26, 31), (3.0, 2.5, 2.0)), ((50, 40), (1.0, 1.5))],
)
def test_labels_come_back_where_they_belong(
    shape: tuple[int, ...], spacing: tuple[float, ...], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The zero crossing of a smooth field is found on the image's own grid, in any chunks."""
    monkeypatch.setattr(resampled, "_CHUNK_VALUES", chunk)
    image = Held(smooth(shape), spacing)
    predictor, engine = grid_predictor(GeometrySection(spacing=(1.6,) * len(shape)), len(shape))
    assert isinstance(predictor, GridPredictor)
    labels, probabilities, regions = collect(predictor, image)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-5)
    clear = np.abs(image.values[0]) > 0.35
    np.testing.assert_array_equal(labels[clear], (image.values[0] > 0)[clear])
    assert (labels == (image.values[0] > 0)).mean() > 0.97
    np.testing.assert_array_equal(labels, probabilities.argmax(axis=0))
    most = max(int(np.prod([p.stop - p.start for p in region])) for region in regions)
    assert 2 * most <= max(chunk, 2 * int(np.prod(shape[1:])))
    goal = tuple(round(n * s / 1.6) for n, s in zip(shape, spacing, strict=True))
    assert sum(s[0] * int(np.prod(s[2:])) for s in engine.shapes) >= np.prod(goal)


def test_the_way_back_in_pieces_is_the_way_back_at_once() -> None:
    """Tiles of 5 or of the whole: the same probabilities to the last digit that counts."""
    image = Held(smooth((23, 30, 19)), (2.0, 1.0, 1.0))
    geometry = GeometrySection(spacing=(1.3, 1.3, 1.3))
    pieces = collect(grid_predictor(geometry, 3, tile=5)[0], image)[1]
    at_once = collect(grid_predictor(geometry, 3, tile=64)[0], image)[1]
    np.testing.assert_allclose(pieces, at_once, atol=1e-5)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("neighbours", [0, 1])
def test_slice_by_slice(axis: int, neighbours: int) -> None:
    """The middle slice of what the network sees is the one that it answers for."""
    image = Held(smooth((7, 9, 8)), None)
    geometry = GeometrySection(slice_axis=axis, neighbours=neighbours)
    predictor, engine = grid_predictor(geometry, 2)
    labels, probabilities, regions = collect(predictor, image)
    np.testing.assert_array_equal(labels, image.values[0] > 0)
    expected = 1 / (1 + np.exp(-4 * image.values[0]))
    np.testing.assert_allclose(probabilities[1], expected, atol=1e-5)
    assert len(regions) == (7, 9, 8)[axis]
    assert {shape[1] for shape in engine.shapes} == {1 + 2 * neighbours}


@pytest.mark.parametrize("axis", [0, 2])
def test_slices_resampled_in_their_plane(axis: int) -> None:
    image = Held(smooth((12, 30, 14)), (1.0, 1.0, 1.0))
    spacing = [1.5, 1.5, 1.5]
    spacing[axis] = None  # type: ignore[call-overload]  # an axis that is kept
    geometry = GeometrySection(spacing=tuple(spacing), slice_axis=axis, neighbours=1)
    labels, _, _ = collect(grid_predictor(geometry, 2)[0], image)
    clear = np.abs(image.values[0]) > 0.35
    np.testing.assert_array_equal(labels[clear], (image.values[0] > 0)[clear])
