"""Tables of --measure: volumes of classes and regions, and which of them touch, in units."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from pixelwise.commands.measure_output import write_measures
from pixelwise.core.image import Header
from pixelwise.core.plan import Plan
from tests.commands.test_region_output import BRATS, make_plan
from tests.plans import STORED


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_volume_with_thick_slices(tmp_path: Path) -> None:
    labels = np.zeros((4, 6, 6), np.uint8)
    labels[1:3, 2:4, 1:5] = 1
    image = np.stack([np.full(labels.shape, 5.0), labels * 3.0])
    header = Header(
        Path("a.nii"), labels.shape, 2, np.dtype("f4"), "NIfTI", (3.0, 1.0, 1.0), "mm",
        channel_names=("t1", "t2"),
    )  # fmt: skip
    write_measures(Plan.model_validate(STORED), header, image, labels, tmp_path, "a")
    background, cell = rows_of(tmp_path / "regions" / "a.csv")
    assert cell["class"] == "cell" and cell["pixels"] == "16" and cell["volume_mm3"] == "48"
    assert (cell["mean_t1"], cell["mean_t2"], background["mean_t2"]) == ("5", "3", "0")
    assert len(rows_of(tmp_path / "objects" / "a.csv")) == 1
    touching = rows_of(tmp_path / "contacts" / "a.csv")
    assert touching[1]["shared_boundary_mm2"] == "cell"
    assert float(touching[1]["background"]) == pytest.approx(float(cell["surface_mm2"]), rel=1e-5)
    assert float(touching[1]["outside the image"]) == 0


def test_regions_are_measured_each_for_itself(tmp_path: Path) -> None:
    bits = np.zeros((12, 12), np.uint8)
    bits[2:10, 2:10] = 0b001
    bits[4:8, 4:8] = 0b011
    bits[5:7, 5:7] = 0b111
    header = Header(Path("a.png"), bits.shape, 1, np.dtype("u1"), "PNG")
    write_measures(make_plan(BRATS), header, bits[None], bits, tmp_path, "a")
    found = rows_of(tmp_path / "regions" / "a.csv")
    assert [(r["class"], r["area_px2"]) for r in found] == [
        ("whole tumour", "64"),
        ("core", "16"),
        ("enhancing", "4"),
    ]
    names = [r["class"] for r in rows_of(tmp_path / "objects" / "a.csv")]
    assert names == ["whole tumour", "core", "enhancing"]
    touching = rows_of(tmp_path / "contacts" / "a.csv")
    table = {row["shared_boundary_px"]: row for row in touching}
    assert float(table["whole tumour"]["whole tumour + core"]) > 0
    assert float(table["background"]["whole tumour + core"]) == 0
