"""Sets of volumes: image against mask in space, case against case, spacing and sizes in facts."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from pixelwise.commands.check import CheckResult, check
from pixelwise.report.facts_text import class_rows, describe_facts

from .volumes import SHAPE, save_mask, save_volume

NAMES = "abcd"


def make_set(root: Path, **places: tuple[float, float, float]) -> Path:
    """Four volumes with masks; `places` gives the spacing of single ones."""
    for name in NAMES:
        spacing = places.get(name, (0.5, 1.0, 3.0))
        save_volume(root / "images" / f"{name}.nii.gz", spacing=spacing)
        save_mask(root / "masks" / f"{name}.nii.gz", spacing=spacing)
    return root


def codes(result: CheckResult) -> set[str]:
    return {p.code for p in result.problems}


def test_volumes_are_counted_in_voxels_and_millimetres(tmp_path: Path) -> None:
    facts = check(make_set(tmp_path)).facts
    assert facts is not None
    n_train = facts.n_cases["train"]
    assert (facts.spacing, facts.unit) == ((3.0, 1.0, 0.5), "mm")
    assert [case.spacing for case in facts.cases] == [(3.0, 1.0, 0.5)] * 4
    assert {case.orientation for case in facts.cases} == {"RAS"}
    inside, everything = 3 * 2 * 2, int(np.prod(SHAPE))
    assert [c.n_pixels for c in facts.classes] == [
        n_train * (everything - inside),
        n_train * inside,
    ]
    assert facts.classes[1].size == pytest.approx(n_train * inside * 1.5)
    text = "\n".join(describe_facts(facts))
    assert "Spacing 3 x 1 x 0.5 mm in every case" in text
    assert "Stored as RAS (4)" in text
    heads, rows = class_rows(facts)
    assert heads[-1] == "volume a case, mm³"
    assert rows[1][-1] == "18"


def test_a_mask_elsewhere_in_space_is_refused(tmp_path: Path) -> None:
    make_set(tmp_path)
    save_mask(tmp_path / "masks" / "b.nii.gz", spacing=(0.5, 1.0, 3.0), origin=(0.0, 0.5, 0.0))
    result = check(tmp_path)
    problem = next(p for p in result.problems if p.code == "mask-geometry")
    assert problem.path.endswith("masks/b.nii.gz")
    assert "corners by up to 0.5 mm" in problem.what
    assert not result.is_usable


def test_a_mask_that_is_cropped_says_so_in_voxels(tmp_path: Path) -> None:
    make_set(tmp_path)
    save_volume(tmp_path / "masks" / "b.nii.gz", np.zeros((6, 5, 3), np.uint8))
    problem = next(p for p in check(tmp_path).problems if p.code == "mask-size")
    assert "6 x 5 x 3 voxels, its image 6 x 5 x 4" in problem.what
    assert "cropped or added" in problem.what


def test_mask_without_place_beside_a_placed_image_is_refused(tmp_path: Path) -> None:
    make_set(tmp_path)
    lost = nib.Nifti1Image(np.zeros(SHAPE, np.uint8), None)
    lost.header["pixdim"][1:4] = (0.5, 1.0, 3.0)
    nib.save(lost, tmp_path / "masks" / "b.nii.gz")
    problem = next(p for p in check(tmp_path).problems if p.code == "mask-geometry")
    assert problem.severity == "error"
    assert "does not say how it lies in the patient" in problem.what


def test_spacings_that_vary_and_one_that_cannot_be(tmp_path: Path) -> None:
    result = check(make_set(tmp_path, b=(0.5, 1.0, 5.0), c=(0.0005, 0.001, 0.003)))
    assert {"mixed-spacing", "odd-spacing"} <= codes(result)
    odd = next(p for p in result.problems if p.code == "odd-spacing")
    assert "1 case" in odd.what
    assert "c (0.0005 x 0.001 x 0.003)" in odd.what
    assert result.is_usable


def test_files_are_believed_over_the_description(tmp_path: Path) -> None:
    make_set(tmp_path)
    content = {"spacing": {"unit": "mm", "xyz": [1, 1, 1]}}
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    result = check(tmp_path)
    assert "spacing-conflict" in codes(result)
    assert result.facts is not None
    assert result.facts.spacing == (3.0, 1.0, 0.5)


def test_arrays_take_the_spacing_of_the_description(tmp_path: Path) -> None:
    for name in NAMES:
        for folder, dtype in (("images", np.int16), ("masks", np.uint8)):
            values = np.random.default_rng(ord(name)).integers(0, 2, (8, 9, 10)).astype(dtype)
            (tmp_path / folder).mkdir(exist_ok=True)
            np.save(tmp_path / folder / f"{name}.npy", values)
    assert "no-spacing" in codes(check(tmp_path))
    content = {"spacing": {"unit": "um", "zyx": [2, 0.5, 0.5]}}
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    facts = check(tmp_path).facts
    assert facts is not None
    assert (facts.spacing, facts.unit, facts.n_dims) == ((2.0, 0.5, 0.5), "um", 3)
    n_pixels = facts.classes[1].n_pixels
    assert facts.classes[1].size == pytest.approx(n_pixels * 0.5)


def test_the_decathlon_description(tmp_path: Path) -> None:
    for name in NAMES:
        save_volume(tmp_path / "imagesTr" / f"{name}.nii.gz")
        save_mask(tmp_path / "labelsTr" / f"{name}.nii.gz")
    content = {
        "name": "Organ",
        "modality": {"0": "CT"},
        "labels": {"0": "background", "1": "organ"},
        "training": [],
        "test": [],
    }
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    result = check(tmp_path)
    assert result.is_usable
    assert result.dataset is not None
    assert [c.name for c in result.dataset.classes] == ["background", "organ"]
    assert result.dataset.channel_names == ("CT",)
