"""Folders of every layout become data sets; what is odd about them is reported."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixelwise.core.case import DataSet
from pixelwise.core.errors import Problem
from pixelwise.data.cases import find_cases
from pixelwise.data.labels import read_labels

from .folders import IMAGE, MASK, make_set, save


def find(root: Path, **options: Any) -> tuple[DataSet, list[Problem]]:
    dataset, problems = find_cases(root, **options)
    assert dataset is not None, problems
    return dataset, problems


def codes(problems: list[Problem]) -> set[str]:
    return {problem.code for problem in problems}


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("images", "masks"), ("Images", "LABELS"), ("imgs", "gt"), ("images", "1st_manual"),
        ("imagesTr", "labelsTr"), ("JPEGImages", "SegmentationClass"), (".", "masks"),
    ],
)  # fmt: skip
def test_two_folders(tmp_path: Path, images: str, masks: str) -> None:
    for name in "abc":
        save(tmp_path / images / f"{name}.png", IMAGE)
        save(tmp_path / masks / f"{name}.png", MASK)
    dataset, problems = find(tmp_path)
    assert [case.id for case in dataset.cases] == ["a", "b", "c"]
    assert not problems
    assert all(case.image.is_absolute() for case in dataset.cases)


def test_images_and_masks_in_one_folder(tmp_path: Path) -> None:
    for name in "abc":
        save(tmp_path / f"{name}.png", IMAGE)
        save(tmp_path / f"{name}_seg.png", MASK)
    dataset, _ = find(tmp_path)
    assert [case.id for case in dataset.cases] == ["a", "b", "c"]
    assert "NAME_seg" in dataset.extras["pairing"]


@pytest.mark.parametrize("pattern", ["{split}/{kind}/{name}.png", "{kind}/{split}/{name}.png"])
def test_split_folders(tmp_path: Path, pattern: str) -> None:
    for split, names in (("train", "abcd"), ("val", "ef"), ("test", "gh")):
        for name in names:
            save(tmp_path / pattern.format(split=split, kind="images", name=name), IMAGE)
            save(tmp_path / pattern.format(split=split, kind="masks", name=name), MASK)
    dataset, _ = find(tmp_path)
    found = {split: [c.id for c in dataset.of_split(split)] for split in ("train", "val", "test")}
    assert found == {"train": list("abcd"), "val": ["e", "f"], "test": ["g", "h"]}
    assert "from the folders" in dataset.split_rule


def test_equal_names_in_two_splits_stay_apart(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for name in ("1", "2", "3"):
            save(tmp_path / split / "images" / f"{name}.png", IMAGE)
            save(tmp_path / split / "masks" / f"{name}.png", MASK)
    dataset, _ = find(tmp_path)
    assert {case.id for case in dataset.of_split("test")} == {"test_1", "test_2", "test_3"}


def test_the_raw_layout_of_nnunet(tmp_path: Path) -> None:
    for name in ("p1", "p2", "p3"):
        save(tmp_path / "imagesTr" / f"{name}_0000.png", IMAGE)
        save(tmp_path / "labelsTr" / f"{name}.png", MASK)
    save(tmp_path / "imagesTs" / "p4_0000.png", IMAGE)
    save(tmp_path / "labelsTs" / "p4.png", MASK)
    (tmp_path / "dataset.json").write_text(
        json.dumps({"labels": {"background": 0, "vessel": 1}, "channel_names": {"0": "grey"}})
    )
    dataset, problems = find(tmp_path)
    assert [c.name for c in dataset.classes] == ["background", "vessel"]
    assert [case.id for case in dataset.of_split("test")] == ["p4"]
    assert dataset.channel_names == ("grey",)
    assert len(dataset.of_split("val")) == 1
    assert all(problem.severity != "error" for problem in problems)


def test_coco_annotations(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", IMAGE)
    save(tmp_path / "images" / "b.png", IMAGE)
    square = [2, 2, 5, 2, 5, 5, 2, 5]
    content = {
        "images": [
            {"id": 1, "file_name": "a.png", "width": 8, "height": 8},
            {"id": 2, "file_name": "b.png", "width": 8, "height": 8},
        ],
        "categories": [{"id": 3, "name": "cell"}],
        "annotations": [{"image_id": 1, "category_id": 3, "segmentation": [square]}],
    }
    folder = tmp_path / "annotations"
    folder.mkdir()
    (folder / "instances.json").write_text(json.dumps(content))
    dataset, _ = find(tmp_path)
    assert [c.name for c in dataset.classes] == ["background", "cell"]
    first, second = dataset.cases
    assert first.label is not None
    assert second.label is not None
    assert np.array_equal(read_labels(first.label, dataset.meaning), MASK)
    assert not read_labels(second.label, dataset.meaning).any()


def test_labelme_annotations_beside_the_images(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / f"{name}.png", IMAGE)
        shape = {"label": "cell", "points": [[2, 2], [5, 2], [5, 5], [2, 5]]}
        content = {"imageHeight": 8, "imageWidth": 8, "shapes": [shape]}
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    dataset, _ = find(tmp_path)
    assert len(dataset.cases) == 2
    assert dataset.cases[0].label is not None
    assert np.array_equal(read_labels(dataset.cases[0].label, dataset.meaning), MASK)


def test_field_of_view_and_further_annotators(tmp_path: Path) -> None:
    root = make_set(tmp_path)
    for name in "ab":
        save(root / "fov" / f"{name}.png", MASK * 255)
    save(root / "masks_annotator2" / "a.png", MASK)
    save(root / "instances" / "a.png", MASK.astype(np.uint16))
    dataset, problems = find(root)
    assert [case.fov is not None for case in dataset.cases] == [True, True, False]
    assert {"masks_annotator2", "instances"} <= set(dataset.extras)
    assert codes(problems) == {"no-fov", "objects-missing"}, "b and c have no objects"


def test_splits_json_rules(tmp_path: Path) -> None:
    splits = {"train": ["a"], "val": ["b"], "test": ["c"]}
    dataset, _ = find(make_set(tmp_path, splits=splits))
    assert [case.split for case in dataset.cases] == ["train", "val", "test"]
    assert "splits.json" in dataset.split_rule


def test_groups_that_given_splits_tear_apart(tmp_path: Path) -> None:
    masks = dict.fromkeys(("p1_a", "p1_b", "p2_a"), MASK)
    root = make_set(tmp_path, masks, splits={"train": ["p1_a"], "val": ["p2_a"], "test": ["p1_b"]})
    _, problems = find(root, group=r"(p\d)_")
    assert codes(problems) == {"split-leak"}


def test_spacing_comes_from_dataset_json(tmp_path: Path) -> None:
    dataset, _ = find(
        make_set(tmp_path, description={"spacing": {"unit": "um", "yx": [0.5, 0.25]}})
    )
    assert (dataset.spacing, dataset.unit) == ((0.5, 0.25), "um")


def test_every_fault_of_dataset_json_at_once(tmp_path: Path) -> None:
    description = {
        "classes": [{"id": -1}, {"id": 1, "color": "red"}, 7],
        "ignore_index": "255",
        "spacing": [0, 1],
        "mask_pattern": "mask",
    }
    _, problems = find(make_set(tmp_path, description=description))
    found = [p for p in problems if p.code == "bad-dataset-json"]
    assert len(found) == 6
    assert all(p.path.endswith("dataset.json") for p in found)


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"classes": 3}'])
def test_a_broken_dataset_json_names_itself(tmp_path: Path, content: str) -> None:
    root = make_set(tmp_path)
    (root / "dataset.json").write_text(content)
    _, problems = find_cases(root)
    assert [p.path for p in problems] == [str(root / "dataset.json")]


def test_junk_is_skipped_and_other_files_are_reported_once(tmp_path: Path) -> None:
    root = make_set(tmp_path)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._a.png", ".hidden.png"):
        (root / "images" / name).write_bytes(b"junk")
    (root / "images" / ".ipynb_checkpoints").mkdir()
    save(root / "images" / ".ipynb_checkpoints" / "a-checkpoint.png", IMAGE)
    (root / "images" / "notes.csv").write_text("x")
    (root / "images" / "letter.docx").write_text("x")
    dataset, problems = find(root)
    assert len(dataset.cases) == 3
    (note,) = problems
    assert (note.severity, note.code) == ("note", "other-files")
    assert "2 files" in note.what


def test_links_that_lead_nowhere_are_reported_and_the_walk_ends(tmp_path: Path) -> None:
    root = make_set(tmp_path)
    images = root / "images"
    (images / "loop_a.png").symlink_to("loop_b.png")
    (images / "loop_b.png").symlink_to("loop_a.png")
    (images / "dangling.png").symlink_to("gone.png")
    (images / "again").symlink_to(".")
    dataset, problems = find(root)
    assert len(dataset.cases) == 3
    assert {Path(p.path).name for p in problems} == {
        "loop_a.png", "loop_b.png", "dangling.png", "again",
    }  # fmt: skip
    assert {p.severity for p in problems} == {"warning"}


def test_a_fifo_and_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    root = make_set(tmp_path)
    os.mkfifo(root / "images" / "x.png")
    strange = Path(os.fsdecode(os.fsencode(root / "images") + b"/caf\xe9.png"))
    try:
        save(strange, IMAGE)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    _, problems = find(root)
    assert codes(problems) == {"not-a-file", "bad-name"}
    for problem in problems:
        problem.text().encode("utf-8")


def test_nothing_there(tmp_path: Path) -> None:
    dataset, (problem,) = find_cases(tmp_path / "nothing")
    assert dataset is None
    assert problem.code == "no-folder"
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    dataset, (problem,) = find_cases(tmp_path)
    assert dataset is None
    assert problem.code == "no-images"
    assert "*.png" in problem.expected


def test_images_without_any_masks(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", IMAGE)
    dataset, (problem,) = find_cases(tmp_path)
    assert dataset is None
    assert problem.code == "no-masks"


def test_two_mask_folders_are_ambiguous(tmp_path: Path) -> None:
    root = make_set(tmp_path)
    save(root / "labels" / "a.png", MASK)
    _, problems = find_cases(root)
    assert codes(problems) == {"ambiguous-folders"}
    assert "labels/, masks/" in problems[0].what


def test_folders_of_folders_are_not_passed_over_in_silence(tmp_path: Path) -> None:
    save(tmp_path / "images" / "patient1" / "a.png", IMAGE)
    save(tmp_path / "masks" / "patient1" / "a.png", MASK)
    dataset, problems = find_cases(tmp_path)
    assert dataset is None
    assert "deeper-folders" in codes(problems)


def test_given_mask_pattern(tmp_path: Path) -> None:
    root = make_set(tmp_path, mask_suffix="_x1", description={"mask_pattern": "{stem}_x1"})
    for name in "abc":
        save(root / "masks" / f"{name}_x2.png", MASK)
    dataset, _ = find(root, allow_unpaired=True)
    assert all(case.label and case.label.stem.endswith("_x1") for case in dataset.cases)


def test_the_images_folder_instead_of_the_set_is_put_right(tmp_path: Path) -> None:
    root = make_set(tmp_path)
    _, (problem,) = find_cases(root / "images")
    assert problem.code == "no-masks"
    assert problem.remedy.endswith(str(root))
