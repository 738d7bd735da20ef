"""Awkward NIfTI files end with the verdicts of their list: file by file, and as a stack."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pixelwise.commands.check import CheckResult, check
from pixelwise.core.errors import UnreadableFile
from pixelwise.readers import open_image, open_labels

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="session")
def folder(real_data: Path) -> Path:
    return real_data / "awkward" / "nifti"


@pytest.fixture(scope="session")
def result(folder: Path) -> CheckResult:
    return check(folder)


def codes_of(result: CheckResult, path: str) -> dict[str, str]:
    """Code -> severity of what is said about a file."""
    return {p.code: p.severity for p in result.problems if p.path.endswith(path)}


def test_shapes_are_those_of_the_list(real_data: Path, folder: Path) -> None:
    listed = json.loads((real_data / "awkward" / "cases.json").read_text())
    files = next(case["files"] for case in listed if case["id"] == "nifti")
    for path, facts in files.items():
        if "shape" not in facts:
            continue
        with open_image(folder / path) as source:
            header = source.header
        assert header.shape == tuple(facts["shape"][2::-1])
        assert header.n_channels == (facts["shape"][3] if len(facts["shape"]) == 4 else 1)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("images/hippocampus_118.nii.gz", "image-without-mask"),
        ("masks/hippocampus_010.nii.gz", "mask-without-image"),
        ("masks/hippocampus_281.nii.gz", "mask-without-image"),
        ("masks/affine_differs.nii.gz", "mask-geometry"),
        ("images/truncated.nii.gz", "truncated"),
    ],
)
def test_what_is_refused_is_named(result: CheckResult, path: str, code: str) -> None:
    assert codes_of(result, path)[code] == "error"


def test_both_spacings_are_in_the_message(result: CheckResult) -> None:
    problem = next(p for p in result.problems if p.code == "mask-geometry")
    assert "of 1 x 1 x 1 mm" in problem.what
    assert "of 2 x 1 x 1 mm" in problem.what


@pytest.mark.parametrize("name", ["good", "label_flipped", "anisotropic", "float_label"])
def test_what_is_right_is_accepted(result: CheckResult, name: str) -> None:
    assert result.facts is not None
    assert name in {case.id for case in result.facts.cases}
    assert "error" not in codes_of(result, f"{name}.nii.gz").values()


def test_four_dimensions_are_channels_and_said(result: CheckResult) -> None:
    assert codes_of(result, "images/four_d.nii.gz")["volumes-as-channels"] == "warning"


def test_a_mirrored_label_is_turned_by_its_header(folder: Path) -> None:
    with open_labels(folder / "masks" / "label_flipped.nii.gz") as source:
        flipped, code = source.read(), source.header.placement.code
    with open_labels(folder / "masks" / "good.nii.gz") as source:
        plain = source.read()
        assert (code, source.header.placement.code) == ("LAS", "RAS")
    assert np.array_equal(flipped, plain)


def test_thick_slices_keep_their_spacing(result: CheckResult) -> None:
    assert result.facts is not None
    case = next(case for case in result.facts.cases if case.id == "anisotropic")
    assert (case.shape, case.spacing) == ((7, 52, 36), (6.0, 1.0, 1.0))
    assert any(p.code == "mixed-spacing" for p in result.problems)


def test_a_cut_file_is_no_half_volume(folder: Path) -> None:
    with (
        open_image(folder / "images" / "truncated.nii.gz") as source,
        pytest.raises(UnreadableFile, match="truncated"),
    ):
        source.read((slice(0, 1), slice(0, 2), slice(0, 2)))


def test_real_volumes_of_a_template(real_data: Path) -> None:
    facts = check(real_data / "mni152-tissue").facts
    assert facts is not None
    assert facts.median_shape == (189, 233, 197)
    assert (facts.spacing, facts.unit) == ((1.0, 1.0, 1.0), "mm")
    assert {case.orientation for case in facts.cases} == {"RAS"}
    assert sum(c.n_pixels for c in facts.classes) == 197 * 233 * 189
    assert [c.size for c in facts.classes] == [float(c.n_pixels) for c in facts.classes]


def test_counts_of_the_hippocampus_are_those_of_its_table(real_data: Path) -> None:
    folder = real_data / "msd-hippocampus"
    facts = check(folder).facts
    assert facts is not None
    rows = [line.split(",") for line in (folder / "metadata.csv").read_text().splitlines()[1:]]
    counted = {row[0]: (int(row[-2]), int(row[-1])) for row in rows}
    assert len(facts.cases) == 130
    assert {case.id: case.class_pixels[1:] for case in facts.cases} == counted
