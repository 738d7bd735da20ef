"""The spatial transform moves image and labels alike; intensities change as described."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from pixelwise.core.plan import AugmentationSection
from pixelwise.data.augment import (
    _blur,
    change_intensity,
    draw_warp,
    identity_warp,
    spread_smoothly,
)
from pixelwise.data.patch_warp import Warp, cut_patch

OFF = AugmentationSection(
    rotation=0, scaling=0, shear=0, elastic=0, mirror_axes=(), intensity=0, colour=0
)


def section(**changes: Any) -> AugmentationSection:
    return OFF.model_copy(update=changes)


def cut(
    image: np.ndarray, labels: np.ndarray | None, warp: Warp, centre: list[float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    shape = image.shape[1:]
    return cut_patch(
        image.astype(np.float32),
        np.zeros(shape, np.uint8) if labels is None else labels,
        warp,
        centre or [(n - 1) / 2 for n in shape],
        corner=(0,) * len(shape),
        shape=shape,
    )


@pytest.mark.parametrize(
    ("shape", "patch", "start"),
    [((9, 12), (4, 5), (2, 6)), ((9, 12), (9, 12), (0, 0)), ((5, 6, 7), (2, 3, 4), (1, 2, 3))],
)
def test_the_identity_cuts_out(
    shape: tuple[int, ...], patch: tuple[int, ...], start: tuple[int, ...]
) -> None:
    random = np.random.default_rng(0)
    image = random.normal(size=(2, *shape)).astype(np.float32)
    labels = random.integers(0, 5, shape).astype(np.uint8)
    centre = [s + (p - 1) / 2 for s, p in zip(start, patch, strict=True)]
    inside = tuple(slice(s, s + p) for s, p in zip(start, patch, strict=True))
    for warp in (identity_warp(patch), draw_warp(patch, OFF, np.random.default_rng(1))):
        found, picked = cut(image, labels, warp, centre)
        np.testing.assert_array_equal(found, image[(slice(None), *inside)])
        np.testing.assert_array_equal(picked, labels[inside])


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
def test_mirroring_flips(axes: tuple[int, ...]) -> None:
    """Of the 2^k mirror images each comes up in 60 draws, and nothing else does."""
    image = np.arange(20, dtype=np.float32).reshape(1, 4, 5)
    seen = set()
    for seed in range(60):
        warp = draw_warp((4, 5), section(mirror_axes=axes), np.random.default_rng(seed))
        found, _ = cut(image, None, warp)
        matches = [
            flipped
            for flipped in ((), (1,), (2,), (1, 2))
            if np.array_equal(found, np.flip(image, flipped))
        ]
        assert len(matches) == 1
        seen.add(matches[0])
    expected = {(): True, (1,): 0 in axes, (2,): 1 in axes, (1, 2): axes == (0, 1)}
    assert seen == {flipped for flipped, is_possible in expected.items() if is_possible}


@pytest.mark.parametrize("spacing", [None, (1.0, 1.0, 1.0), (5.0, 1.0, 2.0)])
def test_a_rotation_keeps_physical_distances(spacing: tuple[float, ...] | None) -> None:
    """Whatever the voxels measure: M' G M = G with G = diag(spacing^2), and det M = 1."""
    warp = draw_warp((9, 9, 9), section(rotation=180.0), np.random.default_rng(3), spacing)
    metric = np.diag(np.square(spacing or (1.0, 1.0, 1.0)))
    matrix = warp.matrix.astype(float)
    np.testing.assert_allclose(matrix.T @ metric @ matrix, metric, atol=1e-5 * metric.max())
    assert np.linalg.det(matrix) == pytest.approx(1, abs=1e-5)
    assert not np.allclose(matrix, np.eye(3), atol=0.1)
    off_diagonal = np.abs(matrix - np.diag(np.diag(matrix))).max(axis=1)
    assert (off_diagonal > 0.01).all(), "it turns about all axes"


def test_a_still_axis_is_only_mirrored() -> None:
    everything = section(
        rotation=180, scaling=0.3, shear=0.2, elastic=3.0, mirror_axes=(0, 1, 2), still_axis=0
    )
    mirrored, turned = 0, 0
    for seed in range(20):
        warp = draw_warp((5, 16, 16), everything, np.random.default_rng(seed), (4.0, 1.0, 1.0))
        assert np.abs(warp.matrix[0]).tolist() == [1, 0, 0]
        assert np.abs(warp.matrix[:, 0]).tolist() == [1, 0, 0]
        mirrored += warp.matrix[0, 0] < 0
        turned += abs(warp.matrix[1, 2]) > 0.05
        if warp.shift is not None:
            assert not warp.shift[0].any()
            assert warp.shift[1:].any()
    assert 4 <= mirrored <= 16
    assert turned >= 8


def test_scaling_stays_within_its_share() -> None:
    """1/1.25 to 1.25 of the distances, in about half of the draws."""
    factors = []
    for seed in range(200):
        warp = draw_warp((5, 5), section(scaling=0.25), np.random.default_rng(seed))
        factors.append(float(warp.matrix[1, 1]))
    changed = [factor for factor in factors if factor != 1.0]
    assert all(0.8 - 1e-6 <= factor <= 1.25 + 1e-6 for factor in changed)
    assert 70 < len(changed) < 130
    assert min(changed) < 0.85
    assert max(changed) > 1.18


