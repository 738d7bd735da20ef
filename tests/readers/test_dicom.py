"""DICOM series: sorted in space, compared with SimpleITK, and refused where slices do not fit."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLSLossless, generate_uid

from pixelwise.core.errors import UnreadableFile
from pixelwise.core.image import whole_region
from pixelwise.readers import create_labels, label_suffix, open_image, open_labels

from .dicom_files import PIXEL, STEP, save_series, save_slice

VOLUME = np.random.default_rng(0).integers(-1000, 2000, (5, 6, 7)).astype(np.int16)
SAGITTAL = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
ANGLE = 0.3
OBLIQUE = np.array(
    [[np.cos(ANGLE), 0, np.sin(ANGLE)], [0, 1, 0], [-np.sin(ANGLE), 0, np.cos(ANGLE)]]
)


def read_with_itk(folder: Path) -> sitk.Image:
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    return sitk.ReadImage(names)


@pytest.mark.parametrize("direction", [np.eye(3), SAGITTAL, OBLIQUE])
def test_a_series_lies_where_itk_says(tmp_path: Path, direction: np.ndarray) -> None:
    save_series(tmp_path / "case", VOLUME, direction)
    other = read_with_itk(tmp_path / "case")
    with open_image(tmp_path / "case") as source:
        header, values = source.header, source.read()
        part = source.read(tuple(slice(1, n) for n in header.shape))
    assert np.array_equal(part, values[:, 1:, 1:, 1:])
    assert header.placement is not None
    numbers = sitk.GetArrayFromImage(other)
    for index in np.ndindex(header.shape):
        point = (header.placement.array_affine @ [*index, 1])[:3]
        i, j, k = other.TransformPhysicalPointToIndex(point.tolist())
        assert values[(0, *index)] == numbers[k, j, i]


def test_labels_of_a_series_are_nifti_on_its_grid(tmp_path: Path) -> None:
    save_series(tmp_path / "case", VOLUME, OBLIQUE)
    with open_image(tmp_path / "case") as source:
        header = source.header
        labels = (source.read()[0] % 5).astype(np.uint8)
    path = tmp_path / f"case{label_suffix(header)}"
    with create_labels(path, header) as sink:
        sink.write(whole_region(header.shape), labels)
    found, other = sitk.ReadImage(str(path)), read_with_itk(tmp_path / "case")
    assert np.array_equal(sitk.GetArrayFromImage(found), VOLUME % 5)
    assert found.GetSpacing() == pytest.approx((PIXEL[1], PIXEL[0], STEP), abs=1e-5)
    assert found.GetOrigin() == pytest.approx(other.GetOrigin(), abs=1e-4)
    assert found.GetDirection() == pytest.approx(other.GetDirection(), abs=1e-5)
    assert b"Nobody" not in path.read_bytes()
    with open_labels(path) as again:
        assert np.array_equal(again.read()[0], labels)


def test_slope_and_intercept_give_measured_values(tmp_path: Path) -> None:
    save_series(tmp_path / "ct", VOLUME, RescaleSlope=2, RescaleIntercept=-1024)
    save_series(tmp_path / "pet", VOLUME, RescaleSlope=0.5, RescaleIntercept=0)
    with open_image(tmp_path / "ct") as source:
        assert np.array_equal(source.read()[0], 2 * VOLUME.astype(np.int32) - 1024)
    with open_image(tmp_path / "pet") as source:
        assert source.header.dtype == np.float32
        assert np.array_equal(source.read()[0], VOLUME / 2)


def test_a_missing_slice_is_named_with_its_place(tmp_path: Path) -> None:
    files = save_series(tmp_path, VOLUME)
    files[2].unlink()
    before, after = files[1].name, files[3].name
    with pytest.raises(UnreadableFile) as caught:
        open_image(tmp_path)
    text = str(caught.value)
    assert caught.value.problems[0].code == "dicom-missing-slice"
    assert f"between {before} and {after}, from 102.5 to 107.5 mm (1 missing)" in text


def test_two_series_in_one_folder_are_named(tmp_path: Path) -> None:
    save_series(tmp_path, VOLUME, SeriesDescription="venous")
    for path in save_series(tmp_path / "other", VOLUME, SeriesDescription="arterial"):
        path.rename(tmp_path / f"B{path.name}")
    with pytest.raises(UnreadableFile) as caught:
        open_image(tmp_path)
    assert "2 series: 4 CT arterial (5 files); 4 CT venous (5 files)" in str(caught.value)


def test_a_turned_slice_is_named(tmp_path: Path) -> None:
    files = save_series(tmp_path, VOLUME)
    data = pydicom.dcmread(files[3])
    data.ImageOrientationPatient = [0.9998, 0.02, 0, -0.02, 0.9998, 0]
    data.save_as(files[3])
    with pytest.raises(UnreadableFile, match=rf"direction\s+cosines\): {files[3].name}"):
        open_image(tmp_path)


def test_slices_on_one_place_are_refused(tmp_path: Path) -> None:
    series = generate_uid()
    for number in range(2):
        for path in save_series(tmp_path / str(number), VOLUME, SeriesInstanceUID=series):
            path.rename(tmp_path / f"{number}{path.name}")
        (tmp_path / str(number)).rmdir()
    with pytest.raises(UnreadableFile, match="5 pairs of its slices lie on one place"):
        open_image(tmp_path)


def test_slices_without_a_place_are_refused(tmp_path: Path) -> None:
    uid = generate_uid()
    for number in range(3):
        save_slice(tmp_path / f"{number}.dcm", VOLUME[number], SeriesInstanceUID=uid)
    with pytest.raises(UnreadableFile, match="3 of its 3 slices do not say where they lie"):
        open_image(tmp_path)
    with open_image(tmp_path / "0.dcm") as source:
        assert source.header.shape == (6, 7)
        assert source.header.spacing == PIXEL


def test_packed_pixels_are_decoded(tmp_path: Path) -> None:
    files = save_series(tmp_path, VOLUME)
    for path in files:
        data = pydicom.dcmread(path)
        plane = data.pixel_array.view(np.uint16)
        data.PixelData = encapsulate([imagecodecs.jpegls_encode(plane)])
        data["PixelData"].is_undefined_length = True
        data.file_meta.TransferSyntaxUID = JPEGLSLossless
        data.save_as(path)
    with open_image(tmp_path) as source:
        assert np.array_equal(source.read()[0], VOLUME)


def test_a_cut_slice_is_named(tmp_path: Path) -> None:
    files = save_series(tmp_path, VOLUME)
    files[1].write_bytes(files[1].read_bytes()[:-20])
    with pytest.raises(UnreadableFile) as caught, open_image(tmp_path) as source:
        source.read()
    assert files[1].name in str(caught.value)
