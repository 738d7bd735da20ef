"""Region tables against closed forms: boxes and balls with anisotropic voxels."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from pixelwise.core.image import Header
from pixelwise.core.placement import place_volume
from pixelwise.data.region_table import Scale, measure_regions, scale_of

NAN = float("nan")


def test_box_with_anisotropic_voxels() -> None:
    mask = np.zeros((6, 8, 10), bool)
    mask[1:3, 2:6, 4:9] = True
    image = np.stack([np.arange(480.0).reshape(mask.shape), np.full(mask.shape, 7.0)])
    image[1, 1, 2, 4] = NAN
    affine = np.array([[0, 0, 0.5, 10], [0, 2, 0, 20], [3, 0, 0, 30], [0, 0, 0, 1.0]])
    scale = Scale((3.0, 2.0, 0.5), "mm", affine)
    columns, rows = measure_regions({"box": mask}, image, scale, ("t1", "t2"))
    found = dict(zip(columns, rows[0], strict=True))
    assert found["pixels"] == "40"
    assert found["volume_mm3"] == "120"
    assert found["pieces"] == "1"
    assert [found[f"centre_{a}_index"] for a in "zyx"] == ["1.5", "3.5", "6"]
    assert [found[f"centre_{a}_mm"] for a in "xyz"] == ["13", "27", "34.5"]
    values = image[0][mask]
    assert float(found["mean_t1"]) == pytest.approx(values.mean())
    assert float(found["std_t1"]) == pytest.approx(values.std())
    assert (found["median_t2"], found["std_t2"]) == ("7", "0")


def test_ball() -> None:
    spacing = (2.0, 1.0, 1.0)
    axes = [np.arange(-n, n + 1) * s for n, s in zip((8, 14, 14), spacing, strict=True)]
    ball = sum(a**2 for a in np.meshgrid(*axes, indexing="ij")) <= 12**2
    columns, rows = measure_regions(
        {"ball": ball}, np.zeros((1, *ball.shape)), Scale(spacing, "mm"), ("0",)
    )
    found = dict(zip(columns, rows[0], strict=True))
    assert float(found["volume_mm3"]) == pytest.approx(4 / 3 * math.pi * 12**3, rel=0.015)
    assert float(found["surface_mm2"]) == pytest.approx(4 * math.pi * 12**2, rel=0.03)
    assert "centre_x_mm" not in found


def test_overlapping_regions_and_pieces_in_a_picture() -> None:
    outer = np.zeros((6, 9), bool)
    outer[1:4, 1:4] = outer[1:4, 6:8] = True
    inner = np.zeros_like(outer)
    inner[2, 2] = True
    image = np.ones((1, 6, 9), np.uint8)
    columns, rows = measure_regions(
        {"outer": outer, "inner": inner, "none": np.zeros_like(outer)}, image,
        Scale((1.0, 1.0)), ("grey",),
    )  # fmt: skip
    assert columns[:5] == ("class", "pixels", "area_px2", "outline_px", "pieces")
    assert [row[:3] + row[4:5] for row in rows] == [
        ["outer", "15", "15", "2"],
        ["inner", "1", "1", "1"],
        ["none", "0", "0", "0"],
    ]
    assert rows[2][5:] == [""] * 7


def test_scale_of_a_file_and_of_a_set() -> None:
    affine = np.diag([0.5, 2.0, 3.0, 1.0])
    placed = place_volume(affine, (10, 8, 6))
    header = Header(
        Path("a.nii"), (6, 8, 10), 1, np.dtype("u1"), "NIfTI", (3.0, 2.0, 0.5), "mm",
        placement=placed,
    )  # fmt: skip
    scale = scale_of(header, (9.0, 9.0, 9.0), "px")
    assert (scale.spacing, scale.unit, scale.pixel_size) == ((3.0, 2.0, 0.5), "mm", 3.0)
    assert scale.affine is not None
    bare = Header(Path("a.npy"), (6, 8, 10), 1, np.dtype("u1"), "NumPy")
    assert scale_of(bare, (2.0, 2.0, 2.0), "um") == Scale((2.0, 2.0, 2.0), "um")
    assert scale_of(bare) == Scale((1.0, 1.0, 1.0), "px")