@pytest.mark.parametrize(
    ("patch", "spacing"), [((130, 70), None), ((24, 40, 32), None), ((12, 40, 32), (4.0, 1.0, 1.0))]
)
def test_elastic_deformation_is_smooth_and_of_its_strength(
    patch: tuple[int, ...], spacing: tuple[float, ...] | None
) -> None:
    """Vectors of at most 8 fine pixels' deviation on a coarse grid: neighbours stay neighbours."""
    moved = 0.0
    for seed in range(8):
        warp = draw_warp(patch, section(elastic=8.0), np.random.default_rng(seed), spacing)
        if warp.shift is None:
            continue
        steps = np.reshape(spacing or (1.0,) * len(patch), (-1, *[1] * len(patch)))
        shift = warp.shift * steps
        moved = max(moved, float(np.abs(shift).max()))
        for axis in range(len(patch)):
            step = float(steps.reshape(-1)[axis])
            assert np.abs(np.diff(shift, axis=axis + 1)).max() < 4.0 * step
    assert 2.0 < moved < 60.0


def test_spreading_keeps_linear_fields() -> None:
    """A plane given at 4 x 3 points is the same plane at 10 x 7 points, corners included."""
    rows, columns = np.meshgrid(np.linspace(0, 1, 4), np.linspace(0, 1, 3), indexing="ij")
    fine = np.meshgrid(np.linspace(0, 1, 10), np.linspace(0, 1, 7), indexing="ij")
    found = spread_smoothly((2 + 3 * rows - columns)[None], (10, 7))
    np.testing.assert_allclose(found[0], 2 + 3 * fine[0] - fine[1], atol=1e-6)
    assert spread_smoothly(np.full((1, 1, 1), 5.0), (3, 2)).tolist() == [[[5, 5]] * 3]


@pytest.mark.parametrize("shape", [(64, 64), (20, 32, 32)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_image_and_labels_move_together(shape: tuple[int, ...], seed: int) -> None:
    """The image of a ball, thresholded after the warp, is the warp of its labels."""
    axes = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in shape), indexing="ij")
    centre = [0.4 * n for n in shape]
    distance = np.sqrt(sum((a - c) ** 2 for a, c in zip(axes, centre, strict=True)))
    radius = 0.3 * min(shape)
    labels = (distance < radius).astype(np.uint8)
    everything = section(
        rotation=180.0, scaling=0.25, shear=0.1, elastic=2.0, mirror_axes=tuple(range(len(shape)))
    )
    warp = draw_warp(shape, everything, np.random.default_rng(seed))
    grey, picked = cut((radius - distance)[None], labels, warp)
    clear = np.abs(grey[0]) > 0.9
    assert int((picked > 0).sum()) > 50
    np.testing.assert_array_equal((grey[0] > 0)[clear], (picked > 0)[clear])


def test_blur_is_as_wide_along_every_axis_in_millimetres() -> None:
    """A point in slices five times as thick as the pixels stays within its slice."""
    image = torch.zeros(1, 9, 31, 31)
    image[0, 4, 15, 15] = 1
    thick, cubes = _blur(image, 1.0, (5.0, 1.0, 1.0)), _blur(image, 1.0, None)
    assert not thick[0, [3, 5]].any()
    assert float(cubes[0, 5, 15, 15]) == pytest.approx(float(cubes[0, 4, 15, 16]))
    assert float(thick.sum()) == pytest.approx(1.0, abs=1e-5)
    weights = np.exp(-0.5 * np.arange(-3, 4) ** 2)
    expected = np.outer(weights, weights) / weights.sum() ** 2
    np.testing.assert_allclose(thick[0, 4, 12:19, 12:19], expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 8, 9), (1, 4, 5, 6)])
def test_intensities_stay_when_turned_off(shape: tuple[int, ...]) -> None:
    image = torch.randn(shape)
    for seed in range(20):
        assert torch.equal(change_intensity(image, OFF, np.random.default_rng(seed)), image)


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 8, 8, 8), (2, 1, 1), (1, 1, 40)])
def test_changed_intensities_are_finite_and_repeatable(shape: tuple[int, ...]) -> None:
    image = torch.randn(shape)
    strong = section(intensity=1.0, colour=1.0)
    changed = 0
    for seed in range(60):
        found = change_intensity(image, strong, np.random.default_rng(seed))
        again = change_intensity(image, strong, np.random.default_rng(seed))
        assert found.dtype == torch.float32
        assert found.shape == image.shape
        assert torch.isfinite(found).all()
        assert torch.equal(found, again)
        changed += not torch.equal(found, image)
    assert changed > 40


def test_colour_shifts_channels_apart() -> None:
    image = torch.zeros(3, 4, 4)
    spreads = [
        float(change_intensity(image, section(colour=1.0), np.random.default_rng(s)).std(0).max())
        for s in range(20)
    ]
    assert sum(spread > 0.01 for spread in spreads) >= 5
    grey = change_intensity(image[:1], section(colour=1.0), np.random.default_rng(0))
    assert torch.equal(grey, image[:1])
