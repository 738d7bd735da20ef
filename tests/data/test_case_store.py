"""Training cases: what is kept, what is read by region, what is held out, on which grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixelwise.core.case import IGNORE, Case, LabelMeaning
from pixelwise.core.errors import BadData
from pixelwise.core.plan import GeometrySection, IntensitySection
from pixelwise.data.case_store import (
    CaseOnDisk,
    CaseReader,
    CaseStore,
    DecodedCase,
    held_out_region,
    read_training_labels,
)

from .folders import save

AS_STORED = IntensitySection(
    scheme="data set", centre=(0.0,), scale=(1.0,), low=(0.0,), high=(255.0,)
)
MEANING = LabelMeaning("values", {"0": 0, "1": 1, "2": 2, "9": IGNORE}, "as they are")


def place(shape: tuple[int, ...]) -> np.ndarray:
    return (np.arange(np.prod(shape)) % 256).astype(np.uint8).reshape(shape)


def make_case(folder: Path, name: str, labels: np.ndarray) -> Case:
    image = save(folder / f"image-{name}.png", place(labels.shape))
    return Case(name, image, save(folder / f"label-{name}.png", labels), split="train")


def reader(**changes: Any) -> CaseReader:
    return CaseReader(MEANING, AS_STORED, 1, 3, **changes)


@pytest.mark.parametrize(
    ("shape", "share", "expected"),
    [
        ((10, 8), 0.25, (slice(8, 10), slice(0, 8))),
        ((8, 12), 0.25, (slice(0, 8), slice(9, 12))),
        ((4, 5, 3), 0.2, (slice(0, 4), slice(4, 5), slice(0, 3))),
        ((1, 1), 0.25, (slice(0, 1), slice(0, 1))),
    ],
)
def test_the_end_of_the_longest_axis_is_held_out(
    shape: tuple[int, ...], share: float, expected: tuple[slice, ...]
) -> None:
    assert held_out_region(shape, share) == expected


def test_the_cache_keeps_within_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for two cases of three: the one unused for longest goes, and is decoded again."""
    cases = [make_case(tmp_path, name, place((20, 20)) % 3) for name in "abc"]
    # 400 bytes of image, 400 of labels, 400 positions of 8 bytes
    store = CaseStore(cases, reader(), cache_bytes=2 * 4000)
    decoded: list[str] = []
    read = CaseReader.read

    def note(self: CaseReader, case: Case, most_bytes: int) -> Any:
        decoded.append(case.id)
        return read(self, case, most_bytes)

    monkeypatch.setattr(CaseReader, "read", note)
    for index in (0, 1, 0, 2, 0, 1):
        store.get(index)
    assert decoded == ["a", "b", "c", "b"]


@pytest.mark.parametrize("cache_bytes", [799, 399])
def test_what_is_too_large_is_read_by_region(tmp_path: Path, cache_bytes: int) -> None:
    """400 bytes of image and 400 of labels: below 800 the image, below 400 both stay on disk."""
    labels = place((20, 20)) % 3
    case = make_case(tmp_path, "a", labels)
    store = CaseStore([case], reader(hold_out=0.25), cache_bytes=cache_bytes)
    found = store.get(0)
    assert isinstance(found, CaseOnDisk)
    assert (found.classes is None) == (cache_bytes < 400)
    kept = CaseStore([case], reader(hold_out=0.25)).get(0)
    assert isinstance(kept, DecodedCase)
    assert found.shape == kept.shape == (20, 20)
    region = (slice(3, 18), slice(2, 9))
    np.testing.assert_array_equal(found.image(region), place((20, 20))[None, 3:18, 2:9])
    expected = np.where(np.arange(20)[:, None] >= 15, IGNORE, labels)[region]
    np.testing.assert_array_equal(found.labels(region), expected)
    np.testing.assert_array_equal(kept.labels(region), expected)
    assert store.get(0) is found
    for class_id in range(3):
        np.testing.assert_array_equal(found.positions[class_id], kept.positions[class_id])


def test_positions_are_those_of_the_class_and_bounded(tmp_path: Path) -> None:
    labels = place((200, 90)) % 3
    case = make_case(tmp_path, "a", labels)
    for cache_bytes in (1 << 20, 100):
        positions = CaseStore([case], reader(), cache_bytes=cache_bytes).get(0).positions
        for class_id, index in positions.items():
            assert len(np.unique(index)) == len(index) == 4096
            assert (labels.reshape(-1)[index] == class_id).all()
            assert index.min() < 200
            assert index.max() > 17_800


@pytest.mark.parametrize("cache_bytes", [1 << 20, 0])
def test_cases_come_on_the_grid_of_the_plan(tmp_path: Path, cache_bytes: int) -> None:
    """Pixels of 1 become pixels of 2: means of 2 x 2, the label that has most of them."""
    labels = np.zeros((8, 12), np.uint8)
    labels[2:6, 4:9] = 1
    case = make_case(tmp_path, "a", labels)
    geometry = GeometrySection(spacing=(2.0, 2.0))
    store = CaseStore(
        [case], reader(geometry=geometry, spacing=(1.0, 1.0), unit="mm"), cache_bytes=cache_bytes
    )
    found = store.get(0)
    assert found.shape == (4, 6)
    whole = (slice(0, 4), slice(0, 6))
    means = place((8, 12)).astype(float).reshape(4, 2, 6, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(found.image(whole)[0], means, atol=1e-4)
    expected = np.zeros((4, 6), np.uint8)
    expected[1:3, 2:4] = 1  # column 4 is half of each: the lower label
    np.testing.assert_array_equal(found.labels(whole), expected)
    part = (slice(1, 4), slice(2, 5))
    np.testing.assert_allclose(found.image(part)[0], means[part], atol=1e-4)
    np.testing.assert_array_equal(found.labels(part), expected[part])


def test_a_case_without_a_mask_is_named(tmp_path: Path) -> None:
    image = save(tmp_path / "lonely.png", place((4, 4)))
    with pytest.raises(BadData, match=r"lonely\.png: it has no mask"):
        read_training_labels(Case("lonely", image), MEANING)
