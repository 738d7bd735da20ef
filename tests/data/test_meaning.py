"""What masks of every sort are taken to mean, and which are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pixelwise.core.case import IGNORE, DataSet
from pixelwise.core.errors import BadData, Problem
from pixelwise.data.cases import find_cases
from pixelwise.data.label_map import parse_label_map
from pixelwise.data.labels import read_labels

from .folders import MASK, make_set

SQUARE = MASK.astype(bool)


def find(root: Path, **options: Any) -> tuple[DataSet, list[Problem]]:
    dataset, problems = find_cases(root, **options)
    assert dataset is not None, problems
    return dataset, problems


def labels_of(dataset: DataSet, case_id: str) -> np.ndarray:
    (case,) = [case for case in dataset.cases if case.id == case_id]
    assert case.label is not None
    return read_labels(case.label, dataset.meaning)


@pytest.mark.parametrize(
    "mask",
    [
        MASK,
        MASK * 255,
        MASK * 38,
        SQUARE,
        MASK.astype(np.uint16),
        MASK.astype(np.uint16) * 65535,
        np.stack([MASK * 255] * 3, axis=-1),
    ],
)
def test_two_values_are_background_and_foreground(tmp_path: Path, mask: np.ndarray) -> None:
    dataset, problems = find(make_set(tmp_path, {"a": mask, "b": mask}))
    assert [c.name for c in dataset.classes] == ["background", "foreground"]
    assert np.array_equal(labels_of(dataset, "a"), MASK)
    assert all(problem.severity != "error" for problem in problems)


def test_gaps_are_closed_and_said(tmp_path: Path) -> None:
    mask = MASK * 20
    mask[7] = 50
    dataset, _ = find(make_set(tmp_path, {"a": mask, "b": mask}))
    assert dataset.meaning.to_class == {"0": 0, "20": 1, "50": 2}
    assert "50 is class 2" in dataset.meaning.sentence


def test_255_beside_ids_from_0_is_void(tmp_path: Path) -> None:
    mask = MASK.copy()
    mask[7] = 255
    dataset, _ = find(make_set(tmp_path, {"a": mask, "b": MASK}))
    assert len(dataset.classes) == 2
    assert (labels_of(dataset, "a")[7] == IGNORE).all()
    assert "255 is void" in dataset.meaning.sentence


def test_255_beside_ids_with_gaps_is_refused_with_both_ways_out(tmp_path: Path) -> None:
    mask = MASK * 100
    mask[7] = 255
    dataset, problems = find_cases(make_set(tmp_path, {"a": mask, "b": mask}))
    assert dataset is None
    (problem,) = problems
    assert problem.code == "mask-ambiguous"
    for text in ("0=background,100=class100,255=class255", "0=background,100=class100,255=ignore"):
        assert text in problem.remedy
        read_as, _ = find(tmp_path, label_map=text)
        assert (labels_of(read_as, "a")[7] == parse_label_map(text).meaning.to_class["255"]).all()


def test_255_is_a_class_where_dataset_json_says_so(tmp_path: Path) -> None:
    classes = [{"id": 0, "name": "none"}, {"id": 255, "name": "cell", "colour": "#ff0000"}]
    root = make_set(tmp_path, {"a": MASK * 255}, description={"classes": classes})
    dataset, _ = find(root)
    assert np.array_equal(labels_of(dataset, "a"), MASK)
    assert dataset.classes[1].colour == "#ff0000"


def test_0_and_255_stand_for_the_two_classes_of_dataset_json(tmp_path: Path) -> None:
    root = make_set(tmp_path, {"a": MASK * 255}, description={"classes": ["skin", "lesion"]})
    dataset, _ = find(root)
    assert np.array_equal(labels_of(dataset, "a"), MASK)
    assert "255 is lesion" in dataset.meaning.sentence


def test_0_and_255_with_ignore_255_is_void_not_foreground(tmp_path: Path) -> None:
    description = {"classes": ["skin", "lesion"], "ignore_index": 255}
    dataset, _ = find(make_set(tmp_path, {"a": MASK * 255}, description=description))
    assert set(np.unique(labels_of(dataset, "a"))) == {0, IGNORE}


def test_palette_masks_are_their_indices(tmp_path: Path) -> None:
    root = make_set(tmp_path)
    for name in "abc":
        picture = Image.fromarray(MASK)
        picture.putpalette([0, 0, 0, 250, 10, 20])
        picture.save(root / "masks" / f"{name}.png")
    dataset, _ = find(root)
    assert np.array_equal(labels_of(dataset, "a"), MASK)
    assert dataset.classes[1].colour == "#fa0a14"


def coloured(*colours: tuple[int, int, int]) -> np.ndarray:
    mask = np.zeros((8, 8, 3), np.uint8)
    for index, colour in enumerate(colours):
        mask[index] = colour
    return mask


def test_colours_through_dataset_json(tmp_path: Path) -> None:
    classes = [
        {"id": 0, "name": "sky", "color": "#8080ff"},
        {"id": 1, "name": "car", "color": "#FF0000"},
    ]
    mask = coloured((128, 128, 255), (255, 0, 0))
    description = {"classes": classes, "ignore_index": 255}
    dataset, _ = find(make_set(tmp_path, {"a": mask}, description=description))
    labels = labels_of(dataset, "a")
    assert labels[:3, 0].tolist() == [0, 1, IGNORE]
    assert "black" in dataset.meaning.sentence


def test_a_colour_that_no_class_has_is_counted(tmp_path: Path) -> None:
    classes = [{"name": "sky", "color": "#000000"}, {"name": "car", "color": "#ff0000"}]
    mask = coloured((255, 0, 0), (255, 0, 1))
    dataset, _ = find(make_set(tmp_path, {"a": mask}, description={"classes": classes}))
    with pytest.raises(BadData, match=r"#ff0001 \(8 px\)"):
        labels_of(dataset, "a")


def test_colours_without_a_table_are_classes_in_a_stable_order(tmp_path: Path) -> None:
    first, second = coloured((255, 0, 0), (0, 0, 255)), coloured((0, 255, 0))
    dataset, problems = find(make_set(tmp_path, {"a": first, "b": second}))
    assert [c.colour for c in dataset.classes] == ["#000000", "#0000ff", "#00ff00", "#ff0000"]
    assert labels_of(dataset, "a")[:3, 0].tolist() == [3, 1, 0]
    (warning,) = [p for p in problems if p.code == "mask-colours"]
    suggested = warning.remedy.split("'")[1]
    assert len(parse_label_map(suggested).names) == 4


def smeared(levels: np.ndarray) -> np.ndarray:
    return np.clip(levels, 0, 255).astype(np.uint8)


def test_smoothed_masks_are_refused_with_the_nearest_mapping(tmp_path: Path) -> None:
    big = np.kron(MASK, np.ones((8, 8), np.uint8)) * 255
    soft = np.asarray(Image.fromarray(big).resize((100, 100), Image.Resampling.BILINEAR))
    dataset, problems = find_cases(make_set(tmp_path, {"a": soft, "b": soft}))
    assert dataset is None
    assert {problem.code for problem in problems} == {"mask-smeared"}
    suggested = problems[0].remedy.split("'")[1]
    read_as, _ = find(tmp_path, label_map=suggested)
    assert np.array_equal(labels_of(read_as, "a"), soft >= 128)


def test_jpeg_masks_are_refused_by_cause(tmp_path: Path) -> None:
    root = make_set(tmp_path)
    big = np.kron(MASK, np.ones((8, 8), np.uint8)) * 255
    (root / "masks" / "a.png").unlink()
    Image.fromarray(big[3:, 5:]).save(root / "masks" / "a.jpg", quality=60)
    dataset, _ = find(root)
    assert dataset.meaning.to_class == {"0": 0, "1": 1}  # the other masks say so
    with pytest.raises(BadData, match="JPEG") as caught:
        labels_of(dataset, "a")
    (problem,) = caught.value.problems
    assert problem.path.endswith("a.jpg")
    assert "--map" not in problem.remedy  # a cut at 128 would ruin the other masks


def test_object_numbers_are_refused(tmp_path: Path) -> None:
    wide = np.arange(64, dtype=np.uint16).reshape(8, 8) * 9
    _, problems = find_cases(make_set(tmp_path / "wide", {"a": wide}))
    assert [problem.code for problem in problems] == ["mask-instances"]
    counted = {
        name: np.arange(64, dtype=np.uint8).reshape(8, 8) % n
        for name, n in (("a", 12), ("b", 15), ("c", 11))
    }
    _, problems = find_cases(make_set(tmp_path / "counted", counted))
    assert [problem.code for problem in problems] == ["mask-instances"]
    read_as, _ = find(tmp_path / "counted", label_map=">=1=object")
    assert np.array_equal(labels_of(read_as, "a"), counted["a"] > 0)


def test_float_masks_and_nan(tmp_path: Path) -> None:
    import tifffile

    root = make_set(tmp_path)
    values = MASK.astype(np.float32)
    values[7, 7] = np.nan
    for name in "abc":
        (root / "masks" / f"{name}.png").unlink()
        tifffile.imwrite(root / "masks" / f"{name}.tif", values)
    dataset, _ = find(root)
    labels = labels_of(dataset, "a")
    assert labels[7, 7] == IGNORE
    assert np.array_equal(labels[:7], MASK[:7])
    assert "NaN is void" in dataset.meaning.sentence


def test_fractions_are_refused(tmp_path: Path) -> None:
    import tifffile

    root = make_set(tmp_path, {"a": MASK})
    (root / "masks" / "a.png").unlink()
    tifffile.imwrite(root / "masks" / "a.tif", MASK.astype(np.float32) * 0.7)
    dataset, problems = find_cases(root)
    assert dataset is None
    assert problems[0].code == "mask-smeared"


def test_nothing_but_one_value_is_a_warning(tmp_path: Path) -> None:
    dataset, problems = find(make_set(tmp_path, {"a": MASK * 0, "b": MASK * 0}))
    assert [p.severity for p in problems if p.code == "one-class"] == ["warning"]
    assert len(dataset.classes) == 2


def test_every_class_has_a_colour_of_its_own(tmp_path: Path) -> None:
    names = [f"c{n}" for n in range(40)]
    dataset, _ = find(make_set(tmp_path, description={"classes": names}))
    assert len({c.colour for c in dataset.classes}) == 40


def test_few_rare_classes_with_void_are_no_smear(tmp_path: Path) -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[:20] = 255
    mask[50, :3], mask[51, :3], mask[52, :3] = 1, 2, 3
    dataset, _ = find(make_set(tmp_path, {"a": mask, "b": mask}))
    assert len(dataset.classes) == 4
