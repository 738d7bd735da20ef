"""Folders with regions are understood, checked and read: both forms, and what is wrong in them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pixelwise.data.cases import find_cases
from pixelwise.data.facts import gather_facts
from pixelwise.data.labels import read_labels
from tests.data.folders import make_set, save

SHAPE = (16, 20)
NAMES = ("a", "b", "c", "d")


def draw(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Two squares that cross; where depends on the name."""
    shift = NAMES.index(name)
    first, second = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    first[2:8, 2 + shift : 10 + shift] = 1
    second[5:12, 6 + shift : 14 + shift] = 1
    return first, second


def make_folders(root: Path, value: int = 1, description: object = None) -> Path:
    for name in NAMES:
        random = np.random.default_rng(NAMES.index(name))
        save(root / "images" / f"{name}.png", random.integers(0, 255, SHAPE).astype(np.uint8))
        for region, mask in zip(("left", "right"), draw(name), strict=True):
            save(root / "masks" / region / f"{name}.png", mask * value)
    if description is not None:
        (root / "dataset.json").write_text(json.dumps(description))
    return root


def codes(problems: list[object]) -> list[str]:
    return [p.code for p in problems if p.severity == "error"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", [1, 255])
def test_a_folder_of_masks_for_each_region(tmp_path: Path, value: int) -> None:
    dataset, problems = find_cases(make_folders(tmp_path, value))
    assert dataset is not None and codes(problems) == []
    assert [c.name for c in dataset.classes] == ["left", "right"]
    assert len({c.colour for c in dataset.classes} | {"#000000"}) == 3
    assert dataset.meaning.folders == ("left", "right")
    assert "may overlap: left, right" in dataset.meaning.sentence
    case = dataset.cases[1]
    assert case.label == tmp_path / "masks" / "left" / "b.png"
    first, second = draw("b")
    assert np.array_equal(read_labels(case.label, dataset.meaning), first + 2 * second)
    part = read_labels(case.label, dataset.meaning, (slice(3, 9), slice(5, 9)))
    assert np.array_equal(part, (first + 2 * second)[3:9, 5:9])


def test_dataset_json_gives_the_order(tmp_path: Path) -> None:
    make_folders(tmp_path, description={"regions": ["right", "left"]})
    dataset, problems = find_cases(tmp_path)
    assert dataset is not None and codes(problems) == []
    assert [c.name for c in dataset.classes] == ["right", "left"]
    first, second = draw("a")
    label = dataset.cases[0].label
    assert label is not None and label.parent.name == "right"
    assert np.array_equal(read_labels(label, dataset.meaning), second + 2 * first)


def test_a_name_without_a_folder(tmp_path: Path) -> None:
    make_folders(tmp_path, description={"regions": ["left", "rigth"]})
    dataset, problems = find_cases(tmp_path)
    assert dataset is None
    wrong = next(p for p in problems if p.severity == "error")
    assert wrong.code == "region-unknown" and "Did you mean right?" in wrong.remedy


def test_a_missing_mask_is_named(tmp_path: Path) -> None:
    make_folders(tmp_path)
    (tmp_path / "masks" / "right" / "c.png").unlink()
    dataset, problems = find_cases(tmp_path)
    assert dataset is None and codes(problems) == ["region-mask-missing"]
    assert "c.png" in next(p.what for p in problems if p.severity == "error")


def test_facts_count_every_region(tmp_path: Path) -> None:
    dataset, _ = find_cases(make_folders(tmp_path))
    assert dataset is not None
    facts, problems = gather_facts(dataset)
    assert facts is not None and codes(problems) == []
    assert all(case.class_pixels == (48, 56) for case in facts.cases)
    assert all(case.n_counted == 320 for case in facts.cases)
    assert [c.share for c in facts.classes] == pytest.approx([48 / 320, 56 / 320])


def test_masks_of_other_sizes_are_errors(tmp_path: Path) -> None:
    make_folders(tmp_path)
    save(tmp_path / "masks" / "right" / "b.png", np.zeros((16, 19), np.uint8))
    dataset, _ = find_cases(tmp_path)
    assert dataset is not None
    _, problems = gather_facts(dataset)
    assert "mask-size" in codes(problems)
    assert any("right" in p.path for p in problems if p.code == "mask-size")


def make_maps(root: Path, regions: object, extra: int = 0, **description: object) -> Path:
    masks = {}
    for name in NAMES:
        first, second = draw(name)
        masks[name] = first + 2 * second
        masks[name][0, 0] = extra
    return make_set(root, masks, description={"regions": regions, **description})


def test_regions_over_a_label_map(tmp_path: Path) -> None:
    make_maps(tmp_path, {"any": [1, 2, 3], "right": [2, 3]})
    dataset, problems = find_cases(tmp_path)
    assert dataset is not None and codes(problems) == []
    assert [c.name for c in dataset.classes] == ["any", "right"]
    assert dataset.meaning.holds_regions and dataset.meaning.n_regions == 2
    first, second = draw("a")
    label = dataset.cases[0].label
    assert label is not None
    either = (first | second) + 2 * second
    assert np.array_equal(read_labels(label, dataset.meaning), either)
    facts, _ = gather_facts(dataset)
    assert facts is not None
    assert facts.cases[0].class_pixels == (int((first | second).sum()), int(second.sum()))


def test_nnunet_writes_regions_into_labels(tmp_path: Path) -> None:
    masks = {name: draw(name)[0] + 2 * draw(name)[1] for name in NAMES}
    labels = {"background": 0, "any": [1, 2, 3], "right": [2, 3]}
    make_set(tmp_path, masks, description={"labels": labels, "regions_class_order": [1, 2]})
    dataset, problems = find_cases(tmp_path)
    assert dataset is not None and codes(problems) == []
    assert [c.name for c in dataset.classes] == ["any", "right"]


def test_a_value_in_no_region(tmp_path: Path) -> None:
    make_maps(tmp_path, {"any": [1, 2, 3], "right": [2, 3]}, extra=7)
    dataset, problems = find_cases(tmp_path)
    assert dataset is None and codes(problems) == ["region-uncovered"]
    assert "7 (4 px)" in problems[-1].what or any("7 (4 px)" in p.what for p in problems)


def test_void_in_a_label_map_of_regions(tmp_path: Path) -> None:
    make_maps(tmp_path, {"any": [1, 2, 3], "right": [2, 3]}, extra=255, ignore_index=255)
    dataset, problems = find_cases(tmp_path)
    assert dataset is not None and codes(problems) == []
    label = dataset.cases[0].label
    assert label is not None and read_labels(label, dataset.meaning)[0, 0] == 255


def test_a_single_region_is_a_plain_class(tmp_path: Path) -> None:
    make_maps(tmp_path, {"any": [1, 2, 3]})
    dataset, problems = find_cases(tmp_path)
    assert dataset is not None and codes(problems) == []
    assert [c.name for c in dataset.classes] == ["background", "any"]
    assert not dataset.meaning.holds_regions


def test_eight_regions(tmp_path: Path) -> None:
    make_maps(tmp_path, {str(i): [i] for i in range(1, 9)})
    dataset, problems = find_cases(tmp_path)
    assert dataset is None or codes(problems)
    assert "too-many-regions" in codes(problems)
