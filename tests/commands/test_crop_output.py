"""Images cut to a predicted class: the right pixels in the right place, what is missing said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelwise.commands.crop_output import Crop, check_crop, find_box, margin_pixels, write_crop
from pixelwise.commands.predict import predict
from pixelwise.core.errors import BadPlan
from pixelwise.core.image import Header
from pixelwise.core.placement import place_volume
from pixelwise.core.plan import Plan
from pixelwise.data.region_table import Scale
from pixelwise.readers import open_image
from pixelwise.readers.image_parts import write_part
from tests.commands.test_region_output import BRATS, make_plan
from tests.plans import STORED

PLAN = Plan.model_validate(STORED)


def test_box_with_margin_stays_inside() -> None:
    mask = np.zeros((10, 12), bool)
    mask[1:4, 5:9] = True
    assert find_box(mask, (0, 0)) == (slice(1, 4), slice(5, 9))
    assert find_box(mask, (3, 1)) == (slice(0, 7), slice(4, 10))
    assert find_box(np.zeros((4, 4), bool), (0, 0)) is None


def test_specks_do_not_stretch_the_box() -> None:
    mask = np.zeros((40, 40), bool)
    mask[10:20, 10:20] = True
    mask[0, 0] = True  # 1 of 100
    assert find_box(mask, (0, 0)) == (slice(10, 20), slice(10, 20))
    mask[30:33, 30:33] = True  # 9 of 100 is no speck
    assert find_box(mask, (0, 0)) == (slice(10, 33), slice(10, 33))


def test_margins() -> None:
    scale = Scale((3.0, 1.0, 0.4), "mm")
    assert margin_pixels("2", scale) == (2, 2, 2)
    assert margin_pixels("2px", scale) == (2, 2, 2)
    assert margin_pixels("2mm", scale) == (1, 2, 5)
    for text in ("2um", "wide", "-1", ""):
        with pytest.raises(BadPlan, match="the margin is"):
            margin_pixels(text, scale)
    with pytest.raises(BadPlan, match="do not say how large a pixel is"):
        margin_pixels("2mm", Scale((1.0, 1.0)))


def test_unknown_classes_and_margins_are_told_at_once() -> None:
    with pytest.raises(BadPlan) as caught:
        check_crop(PLAN, Crop("cel", "wide", "wall"))
    texts = [problem.text() for problem in caught.value.problems]
    assert len(texts) == 3
    assert "'cel'" in texts[0] and "Did you mean cell?" in texts[0]
    assert "background, cell" in texts[1]
    with pytest.raises(BadPlan, match="without --crop-to"):
        check_crop(PLAN, Crop(None, "3", "cell"))


def make_volume() -> tuple[Header, np.ndarray, np.ndarray]:
    """Two channels with voxels of 3 x 2 x 0.5 mm, turned a little in space."""
    angle = np.deg2rad(10)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0],
                     [0, 0, 1]])  # fmt: skip
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([0.5, 2.0, 3.0])
    affine[:3, 3] = 10, -20, 30
    shape = (6, 8, 10)
    header = Header(
        Path("scan.nii.gz"), shape, 2, np.dtype("f4"), "NIfTI", (3.0, 2.0, 0.5), "mm",
        placement=place_volume(affine, shape[::-1]), channel_names=("t1", "t2"),
    )  # fmt: skip
    image = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    labels = np.zeros(shape, np.uint8)
    labels[2:5, 3:6, 4:9] = 1
    return header, image, labels


def test_a_cropped_volume_lies_where_it_was(tmp_path: Path) -> None:
    header, image, labels = make_volume()
    assert write_crop(PLAN, Crop("cell", "2mm"), header, image, labels, (tmp_path, "scan")) == []
    record = json.loads((tmp_path / "cropped" / "scan.json").read_text())
    assert (record["start"], record["stop"]) == ([1, 2, 0], [6, 7, 10])
    assert record["files"] == ["scan_t1.nii.gz", "scan_t2.nii.gz"]
    whole = header.placement
    assert whole is not None
    corner = whole.array_affine @ [1, 2, 0, 1]
    assert record["origin_xyz_mm"] == pytest.approx(corner[:3].tolist())
    for channel, name in zip(image, record["files"], strict=True):
        with open_image(tmp_path / "cropped" / name) as source:
            found, part = source.header, source.read()[0]
        assert np.array_equal(part, channel[1:6, 2:7, 0:10])
        assert found.spacing == pytest.approx((3.0, 2.0, 0.5))
        assert found.placement is not None
        for index in ([0, 0, 0], [4, 4, 9]):
            here = found.placement.array_affine @ [*index, 1]
            there = whole.array_affine @ [index[0] + 1, index[1] + 2, index[2], 1]
            assert here == pytest.approx(there, abs=1e-4)


def test_masking_blanks_what_is_outside(tmp_path: Path) -> None:
    header, image, labels = make_volume()
    write_crop(PLAN, Crop(None, "0", "cell"), header, image, labels, (tmp_path, "scan"))
    with open_image(tmp_path / "cropped" / "scan_t1.nii.gz") as source:
        masked = source.read()[0]
    assert np.array_equal(masked[labels == 1], image[0][labels == 1])
    assert (masked[labels == 0] == image[0].min()).all()


def test_regions_can_be_cropped_to(tmp_path: Path) -> None:
    bits = np.zeros((12, 12), np.uint8)
    bits[2:10, 2:10] = 0b001
    bits[4:8, 5:8] = 0b011
    header = Header(Path("a.png"), bits.shape, 1, np.dtype("u1"), "PNG")
    image = np.arange(144, dtype=np.uint8).reshape(1, 12, 12)
    write_crop(make_plan(BRATS), Crop("core"), header, image, bits, (tmp_path, "a"))
    cut = np.asarray(Image.open(tmp_path / "cropped" / "a.png"))
    assert np.array_equal(cut, image[0, 4:8, 5:8])


def test_a_class_that_is_nowhere_is_said(tmp_path: Path) -> None:
    header, image, labels = make_volume()
    found = write_crop(PLAN, Crop("cell"), header, image, labels * 0, (tmp_path, "scan"))
    assert [p.severity for p in found] == ["warning"]
    assert "no pixel was labelled cell" in found[0].what
    assert json.loads((tmp_path / "cropped" / "scan.json").read_text())["found"] is False
    assert len(list((tmp_path / "cropped").iterdir())) == 1


@pytest.mark.parametrize(
    ("format_name", "shape", "dtype", "ending"),
    [
        ("PNG", (3, 5, 6), "uint8", ".png"), ("PNG", (1, 5, 6), "uint16", ".png"),
        ("TIFF", (1, 5, 6), "float32", ".tif"), ("TIFF", (3, 5, 6), "uint8", ".tif"),
        ("TIFF", (5, 5, 6), "uint16", ".tif"), ("TIFF", (2, 4, 5, 6), "uint16", ".tif"),
        ("NumPy", (1, 5, 5, 6), "float32", ".npy"), ("NumPy", (4, 3, 5, 6), "int16", ".npy"),
        ("NumPy", (3, 5, 6), "uint8", ".npy"), ("NumPy", (1, 5, 6), "float32", ".npy"),
    ],
)  # fmt: skip
def test_what_is_written_is_read_again(
    tmp_path: Path, format_name: str, shape: tuple[int, ...], dtype: str, ending: str
) -> None:
    values = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    header = Header(
        Path("a"), shape[1:], shape[0], np.dtype(dtype), format_name,
        (0.5,) * (len(shape) - 1), "um",
    )  # fmt: skip
    region = tuple(slice(0, n) for n in shape[1:])
    (path,) = write_part(tmp_path, "a", header, values, region)
    assert path.name == f"a{ending}"
    with open_image(path) as source:
        assert np.array_equal(source.read(), values)
        if ending == ".tif":
            assert source.header.spacing == pytest.approx(header.spacing)


def test_place_on_the_map_moves_with_the_box(tmp_path: Path) -> None:
    tie = (33922, 12, 6, (0.0, 0.0, 0.0, 500000.0, 4000000.0, 0.0), True)
    scale = (33550, 12, 3, (10.0, 10.0, 0.0), True)
    header = Header(
        Path("a.tif"), (20, 30), 1, np.dtype("u1"), "TIFF", geometry={"geotiff": (scale, tie)}
    )
    values = np.zeros((1, 5, 6), np.uint8)
    (path,) = write_part(tmp_path, "a", header, values, (slice(3, 8), slice(7, 13)))
    with open_image(path) as source:
        found = {tag[0]: tag[3] for tag in source.header.geometry["geotiff"]}
    i, j, _, east, north, _ = found[33922]
    # Pixel (row 0, column 0) of the part is (3, 7) of the whole: 70 m east, 30 m south.
    assert (east - 10 * i, north + 10 * j) == (500070.0, 3999970.0)


def test_predict_crops(bright_run: Path, squares: Path, use: Path, tmp_path: Path) -> None:
    dark = tmp_path / "dark.png"
    Image.fromarray(np.full((40, 48), 40, np.uint8)).save(dark)
    images = [squares / "images" / "case-5.png", dark]
    result = predict(
        bright_run, images, out=tmp_path / "out", use=use, crop=Crop("foreground", "1")
    )
    assert len(result.predictions) == 2
    found = [(p.severity, p.code) for p in result.problems]
    assert found == [("warning", "constant"), ("warning", "class-absent")]
    truth = np.asarray(Image.open(squares / "masks" / "case-5.png")) > 0
    rows, columns = np.nonzero(truth)
    box = (slice(rows.min() - 1, rows.max() + 2), slice(columns.min() - 1, columns.max() + 2))
    box = tuple(slice(max(0, s.start), s.stop) for s in box)
    whole = np.asarray(Image.open(images[0]))
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out/cropped/case-5.png")), whole[box])
    with pytest.raises(BadPlan, match="does not know"):
        predict(bright_run, images, out=tmp_path / "other", use=use, crop=Crop("brain"))
    assert not (tmp_path / "other").exists()
