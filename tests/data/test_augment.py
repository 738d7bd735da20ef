"""The spatial transform moves image and labels alike; intensities change as described."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelwise.core.plan import AugmentationSection
from pixelwise.data.augment import (
    change_intensity,
    draw_warp,
    fold,
    identity_warp,
    sample_image,
    sample_labels,
)

OFF = AugmentationSection(
    rotation=0, scaling=0, shear=0, elastic=0, mirror_axes=(), intensity=0, colour=0
)


def section(**changes: Any) -> AugmentationSection:
    return OFF.model_copy(update=changes)


def folded(offsets: torch.Tensor, centre: list[float], shape: tuple[int, ...]) -> torch.Tensor:
    return torch.stack(
        [fold(axis + c, n) for axis, c, n in zip(offsets, centre, shape, strict=True)]
    )


@given(length=st.integers(2, 9), reach=st.integers(0, 20))
@settings(max_examples=30, deadline=None)
def test_folding_is_reflecting(length: int, reach: int) -> None:
    line = np.arange(length, dtype=np.float32)
    expected = np.pad(line, reach, mode="reflect")
    positions = torch.arange(-reach, length + reach, dtype=torch.float32)
    np.testing.assert_array_equal(fold(positions, length).numpy(), expected)


def test_folding_between_pixels_and_on_one_pixel() -> None:
    given_at = torch.tensor([-0.25, 2.25, 4.5])
    torch.testing.assert_close(fold(given_at, 3), torch.tensor([0.25, 1.75, 0.5]))
    assert fold(given_at, 1).tolist() == [0, 0, 0]


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
        positions = folded(warp.offsets, centre, shape)
        found = sample_image(torch.from_numpy(image), positions)
        np.testing.assert_allclose(found.numpy(), image[(slice(None), *inside)], atol=2e-5)
        picked = sample_labels(torch.from_numpy(labels), positions)
        np.testing.assert_array_equal(picked.numpy(), labels[inside])


def test_a_patch_over_the_border_is_reflected() -> None:
    image = np.arange(30, dtype=np.float32).reshape(5, 6)
    expected = np.pad(image, 2, mode="reflect")
    positions = folded(identity_warp((9, 10)).offsets, [2.0, 2.5], (5, 6))
    found = sample_image(torch.from_numpy(image[None]), positions)[0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
def test_mirroring_flips(axes: tuple[int, ...]) -> None:
    """Of the 2^k mirror images each comes up in 60 draws, and nothing else does."""
    image = torch.arange(20, dtype=torch.float32).reshape(1, 4, 5)
    seen = set()
    for seed in range(60):
        warp = draw_warp((4, 5), section(mirror_axes=axes), np.random.default_rng(seed))
        found = sample_image(image, folded(warp.offsets, [1.5, 2.0], (4, 5)))
        matches = [
            flipped
            for flipped in ((), (1,), (2,), (1, 2))
            if torch.allclose(found, image.flip(flipped), atol=1e-4)
        ]
        assert len(matches) == 1
        seen.add(matches[0])
    expected = {(): True, (1,): 0 in axes, (2,): 1 in axes, (1, 2): axes == (0, 1)}
    assert seen == {flipped for flipped, is_possible in expected.items() if is_possible}


def test_a_rotation_keeps_distances() -> None:
    warp = draw_warp((9, 9), section(rotation=180.0), np.random.default_rng(3))
    squared = warp.offsets.pow(2).sum(0)
    torch.testing.assert_close(squared, identity_warp((9, 9)).offsets.pow(2).sum(0))
    assert not torch.allclose(warp.offsets, identity_warp((9, 9)).offsets)


def test_scaling_stays_within_its_share() -> None:
    """1/1.25 to 1.25 of the distances, in about half of the draws."""
    factors = []
    for seed in range(200):
        warp = draw_warp((5, 5), section(scaling=0.25), np.random.default_rng(seed))
        factors.append(float(warp.offsets[0, -1, 0] / 2.0))
    changed = [factor for factor in factors if factor != 1.0]
    assert all(0.8 - 1e-6 <= factor <= 1.25 + 1e-6 for factor in changed)
    assert 70 < len(changed) < 130
    assert min(changed) < 0.85
    assert max(changed) > 1.18


@pytest.mark.parametrize("patch", [(130, 70), (24, 40, 32)])
def test_elastic_deformation_is_smooth_and_of_its_strength(patch: tuple[int, ...]) -> None:
    """Vectors of at most 8 pixels' deviation on a coarse grid: neighbours stay neighbours."""
    moved = 0.0
    for seed in range(8):
        warp = draw_warp(patch, section(elastic=8.0), np.random.default_rng(seed))
        shift = warp.offsets - identity_warp(patch).offsets
        moved = max(moved, float(shift.abs().max()))
        for axis in range(1, shift.ndim):
            assert float(shift.diff(dim=axis).abs().max()) < 4.0
    assert 2.0 < moved < 60.0


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
    positions = folded(warp.offsets, [(n - 1) / 2 for n in shape], shape)
    grey = sample_image(torch.from_numpy((radius - distance)[None]), positions)[0]
    picked = sample_labels(torch.from_numpy(labels), positions)
    clear = grey.abs() > 0.9
    assert int((picked > 0).sum()) > 50
    assert torch.equal((grey > 0)[clear], (picked > 0)[clear])


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
