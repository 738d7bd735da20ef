"""Channels in separate files: every way of naming them, what is missing, other grids, order."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pixelwise.commands.check import check
from pixelwise.core.errors import BadData, ShapeMismatch
from pixelwise.data.cases import find_cases
from pixelwise.data.channel_files import ImageFiles, group_for_run
from pixelwise.data.image_files import find_images
from pixelwise.readers import open_image
from pixelwise.readers.stacked import open_images

from .volumes import save_mask, save_volume

CASES = ("a_1", "a_2", "b", "c")
NAMES = ("flair", "t1", "t1ce")


def by_number(root: Path) -> None:
    for case in CASES:
        for number in range(3):
            save_volume(root / "imagesTr" / f"{case}_{number:04d}.nii.gz")
        save_mask(root / "labelsTr" / f"{case}.nii.gz")
    content = {
        "channel_names": {str(n): name for n, name in enumerate(NAMES)},
        "labels": {"background": 0, "object": 1},
        "file_ending": ".nii.gz",
    }
    (root / "dataset.json").write_text(json.dumps(content))


def by_ending(root: Path) -> None:
    for case in CASES:
        for name in NAMES:
            save_volume(root / "images" / f"{case}_{name}.nii.gz")
        save_mask(root / "masks" / f"{case}.nii.gz")


def by_ending_beside_named_masks(root: Path) -> None:
    for case in CASES:
        for name in NAMES:
            save_volume(root / "images" / f"{case}-{name}.nii.gz")
        save_mask(root / "masks" / f"{case}_seg.nii.gz")


def by_folder(root: Path) -> None:
    for case in CASES:
        for name in NAMES:
            save_volume(root / "images" / name / f"{case}.nii.gz")
        save_mask(root / "masks" / f"{case}.nii.gz")


def by_case_folder(root: Path) -> None:
    for case in CASES:
        for name in NAMES:
            save_volume(root / "images" / case / f"{name}.nii.gz")
        save_mask(root / "masks" / f"{case}.nii.gz")


def by_case(root: Path) -> None:
    for case in CASES:
        for name in NAMES:
            save_volume(root / case / f"{case}_{name}.nii.gz")
        save_mask(root / case / f"{case}_seg.nii.gz")


def by_case_with_plain_names(root: Path) -> None:
    for case in CASES:
        for name in NAMES:
            save_volume(root / case / f"{name}.nii.gz")
        save_mask(root / case / "seg.nii.gz")


LAYOUTS = [
    by_number, by_ending, by_ending_beside_named_masks, by_folder, by_case_folder, by_case,
    by_case_with_plain_names,
]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_cases(tmp_path: Path, layout: Callable[[Path], None]) -> None:
    layout(tmp_path)
    dataset, problems = find_cases(tmp_path)
    assert dataset is not None
    assert not [p for p in problems if p.severity == "error"]
    assert dataset.channel_names == NAMES
    assert [case.id for case in dataset.cases] == list(CASES)
    for case in dataset.cases:
        assert len(case.images) == 3
        assert case.image == case.channels[0]
        assert case.label is not None
        with open_images(case.images, NAMES) as source:
            values, header = source.read(), source.header
        assert (header.n_channels, header.channel_names) == (3, NAMES)
        for channel, path in zip(values, case.channels, strict=True):
            with open_image(path) as alone:
                assert np.array_equal(alone.read()[0], channel)


@pytest.mark.parametrize("layout", [by_number, by_folder, by_case])
def test_facts_know_the_names(tmp_path: Path, layout: Callable[[Path], None]) -> None:
    layout(tmp_path)
    result = check(tmp_path)
    assert result.is_usable
    assert result.facts is not None
    assert result.facts.channel_names == NAMES
    assert len(result.facts.channels) == 3


def test_numbers_without_names_are_numbers(tmp_path: Path) -> None:
    by_number(tmp_path)
    (tmp_path / "dataset.json").unlink()
    dataset, _ = find_cases(tmp_path)
    assert dataset is not None
    assert dataset.channel_names == ("channel 0", "channel 1", "channel 2")


def test_all_missing_channels_are_named_at_once(tmp_path: Path) -> None:
    by_ending(tmp_path)
    (tmp_path / "images" / "a_1_t1.nii.gz").unlink()
    (tmp_path / "images" / "c_t1ce.nii.gz").unlink()
    (tmp_path / "images" / "c_flair.nii.gz").unlink()
    dataset, problems = find_cases(tmp_path)
    texts = [p.what for p in problems if p.code == "missing-channel"]
    assert len(texts) == 2
    assert texts[0].startswith("the image 'a_1' lacks the channel t1;")
    assert texts[1].startswith("the image 'c' lacks the channels flair, t1ce;")
    assert {p.code for p in problems if p.severity == "error"} == {"missing-channel"}
    assert dataset is not None
    assert [case.id for case in dataset.cases] == ["a_2", "b"]
    _, allowed = find_cases(tmp_path, allow_unpaired=True)
    assert not [p for p in allowed if p.severity == "error"]


def test_a_channel_with_another_grid_is_refused_with_both(tmp_path: Path) -> None:
    by_ending(tmp_path)
    save_volume(tmp_path / "images" / "b_t1.nii.gz", spacing=(1.0, 1.0, 3.0))
    result = check(tmp_path)
    problem = next(p for p in result.problems if p.code == "channel-grid")
    assert problem.path.endswith("b_t1.nii.gz")
    assert "4 voxels of 1 x 1 x 1 mm" in problem.what
    assert "4 voxels of 1 x 1 x 3 mm" in problem.what
    assert not result.is_usable


def test_a_shifted_channel_is_refused(tmp_path: Path) -> None:
    paths = [save_volume(tmp_path / "a.nii"), save_volume(tmp_path / "b.nii", origin=(0.5, 0, 0))]
    with pytest.raises(ShapeMismatch, match=r"corners by up to 0\.5 mm"):
        open_images(paths)
    save_volume(tmp_path / "b.nii", origin=(0.01, 0, 0))
    open_images(paths).close()


def test_single_masks_with_numbered_images_stay_single(tmp_path: Path) -> None:
    for number in range(4):
        save_volume(tmp_path / "images" / f"frame_{number:04d}.nii.gz")
        save_mask(tmp_path / "masks" / f"frame_{number:04d}.nii.gz")
    dataset, problems = find_cases(tmp_path)
    assert dataset is not None
    assert [case.channels for case in dataset.cases] == [()] * 4
    assert not [p for p in problems if p.severity == "error"]


def test_channels_are_put_in_the_order_of_the_run(tmp_path: Path) -> None:
    order = ("T1ce", "flair", "T1")
    new = tmp_path / "new"
    for name in ("flair", "t1", "t1ce"):
        save_volume(new / f"case_{name}.nii.gz")
    for number in range(3):
        save_volume(new / f"other_{number:04d}.nii.gz")
    for name in order:
        save_volume(new / "third" / f"{name}.nii.gz")
        save_volume(new / name / "fourth.nii.gz")
    found, problems = find_images([new], order, n_dims=3)
    assert not problems
    names = {image.stem: [path.name for path in image.paths] for image in found}
    assert names["case"] == ["case_t1ce.nii.gz", "case_flair.nii.gz", "case_t1.nii.gz"]
    assert names["other"] == [f"other_{number:04d}.nii.gz" for number in range(3)]
    assert names["third"] == ["T1ce.nii.gz", "flair.nii.gz", "T1.nii.gz"]
    fourth = next(image for image in found if image.stem == "fourth")
    assert [path.parent.name for path in fourth.paths] == list(order)
    assert set(names) == {"case", "other", "third", "fourth"}


def test_channels_that_lack_at_prediction_are_named(tmp_path: Path) -> None:
    save_volume(tmp_path / "case_t1.nii.gz")
    save_volume(tmp_path / "whole.nii.gz")
    found, problems = find_images([tmp_path], ("t1", "flair"), n_dims=3)
    assert [image.stem for image in found] == ["whole"]
    assert [p.code for p in problems] == ["missing-channel"]
    assert "lacks the channel flair" in problems[0].what
    (tmp_path / "whole.nii.gz").unlink()
    with pytest.raises(BadData, match="lacks the channel flair"):
        find_images([tmp_path], ("t1", "flair"), n_dims=3)


def test_runs_of_one_channel_take_files_as_they_are() -> None:
    paths = [Path("a_0000.nii.gz"), Path("b.nii.gz")]
    plain, _ = group_for_run(paths, ())
    named, _ = group_for_run(paths, ("MRI",))
    assert [image.stem for image in plain] == ["a_0000", "b"]
    assert named == [ImageFiles("a", (paths[0],)), ImageFiles("b", (paths[1],))]


def save_four_channels(root: Path, names: list[str]) -> None:
    for case in CASES:
        values = np.random.default_rng(len(case)).integers(0, 99, (6, 5, 4, 4)).astype(np.int16)
        save_volume(root / "imagesTr" / f"{case}.nii.gz", values)
        save_mask(root / "labelsTr" / f"{case}.nii.gz")
    content = {"modality": {str(n): name for n, name in enumerate(names)}}
    (root / "dataset.json").write_text(json.dumps(content))


def test_a_description_that_names_the_fourth_axis_settles_it(tmp_path: Path) -> None:
    save_four_channels(tmp_path, ["FLAIR", "T1w", "t1gd", "T2w"])
    result = check(tmp_path)
    assert result.facts is not None
    assert result.facts.channel_names == ("FLAIR", "T1w", "t1gd", "T2w")
    assert "volumes-as-channels" not in {p.code for p in result.problems}


def test_names_that_are_not_as_many_as_channels_are_said(tmp_path: Path) -> None:
    save_four_channels(tmp_path, ["FLAIR", "T1w"])
    result = check(tmp_path)
    assert result.facts is not None
    assert result.facts.channel_names == ()
    assert {"channel-names", "volumes-as-channels"} <= {p.code for p in result.problems}
