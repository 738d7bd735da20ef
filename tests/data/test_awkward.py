"""Every folder of awkward inputs ends with the verdict of its list of cases."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixelwise.commands.check import CheckResult, check
from pixelwise.core.case import IGNORE
from pixelwise.core.errors import UnreadableFile
from pixelwise.data.labels import read_labels
from pixelwise.data.listing import list_pictures
from pixelwise.readers import open_image, open_labels

pytestmark = pytest.mark.real_data

# What check says: the codes of its errors and warnings. Folders whose use is prediction alone
# have no masks; their images are listed with their own faults.
ONLY_IMAGES = {
    "bombs", "channel_first_tiff", "cmyk_jpeg", "la_png", "png16", "tiff_flavours",
    "tiff_int16_negative", "wrong_extension",
}  # fmt: skip
EXPECTED: dict[str, set[str]] = {
    "bad_splits": {"split-missing", "unsafe-split", "split-overlap", "split-repeated"},
    "bombs": {"too-large"},
    "broken_files": {
        "duplicate-stem", "truncated", "empty-file", "not-an-image", "damaged",
    },
    "channel_first_tiff": {"many-pages"},
    "constant_image": {"one-class", "absent-class"},
    "duplicate_stems": {"duplicate-stem"},
    "empty_folder": {"no-images"},
    "float_nan_image": {"image-nan"},
    "image_without_mask": {"image-without-mask"},
    "links": {"link"},
    "mask_empty_and_void": {"absent-class", "class-in-one-case", "split-without-objects"},
    "mask_instances_as_classes": {"mask-instances"},
    "mask_jpeg": {"mask-smeared"},
    "mask_other_size": {"mask-size"},
    "mask_palette": {"absent-class"},
    "mask_rgb_colours": {"absent-class"},
    "mask_soft_edges": {"mask-smeared"},
    "mask_unknown_label": {"mask-unknown-label"},
    "mask_without_image": {"mask-without-image"},
    "messy": {
        "duplicate-stem", "image-without-mask", "mask-without-image", "empty-file",
        "mask-smeared", "mask-unknown-label", "mask-size", "not-an-image", "truncated",
    },
    "multipage_tiff": {"no-spacing"},
    "nifti": {
        "image-without-mask", "mask-without-image", "mask-geometry", "truncated", "channels",
        "volumes-as-channels",
    },
    "rgba_png": {"alpha-varies"},
}  # fmt: skip
REFUSED = {
    "bad_splits", "broken_files", "duplicate_stems", "empty_folder", "float_nan_image",
    "image_without_mask", "mask_instances_as_classes", "mask_jpeg", "mask_other_size",
    "mask_soft_edges", "mask_unknown_label", "mask_without_image", "messy", "nifti",
} | ONLY_IMAGES  # fmt: skip


def folders() -> list[str]:
    """The folders; those of a list that is not there are skipped one by one."""
    return sorted({
        *EXPECTED, *REFUSED, "cmyk_jpeg", "exif_rotated", "mask_0_255", "mask_1bit", "mask_float",
        "mask_rgb_identical", "mask_suffix", "mixed_sizes", "names", "odd_sizes", "os_junk",
        "tiff16", "uppercase_extensions",
    })  # fmt: skip


@pytest.fixture(scope="session")
def awkward(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("awkward") / "awkward"
    shutil.copytree(real_data / "awkward", copy, symlinks=True)
    (copy / "links" / "images").chmod(0o755)
    subprocess.run(["sh", str(copy / "links" / "make_links.sh")], check=True)
    return copy


@pytest.fixture(scope="session")
def listed(awkward: Path) -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in json.loads((awkward / "cases.json").read_text())}


def test_no_folder_is_forgotten(listed: dict[str, dict[str, Any]]) -> None:
    assert set(folders()) == set(listed)


@pytest.mark.parametrize("name", folders())
def test_check_gives_the_verdict(awkward: Path, name: str) -> None:
    result = check(awkward / name, quick=True)
    codes = {p.code for p in result.problems if p.severity != "note"}
    # Several folders are made from one picture, which ends up in two splits.
    assert codes - {"no-masks", "same-picture"} == EXPECTED.get(name, set())
    assert result.is_usable == (name not in REFUSED)
    assert ("no-masks" in codes) == (name in ONLY_IMAGES)
    for problem in result.problems:
        assert problem.text().isprintable()
        if problem.severity == "error":
            assert problem.path
            assert problem.expected
            assert problem.remedy


def facts_of(listed: dict[str, dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    return {path: facts for path, facts in listed[name]["files"].items() if "shape" in facts}


@pytest.mark.parametrize("name", folders())
def test_images_are_read_right(awkward: Path, listed: dict[str, dict[str, Any]], name: str) -> None:
    for path, facts in facts_of(listed, name).items():
        if not path.startswith("images/") or path.endswith((".gz", "chw.tif", "stack.tif")):
            continue
        with open_image(awkward / name / path) as source:
            pixels, header = source.read(), source.header
        assert header.shape == tuple(facts["shape"][:2])
        assert pixels.shape == (header.n_channels, *header.shape)
        if facts.get("mode") != "RGBA" and "dtype" in facts:
            assert str(pixels.dtype) == facts["dtype"]
        has_alpha = len(facts["shape"]) == 3 and facts["shape"][2] in (2, 4)
        if "min" in facts and not has_alpha:
            assert (float(pixels.min()), float(pixels.max())) == (facts["min"], facts["max"])
        if has_alpha:
            assert header.n_channels == facts["shape"][2] - 1


def labels_in(result: CheckResult, folder: Path) -> dict[str, dict[str, int]]:
    """Path of each mask -> stored value as listed -> pixels, read as class ids."""
    assert result.dataset is not None
    found = {}
    for case in result.dataset.cases:
        assert case.label is not None
        ids, counts = np.unique(read_labels(case.label, result.dataset.meaning), return_counts=True)
        name = str(case.label.relative_to(folder))
        found[name] = {str(i): int(n) for i, n in zip(ids, counts, strict=True)}
    return found


@pytest.mark.parametrize("name", sorted(set(folders()) - REFUSED))
def test_labels_of_accepted_folders_are_counted_right(
    awkward: Path, listed: dict[str, dict[str, Any]], name: str
) -> None:
    result = check(awkward / name)
    found = labels_in(result, awkward / name)
    for path, facts in listed[name]["files"].items():
        if path not in found:
            continue
        if "labels" in facts:
            expected = dict(facts["labels"])
            if name == "mask_0_255":
                expected["1"] = expected.pop("255")
            assert found[path] == expected
        elif "nan" in facts:
            assert found[path][str(IGNORE)] == facts["nan"]
        elif "max" in facts:
            assert max(int(label) for label in found[path]) == facts["max"]


def test_all_flavours_of_tiff_are_one_picture(awkward: Path) -> None:
    folder = awkward / "tiff_flavours" / "images"
    colours = {}
    for path in sorted(folder.iterdir()):
        with open_image(path) as source:
            if path.stem != "white_is_zero":
                colours[path.stem] = source.read()
    assert len(colours) == 6
    assert all(np.array_equal(pixels, colours["lzw"]) for pixels in colours.values())


def test_16_bit_files_of_three_kinds_are_equal(awkward: Path) -> None:
    pixels = []
    for name in ("tiff16/images/little.tif", "tiff16/images/big_endian.tif"):
        with open_image(awkward / name) as source:
            pixels.append(source.read())
    with open_image(awkward / "png16/images/png16.png") as source:
        pixels.append(source.read())
    assert all(np.array_equal(pixels[0], other) for other in pixels[1:])


def test_the_photograph_is_upright_where_its_mask_is(awkward: Path) -> None:
    # The lesion is the dark part: upright, the mask must separate dark from bright.
    for stem in ("phone", "square"):
        with open_image(awkward / "exif_rotated" / "images" / f"{stem}.jpg") as source:
            grey = source.read().mean(axis=0)
        with open_labels(awkward / "exif_rotated" / "masks" / f"{stem}.png") as source:
            mask = source.read()[0] > 0
        contrast = grey[~mask].mean() - grey[mask].mean()
        turned = np.rot90(mask) if mask.shape[0] == mask.shape[1] else mask
        assert contrast > 30
        if stem == "square":
            assert contrast > grey[~turned].mean() - grey[turned].mean() + 10


def test_colours_and_palette_are_the_same_labels(awkward: Path) -> None:
    found = [
        labels_in(check(awkward / name), awkward / name)["masks/street.png"]
        for name in ("mask_palette", "mask_rgb_colours")
    ]
    assert found[0] == found[1]


def test_a_smeared_mask_can_be_cut_as_suggested(
    awkward: Path, listed: dict[str, dict[str, Any]]
) -> None:
    result = check(awkward / "mask_jpeg", label_map=">=128=foreground")
    assert result.is_usable
    found = labels_in(result, awkward / "mask_jpeg")["masks/a.jpg"]
    assert found == listed["mask_jpeg"]["files"]["masks/a.jpg"]["true_labels"]


def test_prediction_takes_the_good_files_of_the_messy_folder(
    awkward: Path, listed: dict[str, dict[str, Any]]
) -> None:
    pictures, problems = list_pictures(awkward / "messy" / "images")
    assert [problem.code for problem in problems] == ["duplicate-stem"]
    good, bad = set(), set()
    for path in pictures:
        try:
            with open_image(path) as source:
                source.read()
            good.add(path.name)
        except UnreadableFile:
            bad.add(path.name)
    assert bad == {"truncated.png", "empty.png", "text.png"}
    stated = {
        Path(p).name for p, f in listed["messy"]["files"].items() if f.get("status") == "good"
    }
    assert stated <= good


def test_a_splits_json_with_a_trailing_comma_names_the_place(awkward: Path) -> None:
    folder = awkward / "bad_splits"
    folder.chmod(0o755)
    bad = folder / "splits_bom_trailing_comma.json"
    copy = folder.parent / "bad_json"
    shutil.copytree(folder, copy)
    copy.chmod(0o755)
    (copy / "splits.json").unlink()
    shutil.copy(bad, copy / "splits.json")
    (problem,) = [p for p in check(copy).problems if p.code == "bad-json"]
    assert "line 1" in problem.what
    assert problem.path.endswith("splits.json")


@pytest.mark.parametrize("name", folders())
def test_the_closer_look_survives_everything(awkward: Path, name: str) -> None:
    result = check(awkward / name)
    assert result.is_usable == (name not in REFUSED)
    assert all(problem.text().isprintable() for problem in result.problems)
