"""Maps of objects beside the labels: gaps in numbers, objects parted, warped with the image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pixelwise.arrays.border_weights import border_weights
from pixelwise.arrays.object_guides import contact_map, depth_map
from pixelwise.core.case import Case, LabelMeaning
from pixelwise.core.errors import BadData
from pixelwise.core.image import whole_region
from pixelwise.core.plan import AugmentationSection, IntensitySection, SamplingSection
from pixelwise.data.case_store import CaseReader, CaseStore
from pixelwise.data.geometry import Regrid
from pixelwise.data.guides import Guides, object_numbers
from pixelwise.data.patches import Batch, PatchSampler

from .folders import save

OFF = AugmentationSection(
    rotation=0, scaling=0, shear=0, elastic=0, mirror_axes=(), intensity=0, colour=0
)
INTENSITY = IntensitySection(
    scheme="data set", centre=(0.0,), scale=(1.0,), low=(0.0,), high=(255.0,)
)
MEANING = LabelMeaning("values", {"0": 0, "1": 1}, "as they are")
ALL = Guides(border_peak=10.0, border_sigma=5.0, contact_sigma=3.0)


def touching() -> np.ndarray:
    """Two squares side by side, numbered 7 and 40000, and a third one apart."""
    numbers = np.zeros((24, 32), np.uint16)
    numbers[4:14, 4:12] = 7
    numbers[4:14, 12:20] = 40000
    numbers[17:22, 24:30] = 9
    return numbers


def make_case(folder: Path, numbers: np.ndarray, name: str = "a") -> Case:
    image = save(folder / f"image-{name}.png", (numbers % 251).astype(np.uint8))
    label = save(folder / f"label-{name}.png", (numbers > 0).astype(np.uint8))
    objects = save(folder / f"numbers-{name}.png", numbers)
    return Case(name, image, label, split="train", objects=objects)


def draw(case: Case, guides: Guides, augmentation: AugmentationSection = OFF) -> Batch:
    reader = CaseReader(MEANING, INTENSITY, 1, 2, guides=guides)
    sampling = SamplingSection(patch=(24, 32), batch=3, foreground_share=0.0)
    sampler = PatchSampler(
        CaseStore([case], reader),
        sampling,
        augmentation,
        class_pixels=np.array([[700, 68]]),
        seed=0,
    )
    return sampler.draw(0)


def test_a_whole_case_by_its_parts(tmp_path: Path) -> None:
    """Weights see the objects parted by background; depth and contact see them whole."""
    numbers = touching()
    batch = draw(make_case(tmp_path, numbers), ALL)
    parted = numbers.copy()
    parted[4:14, 11:13] = 0
    assert batch.maps is not None
    assert batch.maps.shape == (3, 3, 24, 32)
    assert torch.equal(batch.target[0], torch.from_numpy((parted > 0).astype(np.int64)))
    expected = np.stack(
        [
            border_weights(parted, peak=10.0, sigma=5.0),
            depth_map(numbers),
            contact_map(numbers, sigma=3.0),
        ]
    )
    np.testing.assert_allclose(batch.maps[1].numpy(), expected, atol=6e-3)


def test_objects_stay_whole_without_weights(tmp_path: Path) -> None:
    batch = draw(make_case(tmp_path, touching()), Guides(contact_sigma=2.0))
    assert torch.equal(batch.target[0], torch.from_numpy((touching() > 0).astype(np.int64)))
    assert batch.maps is not None
    assert batch.maps.shape[1] == 2


def test_no_maps_unless_wanted(tmp_path: Path) -> None:
    batch = draw(make_case(tmp_path, touching()), Guides())
    assert batch.maps is None
    assert len(batch.planes) == 2


def test_maps_move_with_the_labels(tmp_path: Path) -> None:
    """Mirrored and turned, the deep pixels stay where the objects are."""
    strong = AugmentationSection(
        rotation=180, scaling=0.25, shear=0.1, elastic=1, mirror_axes=(0, 1), intensity=1, colour=0
    )
    batch = draw(make_case(tmp_path, touching()), Guides(contact_sigma=2.0), strong)
    assert batch.maps is not None
    inside = batch.target == 1
    assert float(batch.maps[:, 0][inside].mean()) > 0.3
    # interpolation reaches less than one pixel beyond the rim, where depth is small
    assert float(batch.maps[:, 0][~inside].max()) < 0.35


def test_objects_of_a_case_without_numbers_hang_together(tmp_path: Path) -> None:
    labels = np.array([[1, 1, 0, 2], [0, 0, 0, 2], [1, 0, 0, 255]], np.uint8)
    case = Case("a", tmp_path / "a.png", tmp_path / "b.png")
    found = object_numbers(case, labels, None, whole_region(labels.shape))
    assert found.tolist() == [[1, 1, 0, 3], [0, 0, 0, 3], [2, 0, 0, 0]]


def test_numbers_on_another_grid_are_those_of_the_nearest_pixel(tmp_path: Path) -> None:
    numbers = touching()
    case = make_case(tmp_path, numbers)
    regrid = Regrid((24, 32), (12, 16), ("linear", "linear"))
    labels = np.ones((12, 16), np.uint8)
    found = object_numbers(case, labels, regrid, whole_region((12, 16)))
    table = np.array([0, 7, 9, 40000])
    np.testing.assert_array_equal(table[found], numbers[1::2, 1::2])


def test_a_case_left_on_disk_gives_the_same_maps(tmp_path: Path) -> None:
    case = make_case(tmp_path, touching())
    reader = CaseReader(MEANING, INTENSITY, 1, 2, guides=ALL)
    held, on_disk = reader.read(case, 1 << 30), reader.read(case, 16)
    region = (slice(2, 20), slice(1, 25))
    whole, part = held.maps(region), on_disk.maps(region)
    assert type(held) is not type(on_disk)
    assert whole is not None
    assert part is not None
    np.testing.assert_allclose(part, whole, atol=2e-3)


def test_fractions_are_no_numbers(tmp_path: Path) -> None:
    case = make_case(tmp_path, touching())
    path = tmp_path / "numbers.npy"
    np.save(path, touching().astype(np.float32))
    broken = Case("a", case.image, case.label, objects=path)
    with pytest.raises(BadData, match="float32"):
        object_numbers(broken, np.ones((24, 32), np.uint8), None, whole_region((24, 32)))
