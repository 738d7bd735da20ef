"""Masks as class ids: regions, void, field of view, and messages with counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from pixelwise.core.case import IGNORE, Case, LabelMeaning
from pixelwise.core.errors import BadData
from pixelwise.data.labels import read_fov, read_labels, read_valid

from .folders import MASK, save

MEANING = LabelMeaning("values", {"0": 0, "1": 1, "9": IGNORE}, "")


def test_regions_equal_the_whole(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", MASK)
    region = (slice(1, 6), slice(3, 8))
    assert np.array_equal(read_labels(path, MEANING, region), MASK[region])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float32"])
def test_unknown_values_are_counted_and_named(tmp_path: Path, dtype: str) -> None:
    mask = MASK.astype(dtype)
    mask[0, :3] = 7
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, mask)
    with pytest.raises(BadData) as caught:
        read_labels(path, MEANING)
    (problem,) = caught.value.problems
    assert problem.path == str(path)
    assert "7 (3 px)" in problem.what
    assert "0, 1, 9" in problem.expected
    assert "0=background,1=class1,9=ignore,7=ignore" in problem.remedy


def test_a_mask_in_colours_is_not_read_by_one_channel(tmp_path: Path) -> None:
    mask = np.stack([MASK, MASK * 0, MASK * 0], axis=-1)
    path = save(tmp_path / "a.png", mask)
    with pytest.raises(BadData, match="colours"):
        read_labels(path, MEANING)


def test_a_threshold_cuts_and_nan_is_void(tmp_path: Path) -> None:
    meaning = LabelMeaning("values", {"<2": 0, ">=2": 1}, "", threshold=2.0)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.array([[0, 1.9, 2, np.nan]], np.float32))
    assert read_labels(path, meaning).tolist() == [[0, 0, 1, IGNORE]]


def test_valid_is_neither_void_nor_outside_the_field_of_view(tmp_path: Path) -> None:
    mask = MASK.copy()
    mask[0] = 9
    fov = np.full((8, 8), 255, np.uint8)
    fov[:, 0] = 0
    case = Case(
        "a",
        tmp_path / "image.png",
        save(tmp_path / "a.png", mask),
        save(tmp_path / "fov.png", fov),
    )
    expected = np.ones((8, 8), bool)
    expected[0] = expected[:, 0] = False
    assert np.array_equal(read_valid(case, MEANING), expected)
    region = (slice(0, 3), slice(0, 4))
    assert np.array_equal(read_valid(case, MEANING, region), expected[region])
    assert case.fov is not None
    assert read_fov(case.fov).sum() == 56
