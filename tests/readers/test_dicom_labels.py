"""DICOM segmentations: readable by pydicom alone, tied to their slices, without the patient."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from pixelwise.core.errors import UnreadableFile
from pixelwise.core.image import Header, whole_region
from pixelwise.readers import create_labels, open_image, open_labels

from .dicom_files import PIXEL, STEP, save_series

VOLUME = np.random.default_rng(0).integers(-1000, 2000, (5, 6, 7)).astype(np.int16)
LABELS = (VOLUME % 3).astype(np.uint8)
PATIENT = {
    "PatientName": "Doe^Jane", "PatientID": "P-47-X", "PatientBirthDate": "19700101",
    "PatientSex": "F", "StudyDate": "20240102", "StudyTime": "0815", "StudyID": "S1",
    "AccessionNumber": "A77", "ReferringPhysicianName": "Who^Doctor",
}  # fmt: skip
STUDY = {"StudyInstanceUID": "1.2.3.4", "FrameOfReferenceUID": "1.2.3.5"}
ANGLE = 0.3
OBLIQUE = np.array(
    [[np.cos(ANGLE), 0, np.sin(ANGLE)], [0, -1, 0], [np.sin(ANGLE), 0, -np.cos(ANGLE)]]
)


def segment(tmp_path: Path, **options: bool) -> tuple[list[Path], Header, Path]:
    """A series and the segmentation of its numbers modulo 3."""
    files = save_series(tmp_path / "case", VOLUME, OBLIQUE, **PATIENT, **STUDY)
    with open_image(tmp_path / "case") as source:
        header = source.header
        labels = (source.read()[0] % 3).astype(np.uint8)
    path = tmp_path / "labels.dcm"
    names = ("background", "liver", "spleen")
    with create_labels(path, header, class_names=names, **options) as sink:
        for z in range(header.shape[0]):
            sink.write((slice(z, z + 1), *whole_region(header.shape[1:])), labels[z : z + 1])
    return files, header, path


def test_segments_lie_on_the_planes_of_their_slices(tmp_path: Path) -> None:
    files, _, path = segment(tmp_path)
    data = pydicom.dcmread(path)
    assert data.SOPClassUID.name == "Segmentation Storage"
    assert [item.SegmentLabel for item in data.SegmentSequence] == ["liver", "spleen"]
    masks = data.pixel_array
    slices = {pydicom.dcmread(file).SOPInstanceUID: pydicom.dcmread(file) for file in files}
    covered = set()
    for mask, group in zip(masks, data.PerFrameFunctionalGroupsSequence, strict=True):
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        plane = slices[source.ReferencedSOPInstanceUID]
        number = group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        assert np.array_equal(mask, plane.pixel_array % 3 == number)
        position = group.PlanePositionSequence[0].ImagePositionPatient
        assert list(map(float, position)) == pytest.approx(
            list(map(float, plane.ImagePositionPatient)), abs=1e-5
        )
        covered.add((number, source.ReferencedSOPInstanceUID))
    assert len(covered) == 2 * len(files)
    shared = data.SharedFunctionalGroupsSequence[0]
    measures = shared.PixelMeasuresSequence[0]
    assert [float(n) for n in measures.PixelSpacing] == pytest.approx(PIXEL)
    assert float(measures.SpacingBetweenSlices) == pytest.approx(STEP)
    turn = [float(n) for n in shared.PlaneOrientationSequence[0].ImageOrientationPatient]
    assert turn == pytest.approx([*OBLIQUE[:, 0], *OBLIQUE[:, 1]], abs=1e-6)


def test_labels_are_read_back_voxel_for_voxel(tmp_path: Path) -> None:
    _, header, path = segment(tmp_path)
    with open_image(tmp_path / "case") as source:
        expected = source.read()[0] % 3
    with open_labels(path) as source:
        assert source.header.spacing == pytest.approx(header.spacing)
        assert source.header.placement is not None
        assert header.placement is not None
        assert source.header.placement.distance_to(header.placement) < 1e-4
        assert np.array_equal(source.read()[0], expected)
        region = (slice(1, 4), slice(2, 6), slice(0, 3))
        assert np.array_equal(source.read(region)[0], expected[region])


def test_no_field_tells_who_it_was(tmp_path: Path) -> None:
    _, _, path = segment(tmp_path)
    data = pydicom.dcmread(path)
    assert {name: str(data[name].value) for name in PATIENT} == dict.fromkeys(PATIENT, "")
    content = path.read_bytes()
    for name in ("PatientName", "PatientID", "ReferringPhysicianName"):
        assert PATIENT[name].encode() not in content
    assert {name: data[name].value for name in STUDY} == STUDY


def test_fields_of_the_patient_on_request(tmp_path: Path) -> None:
    _, _, path = segment(tmp_path, keeps_patient=True)
    data = pydicom.dcmread(path)
    assert {name: str(data[name].value) for name in PATIENT} == PATIENT


def test_labels_of_images_without_a_place(tmp_path: Path) -> None:
    header = Header(tmp_path / "x", (5, 6, 7), 1, np.dtype("u1"), "NumPy", (2.0, 0.5, 0.5), "mm")
    with create_labels(tmp_path / "a.dcm", header) as sink:
        sink.write(whole_region(header.shape), LABELS)
    with open_labels(tmp_path / "a.dcm") as source:
        assert source.header.spacing == pytest.approx((2.0, 0.5, 0.5))
        assert np.array_equal(source.read()[0], LABELS)


@pytest.mark.parametrize("shape", [(9, 23, 19), (3, 2, 5), (40, 7, 3)])
def test_frames_that_begin_within_a_byte(tmp_path: Path, shape: tuple[int, ...]) -> None:
    labels = np.random.default_rng(2).integers(0, 6, shape).astype(np.uint8)
    header = Header(tmp_path / "x", shape, 1, np.dtype("u1"), "NumPy")
    with create_labels(tmp_path / "a.dcm", header) as sink:
        sink.write(whole_region(shape), labels)
    with open_labels(tmp_path / "a.dcm") as source:
        assert np.array_equal(source.read()[0], labels)
    data = pydicom.dcmread(tmp_path / "a.dcm")
    found = np.zeros(shape, np.uint8)
    for mask, group in zip(data.pixel_array, data.PerFrameFunctionalGroupsSequence, strict=True):
        plane = group.FrameContentSequence[0].DimensionIndexValues[1] - 1
        number = group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        found[plane][mask.astype(bool)] = number
    assert np.array_equal(found, labels)


def test_an_image_without_any_label_is_whole(tmp_path: Path) -> None:
    header = Header(tmp_path / "x", (5, 6, 7), 1, np.dtype("u1"), "NumPy")
    create_labels(tmp_path / "a.dcm", header).close()
    with open_labels(tmp_path / "a.dcm") as source:
        assert source.header.shape == (5, 6, 7)
        assert not source.read().any()


def test_segments_that_overlap_are_refused(tmp_path: Path) -> None:
    _, _, path = segment(tmp_path)
    data = pydicom.dcmread(path)
    data.PixelData = b"\xff" * len(data.PixelData)
    data.save_as(path)
    with open_labels(path) as source, pytest.raises(UnreadableFile, match="segments overlap"):
        source.read()
