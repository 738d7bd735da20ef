"""Patches: what they hold, where they come from, and that each depends on its number alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pixelwise.core.case import IGNORE, Case, LabelMeaning
from pixelwise.core.plan import (
    AugmentationSection,
    GeometrySection,
    IntensitySection,
    SamplingSection,
)
from pixelwise.data.case_store import CaseReader, CaseStore, DecodedCase, read_training_labels
from pixelwise.data.intensity import IntensityScale
from pixelwise.data.patches import PatchSampler

from .folders import save

OFF = AugmentationSection(
    rotation=0, scaling=0, shear=0, elastic=0, mirror_axes=(), intensity=0, colour=0
)
ALL = AugmentationSection(
    rotation=180, scaling=0.25, shear=0.1, elastic=2, mirror_axes=(0, 1), intensity=1, colour=1
)
AS_STORED = IntensitySection(
    scheme="data set", centre=(0.0,), scale=(1.0,), low=(0.0,), high=(255.0,)
)
MEANING = LabelMeaning("values", {"0": 0, "1": 1, "2": 2, "9": IGNORE}, "as they are")


def place(shape: tuple[int, ...]) -> np.ndarray:
    """Every pixel holds its own number, so that a patch tells where it was cut."""
    return (np.arange(np.prod(shape)) % 256).astype(np.uint8).reshape(shape)


def make_case(folder: Path, name: str, labels: np.ndarray, fov: np.ndarray | None = None) -> Case:
    image = place(labels.shape)
    paths = [
        save(folder / f"image-{name}.png", image),
        save(folder / f"label-{name}.png", labels),
    ]
    around = None if fov is None else save(folder / f"fov-{name}.png", fov)
    return Case(name, paths[0], paths[1], around, split="train")


def make_sampler(
    cases: list[Case],
    patch: tuple[int, ...],
    *,
    batch: int = 4,
    foreground: float = 0.5,
    augmentation: AugmentationSection = OFF,
    seed: int = 0,
    cache_bytes: int = 1 << 30,
    **options: Any,
) -> PatchSampler:
    store = CaseStore(
        cases, CaseReader(MEANING, AS_STORED, 1, 3, **options), cache_bytes=cache_bytes
    )
    counts = np.array(
        [
            [int((read_training_labels(case, MEANING) == k).sum()) for k in range(3)]
            for case in cases
        ]
    )
    sampling = SamplingSection(patch=patch, batch=batch, foreground_share=foreground)
    return PatchSampler(store, sampling, augmentation, class_pixels=counts, seed=seed)


class Volume:
    """A store of one case of three dimensions, in memory."""

    def __init__(self, labels: np.ndarray) -> None:
        none = np.array([np.inf], np.float32)
        scale = IntensityScale(-none, none, np.zeros(1, np.float32), np.ones(1, np.float32))
        positions = {k: np.flatnonzero(labels == k) for k in range(3)}
        self.decoded = DecodedCase(place(labels.shape)[None], labels, scale, positions)

    def get(self, index: int) -> DecodedCase:
        return self.decoded


@pytest.mark.parametrize(("shape", "patch"), [((9, 11), (4, 5)), ((4, 5, 6), (2, 3, 4))])
def test_without_augmentation_a_patch_is_a_crop(
    tmp_path: Path, shape: tuple[int, ...], patch: tuple[int, ...]
) -> None:
    labels = (place(shape) % 3).astype(np.uint8)
    if len(shape) == 2:
        sampler = make_sampler([make_case(tmp_path, "a", labels)], patch, batch=6)
    else:
        sampling = SamplingSection(patch=patch, batch=6, foreground_share=0.5)
        counts = np.array([[40, 40, 40]])
        sampler = PatchSampler(
            Volume(labels),  # type: ignore[arg-type]  # all that is asked of a store
            sampling, OFF, class_pixels=counts, seed=0,
        )  # fmt: skip
    crops, images = (
        np.lib.stride_tricks.sliding_window_view(values, patch).reshape(-1, *patch)
        for values in (labels, place(shape))
    )
    for step in range(3):
        batch = sampler.draw(step)
        assert batch.images.shape == (6, 1, *patch)
        assert (batch.images.dtype, batch.target.dtype) == (torch.float32, torch.int64)
        assert batch.valid.all()
        for image, target in zip(batch.images[:, 0].numpy(), batch.target.numpy(), strict=True):
            same = (crops == target).reshape(len(crops), -1).all(axis=1)
            assert (images[same] == image).reshape(int(same.sum()), -1).all(axis=1).any()


def test_an_image_below_the_patch_is_reflected(tmp_path: Path) -> None:
    labels = place((3, 4)) % 3
    sampler = make_sampler([make_case(tmp_path, "a", labels)], (7, 8), batch=1)
    batch = sampler.draw(0)
    np.testing.assert_array_equal(batch.target[0], np.pad(labels, 2, mode="reflect"))
    expected = np.pad(place((3, 4)).astype(float), 2, mode="reflect")
    np.testing.assert_allclose(batch.images[0, 0], expected, atol=1e-4)


def test_an_image_of_one_pixel(tmp_path: Path) -> None:
    sampler = make_sampler(
        [make_case(tmp_path, "a", np.array([[2]], np.uint8))], (4, 4), augmentation=ALL
    )
    batch = sampler.draw(0)
    assert (batch.target == 2).all()
    assert torch.isfinite(batch.images).all()


def test_a_patch_depends_on_seed_step_and_slot_alone(tmp_path: Path) -> None:
    cases = [make_case(tmp_path, name, place((12, 13)) % 3) for name in "ab"]
    first = make_sampler(cases, (6, 6), augmentation=ALL)
    second = make_sampler(cases, (6, 6), augmentation=ALL, cache_bytes=0)
    wider = make_sampler(cases, (6, 6), augmentation=ALL, batch=6)
    other = make_sampler(cases, (6, 6), augmentation=ALL, seed=1)
    batches = [first.draw(step) for step in range(4)]
    for step in (3, 0, 2, 1):
        again = second.draw(step)
        assert torch.equal(again.images, batches[step].images)
        assert torch.equal(again.target, batches[step].target)
    assert torch.equal(wider.draw(2).images[:4], batches[2].images)
    assert not torch.equal(batches[0].images, batches[1].images)
    assert not torch.equal(other.draw(0).images, batches[0].images)


def test_rare_classes_are_found(tmp_path: Path) -> None:
    """Class 2 is one pixel of 3 x 6400, class 1 three: each is aimed at by half of the patches.

    A patch of 9 whose centre lies within 3 pixels of the target holds it; drawn anywhere, 81 of
    19 200 would.
    """
    masks = [np.zeros((80, 80), np.uint8) for _ in range(3)]
    masks[1][40, 40] = 2
    masks[2][10, 10:13] = 1
    cases = [make_case(tmp_path, str(i), mask) for i, mask in enumerate(masks)]
    batch = make_sampler(cases, (9, 9), batch=60, foreground=1.0).draw(0)
    has = [(batch.target == k).flatten(1).any(1).sum().item() for k in (1, 2)]
    assert sum(has) == 60
    assert min(has) >= 15
    anywhere = make_sampler(cases, (9, 9), batch=60, foreground=0.0).draw(0)
    assert (anywhere.target > 0).flatten(1).any(1).sum().item() <= 6


def test_void_and_what_lies_outside_the_view_is_not_valid(tmp_path: Path) -> None:
    labels = np.full((4, 6), 1, np.uint8)
    labels[0, 0] = 9
    fov = np.ones((4, 6), np.uint8)
    fov[:, 5] = 0
    batch = make_sampler([make_case(tmp_path, "a", labels, fov)], (4, 6), batch=1).draw(0)
    expected = (fov > 0) & (labels != 9)
    np.testing.assert_array_equal(batch.valid[0], expected)
    assert int(batch.target.max()) <= 2, "void must not reach the loss as a class"


def test_what_is_held_out_is_never_learned(tmp_path: Path) -> None:
    """Class 2 lies only in the held-out quarter: it is never seen, though it is aimed at."""
    labels = np.zeros((8, 16), np.uint8)
    labels[:, 12:] = 2
    cases = [make_case(tmp_path, "a", labels)]
    sampler = make_sampler(cases, (8, 16), batch=8, foreground=1.0, hold_out=0.25)
    batch = sampler.draw(0)
    assert not ((batch.target == 2) & batch.valid).any()
    assert batch.valid.float().mean() == pytest.approx(0.75)


@pytest.mark.parametrize(("axis", "neighbours"), [(0, 0), (0, 1), (1, 2), (2, 1)])
def test_slices_of_a_volume(axis: int, neighbours: int) -> None:
    """Channels are the slices around the one whose labels are learned; ends are mirrored."""
    shape = (6, 7, 8)
    labels = (np.arange(np.prod(shape)).reshape(shape) % 3).astype(np.uint8)
    volume = Volume(labels)
    volume.decoded.pixels = np.arange(np.prod(shape), dtype=np.float32).reshape(1, *shape)
    plane = tuple(np.delete(shape, axis))
    sampler = PatchSampler(
        volume,
        SamplingSection(patch=plane, batch=16, foreground_share=0.5),
        OFF,
        class_pixels=np.array([[112, 112, 112]]),
        seed=0,
        geometry=GeometrySection(slice_axis=axis, neighbours=neighbours),
    )
    batch = sampler.draw(0)
    assert batch.images.shape == (16, 1 + 2 * neighbours, *plane)
    seen = set()
    for image, target in zip(batch.images.numpy(), batch.target.numpy(), strict=True):
        middle = [
            i
            for i in range(shape[axis])
            if np.array_equal(np.take(volume.decoded.pixels[0], i, axis), image[neighbours])
        ]
        assert len(middle) == 1
        np.testing.assert_array_equal(target, np.take(labels, middle[0], axis))
        seen.add(middle[0])
        for offset in range(-neighbours, neighbours + 1):
            beside = np.pad(np.arange(shape[axis]), neighbours, mode="reflect")
            expected = np.take(
                volume.decoded.pixels[0], beside[middle[0] + neighbours + offset], axis
            )
            np.testing.assert_array_equal(image[neighbours + offset], expected)
    assert len(seen) >= 4
