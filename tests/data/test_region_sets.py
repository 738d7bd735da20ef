"""What dataset.json and mask folders say about regions, and how mistakes in it are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pixelwise.core.case import LabelMeaning
from pixelwise.core.errors import ShapeMismatch
from pixelwise.data.label_values import MaskValues
from pixelwise.data.region_masks import (
    combine_masks,
    find_region_folders,
    missing_masks,
    region_files,
    understand_region_masks,
)
from pixelwise.data.region_sets import (
    RegionSet,
    bits_of_values,
    describe_regions,
    find_uncovered,
    folder_name,
    read_regions,
)
from tests.data.folders import MASK, save

PATH = Path("set/dataset.json")
BRATS = {"whole tumour": [1, 2, 4], "core": [1, 4], "enhancing": [4]}


def test_regions_over_a_label_map() -> None:
    regions, problems = read_regions(PATH, {"regions": BRATS})
    assert problems == []
    assert regions == RegionSet(
        ("whole tumour", "core", "enhancing"), (("1", "2", "4"), ("1", "4"), ("4",))
    )
    assert bits_of_values(regions) == {"0": 0, "1": 0b011, "2": 0b001, "4": 0b111}
    assert describe_regions(regions).endswith(
        "whole tumour = 1, 2 or 4; core = 1 or 4; enhancing = 4"
    )


def test_the_form_of_nnunet() -> None:
    labels = {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "enhancing": 3, "ignore": 4}
    regions, problems = read_regions(PATH, {"labels": labels, "regions_class_order": [1, 2, 3]})
    assert problems == []
    assert regions is not None and regions.names == ("whole", "core", "enhancing")
    assert bits_of_values(regions) == {"0": 0, "1": 0b001, "2": 0b011, "3": 0b111}


def test_plain_classes_are_no_regions() -> None:
    assert read_regions(PATH, {"labels": {"background": 0, "cell": 1}}) == (None, [])
    assert read_regions(PATH, {"classes": ["background", "cell"]}) == (None, [])


def test_names_of_classes_and_colours() -> None:
    content = {
        "classes": [{"id": 0, "name": "background"}, {"id": 3, "name": "oedema"}],
        "regions": {"swelling": ["oedema"]},
    }
    regions, problems = read_regions(PATH, content)
    assert problems == [] and regions is not None and regions.values == (("3",),)
    regions, _ = read_regions(PATH, {"regions": {"a": ["#FF0000"], "b": ["#ff0000", "#00ff00"]}})
    assert regions is not None
    assert bits_of_values(regions) == {"#00ff00": 0b10, "#ff0000": 0b11}


def test_background_may_have_further_values() -> None:
    regions, problems = read_regions(PATH, {"regions": {"background": [0, 3], "a": [1, 2], "b": 2}})
    assert problems == [] and regions is not None
    assert bits_of_values(regions) == {"0": 0, "1": 1, "2": 3, "3": 0}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"regions": 3}, "regions is 3"),
        ({"regions": {}}, "regions is {}"),
        ({"regions": {"a": []}}, "'a' has no values"),
        ({"regions": {"a": [1.5]}}, "'a' holds 1.5"),
        ({"regions": {"a": [1], "b": [1]}}, "'a' and 'b' have the same values"),
        ({"regions": {"a b": [1], "a_b": [2]}}, "would have one folder"),
        ({"regions": {"background": [0, 1], "a": [1]}}, "1 is in region 'a' and in background"),
        ({"regions": {"background": 0}}, "nothing but background"),
        ({"regions": {str(i): [i] for i in range(1, 9)}}, "there are 8 regions"),
        (
            {"regions": {"a": ["oedem"]}, "classes": [{"id": 2, "name": "oedema"}]},
            "holds \"oedem\"",
        ),
        (
            {"regions": {"a": [1]}, "classes": ["background", "core", "oedema"]},
            "class 'oedema' (2) is in no region",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_told(content: dict[str, object], words: str) -> None:
    regions, problems = read_regions(PATH, content)
    assert regions is None
    assert any(words in problem.what for problem in problems)
    assert all(p.path == str(PATH) and p.remedy for p in problems)


def test_eight_regions_get_the_limit_and_a_way_out() -> None:
    _, problems = read_regions(PATH, {"regions": {str(i): [i] for i in range(1, 9)}})
    assert "at most 7" in problems[0].expected
    assert "two runs" in problems[0].remedy


def test_a_misspelt_class_gets_a_suggestion() -> None:
    classes = [{"id": 2, "name": "oedema"}]
    _, problems = read_regions(PATH, {"regions": {"a": ["oedem"]}, "classes": classes})
    assert "Did you mean oedema?" in problems[0].remedy


def test_values_in_no_region() -> None:
    found = find_uncovered({"0": 10, "1": 2, "3": 7}, {"0": 0, "1": 1}, PATH)
    assert found[0].what == "the masks hold 3 (7 px), which no region of dataset.json has"
    assert '"background": [0, 3]' in found[0].remedy
    assert find_uncovered({"1": 2}, {"1": 1}, PATH) == []


@pytest.mark.parametrize(
    ("name", "folder"),
    [("whole tumour", "whole_tumour"), (" a/b ", "a_b"), ("Kern.1", "Kern.1"), ("...", "region")],
)
def test_folders_of_regions(name: str, folder: str) -> None:
    assert folder_name(name) == folder


def make_folders(root: Path, **names: tuple[str, ...]) -> Path:
    for folder, files in names.items():
        for file in files:
            save(root / folder / file, MASK)
    return root


def test_folders_with_a_mask_for_each_region(tmp_path: Path) -> None:
    make_folders(tmp_path, core=("a.png", "b.png"), whole=("a.png", "b.png"))
    found, problems = find_region_folders(tmp_path)
    assert [folder.name for folder in found] == ["core", "whole"] and problems == []


def test_split_folders_are_no_regions(tmp_path: Path) -> None:
    make_folders(tmp_path, train=("a.png",), val=("b.png",))
    assert find_region_folders(tmp_path) == ([], [])


def test_too_many_folders(tmp_path: Path) -> None:
    make_folders(tmp_path, **{f"r{i}": ("a.png",) for i in range(8)})
    assert [p.code for p in find_region_folders(tmp_path)[1]] == ["too-many-regions"]


def test_masks_that_a_region_lacks_or_has_more(tmp_path: Path) -> None:
    make_folders(tmp_path, whole=("a.png", "b.png"), core=("a.png", "c.png"))
    labels = [tmp_path / "whole" / name for name in ("a.png", "b.png")]
    problems = missing_masks(labels, ("whole", "core"))
    assert [p.what for p in problems] == [
        "has no mask for 1 files (b.png) that whole/ has",
        "has a mask for 1 files (c.png) that whole/ lacks",
    ]
    assert "empty mask" in problems[0].remedy


def values_of(*numbers: int) -> MaskValues:
    return MaskValues(Path("masks/core/a.png"), "values", dict.fromkeys(map(str, numbers), 1))


def test_values_of_single_masks() -> None:
    meaning, problems = understand_region_masks(
        [values_of(0, 1), values_of(0, 255), values_of(0)], ("core", "whole"), None
    )
    assert problems == [] and meaning is not None
    assert meaning.to_class == {"0": 0, "1": 1, "255": 1}
    assert meaning.holds_regions and meaning.folders == ("core", "whole")


def test_void_beside_a_region() -> None:
    meaning, _ = understand_region_masks([values_of(0, 1, 255)], ("core",), None)
    assert meaning is not None and meaning.to_class == {"0": 0, "1": 1, "255": 255}
    meaning, _ = understand_region_masks([values_of(0, 2, 9)], ("core",), 9)
    assert meaning is not None and meaning.to_class == {"0": 0, "2": 1, "9": 255}


def test_a_label_map_in_a_folder_of_a_region_is_refused() -> None:
    meaning, problems = understand_region_masks([values_of(0, 1, 2)], ("core", "whole"), None)
    assert meaning is None
    assert problems[0].code == "region-mask-values" and "0, 1, 2" in problems[0].what


def test_masks_of_a_case_become_bit_sets() -> None:
    first, second = Path("m/whole/a.png"), Path("m/core/a.png")
    masks = {
        first: np.array([[1, 1, 0, 255]], np.uint8),
        second: np.array([[0, 1, 1, 1]], np.uint8),
    }
    assert combine_masks(masks).tolist() == [[1, 3, 2, 255]]
    assert region_files(first, ("whole", "core")) == (first, second)
    masks[second] = np.zeros((2, 2), np.uint8)
    with pytest.raises(ShapeMismatch, match=r"core/a.png: its size is 2 x 2.*4 x 1 as in"):
        combine_masks(masks)


def test_meaning_says_what_it_holds() -> None:
    plain = LabelMeaning("values", {"0": 0}, "")
    assert not plain.holds_regions and plain.folders == ()
