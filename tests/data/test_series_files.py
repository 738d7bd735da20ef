"""DICOM files lying directly in a folder: one volume, pictures, or a refusal that says which."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from pixelwise.commands.check import CheckResult, check
from pixelwise.readers import create_labels, open_image, open_labels
from tests.data.folders import save
from tests.readers.dicom_files import save_series, save_slice

VOLUME = np.random.default_rng(0).integers(0, 1000, (6, 8, 9)).astype(np.int16)
TRUTH = (VOLUME > 500).astype(np.uint8)


def save_mask(path: Path, series: Path) -> Path:
    """A mask on the grid of a series."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_image(series) as source, create_labels(path, source.header) as sink:
        sink.write((slice(None),) * 3, TRUTH[:, : source.header.shape[1]])
    return path


def codes(result: CheckResult) -> set[str]:
    return {problem.code for problem in result.problems if problem.severity == "error"}


@pytest.mark.parametrize("suffix", ["", ".dcm"])
def test_a_series_directly_in_images_is_one_volume(tmp_path: Path, suffix: str) -> None:
    for path in save_series(tmp_path / "images", VOLUME):
        path.rename(path.with_name(path.name + suffix))
    save_mask(tmp_path / "masks" / "brain.nii.gz", tmp_path / "images")
    result = check(tmp_path)
    assert result.facts is not None
    assert not codes(result)
    (case,) = result.facts.cases
    assert (case.id, case.shape, case.spacing) == ("images", (6, 8, 9), (2.5, 0.5, 0.75))
    assert case.class_pixels == (int((TRUTH == 0).sum()), int(TRUTH.sum()))
    assert "images/ is one DICOM series, brain.nii.gz is its mask" in str(result.dataset)


def test_a_folder_for_each_case(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        save_series(tmp_path / "images" / name, VOLUME)
        save_mask(tmp_path / "masks" / f"{name}.nii.gz", tmp_path / "images" / name)
    result = check(tmp_path)
    assert result.facts is not None
    assert {case.id: case.shape for case in result.facts.cases} == dict.fromkeys("abc", (6, 8, 9))


def test_split_folders_that_hold_a_series_each(tmp_path: Path) -> None:
    for split in ("train", "val"):
        save_series(tmp_path / "images" / split, VOLUME)
        save_mask(tmp_path / "masks" / split / "x.nii.gz", tmp_path / "images" / split)
    result = check(tmp_path)
    assert result.dataset is not None
    assert {(c.id, c.split) for c in result.dataset.cases} == {("train", "train"), ("val", "val")}


def test_segmentations_in_folders_of_cases_are_no_regions(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_series(tmp_path / "images" / name, VOLUME)
        save_mask(tmp_path / "masks" / name / "seg.dcm", tmp_path / "images" / name)
    with open_labels(tmp_path / "masks" / "a") as source:
        assert np.array_equal(source.read()[0], TRUTH)
    result = check(tmp_path)
    assert result.dataset is not None
    assert {case.id for case in result.dataset.cases} == {"a", "b"}


def test_pictures_with_a_mask_each_stay_pictures(tmp_path: Path) -> None:
    for name, path in zip("abcdef", save_series(tmp_path / "images", VOLUME), strict=True):
        path.rename(path.with_name(f"{name}.dcm"))
        save(tmp_path / "masks" / f"{name}.png", TRUTH[0])
    result = check(tmp_path)
    assert result.facts is not None
    assert [case.id for case in result.facts.cases] == list("abcdef")
    assert {case.shape for case in result.facts.cases} == {(8, 9)}


def test_x_rays_of_their_own_series_are_pictures(tmp_path: Path) -> None:
    for number, name in enumerate("abc"):
        save_slice(tmp_path / "images" / f"{name}.dcm", VOLUME[0], SeriesInstanceUID=f"1.{number}")
        save(tmp_path / "masks" / f"{name}_mask.png", TRUTH[0])
    result = check(tmp_path)
    assert result.facts is not None
    assert [case.id for case in result.facts.cases] == list("abc")


def test_two_series_in_images_are_refused_by_name(tmp_path: Path) -> None:
    save_series(tmp_path / "other", VOLUME, SeriesNumber=7, SeriesDescription="scout")
    save_series(tmp_path / "images", VOLUME)
    save_mask(tmp_path / "masks" / "brain.nii.gz", tmp_path / "images")
    for path in (tmp_path / "other").iterdir():
        path.rename(tmp_path / "images" / f"B{path.name}")
    result = check(tmp_path)
    assert "dicom-mixed" in codes(result)
    text = next(p.what for p in result.problems if p.code == "dicom-mixed")
    assert text == "it holds 2 series: 7 CT scout (6 files); 4 CT (6 files)"


def test_several_masks_for_one_series_are_refused(tmp_path: Path) -> None:
    save_series(tmp_path / "images", VOLUME)
    for name in ("one", "two"):
        save_mask(tmp_path / "masks" / f"{name}.nii.gz", tmp_path / "images")
    result = check(tmp_path)
    assert "series-masks" in codes(result)


def test_a_missing_slice_is_named_before_training(tmp_path: Path) -> None:
    paths = save_series(tmp_path / "images", VOLUME)
    save_mask(tmp_path / "masks" / "brain.nii.gz", tmp_path / "images")
    paths[2].unlink()
    result = check(tmp_path)
    assert "dicom-missing-slice" in codes(result)
    text = next(p.what for p in result.problems if p.code == "dicom-missing-slice")
    assert paths[1].name in text
    assert paths[3].name in text


def test_the_mask_of_a_series_may_be_a_series(tmp_path: Path) -> None:
    save_series(tmp_path / "images", VOLUME)
    save_series(tmp_path / "masks", TRUTH.astype(np.int16))
    result = check(tmp_path)
    assert result.facts is not None
    (case,) = result.facts.cases
    assert case.class_pixels[1] == int(TRUTH.sum())


def test_the_mask_is_compared_in_space(tmp_path: Path) -> None:
    save_series(tmp_path / "images", VOLUME)
    mask = tmp_path / "masks" / "brain.nii.gz"
    mask.parent.mkdir()
    nib.save(nib.Nifti1Image(TRUTH.T, np.diag([0.75, 0.5, 2.5, 1])), mask)
    assert "mask-geometry" in codes(check(tmp_path))


def test_slices_beside_their_mask_folder(tmp_path: Path) -> None:
    save_series(tmp_path, VOLUME)
    with open_image(tmp_path) as source:
        header = source.header
    (tmp_path / "masks").mkdir()
    with create_labels(tmp_path / "masks" / "seg.dcm", header) as sink:
        sink.write((slice(None),) * 3, TRUTH)
    result = check(tmp_path)
    assert result.facts is not None
    assert [case.shape for case in result.facts.cases] == [(6, 8, 9)]
