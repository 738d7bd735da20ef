"""Numbered objects and annotated classes: found where they are declared, told where they lack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pixelwise.core.case import DataSet
from pixelwise.core.errors import Problem
from pixelwise.data.cases import find_cases

from .folders import save


def make_set(root: Path, n: int = 4, *, split: str = "") -> Path:
    for i in range(n):
        numbers = np.zeros((12, 16), np.uint16)
        numbers[1:5, 1:6], numbers[6:11, 8:15] = 3, 900 + i
        save(root / "images" / split / f"c{i}.png", np.full((12, 16), 10 * i, np.uint8))
        save(root / "masks" / split / f"c{i}.png", (numbers > 0).astype(np.uint8))
        save(root / "instances" / split / f"c{i}.png", numbers)
    return root


def find(root: Path, label_map: str | None = None) -> tuple[DataSet, list[Problem]]:
    dataset, problems = find_cases(root, label_map=label_map)
    assert dataset is not None, [p.text() for p in problems]
    return dataset, problems


@pytest.mark.parametrize("split", ["", "train"])
def test_a_folder_of_numbers_beside_the_masks(tmp_path: Path, split: str) -> None:
    dataset, _ = find(make_set(tmp_path, split=split))
    expected = [tmp_path / "instances" / split / f"c{i}.png" for i in range(4)]
    assert [case.objects for case in dataset.cases] == expected


def test_missing_numbers_are_told_and_none_is_used(tmp_path: Path) -> None:
    make_set(tmp_path)
    (tmp_path / "instances" / "c2.png").unlink()
    dataset, problems = find(tmp_path)
    assert all(case.objects is None for case in dataset.cases)
    (problem,) = [p for p in problems if p.code == "objects-missing"]
    assert problem.severity == "warning"
    assert "1 of 4" in problem.what
    assert "c2" in problem.what


def test_masks_that_count_objects_say_so_with_map(tmp_path: Path) -> None:
    for i in range(3):
        numbers = np.zeros((30, 30), np.uint16)
        for k in range(10 + i):
            numbers[2 * k : 2 * k + 1, 3:9] = k + 1
        save(tmp_path / "images" / f"c{i}.png", np.full((30, 30), 10 * i, np.uint8))
        save(tmp_path / "masks" / f"c{i}.png", numbers)
    _, problems = find_cases(tmp_path)
    assert any("--map 'objects=cell'" in p.remedy for p in problems)
    dataset, problems = find(tmp_path, "objects=cell")
    assert [c.name for c in dataset.classes] == ["background", "cell"]
    assert all(case.objects == case.label for case in dataset.cases)
    assert not [p for p in problems if p.severity == "error"]


def test_annotated_classes_by_name_and_number(tmp_path: Path) -> None:
    make_set(tmp_path)
    for i in range(4):
        labels = np.zeros((12, 16), np.uint8)
        labels[2:4, 2:4], labels[6:8, 6:8] = 1, 2
        save(tmp_path / "masks" / f"c{i}.png", labels)
    rows = "stem,annotated_classes\nc0,class 1;class 2\nc1,1\nc2,\nc3,2;background\n"
    (tmp_path / "metadata.csv").write_text(rows.replace("class 1;class 2", "1 2"))
    dataset, _ = find(tmp_path)
    assert [case.annotated for case in dataset.cases] == [(), (0, 1), (), (0, 2)]


def test_unknown_annotated_classes_are_all_told(tmp_path: Path) -> None:
    make_set(tmp_path)
    (tmp_path / "metadata.csv").write_text("stem,annotated_classes\nc0,cel\nc1,1\nc3,7;9\n")
    _, problems = find_cases(tmp_path)
    found = [p for p in problems if p.code == "bad-annotated"]
    assert len(found) == 2
    assert "cel" in found[0].what
    assert "7, 9" in found[1].what
