"""Writing labels as a DICOM segmentation: one binary segment per class, nobody's name in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.contents import shown
from pixelwise.core.errors import BadOutput
from pixelwise.core.grids import lengths_in_mm
from pixelwise.core.image import Array, Header, LabelStyle, Sink
from pixelwise.core.placement import Placement, place_volume
from pixelwise.core.sinks import RegionSink, blank_labels
from pixelwise.readers.dicom_files import PATIENT_FIELDS, Slice
from pixelwise.readers.stored_values import import_extra
from pixelwise.readers.volume_source import stored_order

DICOM = "dicom"
"""Key of Header.geometry: the slices of the series in stored order."""

_SEGMENTATION_CLASS = "1.2.840.10008.5.1.4.1.1.66.4"
_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_ANATOMY = ("91723000", "SCT", "Anatomical Structure")
_TISSUE = ("85756007", "SCT", "Tissue")


@dataclass(frozen=True, slots=True)
class _Frame:
    segment: int
    plane: int


def create_segmentation(path: Path, header: Header, style: LabelStyle) -> Sink:
    """A DICOM segmentation that is being filled with labels; 0 is background, no segment.

    It refers to the slices of a DICOM image by their identifiers and repeats those of study
    and frame of reference, so that a viewer lays it over them. Fields of the patient are
    empty unless the style keeps them. Labels of other images get identifiers of their own.
    """
    import_extra("pydicom", "DICOM")
    if style.dtype not in ("uint8", "uint16") or len(header.shape) not in (2, 3):
        raise BadOutput(
            f"labels of type {style.dtype} and shape {header.shape} are no DICOM segmentation",
            "2D or 3D labels of 8 or 16 bits",
            path=shown(path),
            code="unknown-format",
        )
    to_stored = stored_order(header)

    def finish(temporary: Path, labels: Array) -> None:
        dataset = _describe(header, to_stored(labels), style)
        dataset.save_as(temporary, enforce_file_format=True)

    return RegionSink(
        path, lambda temporary: blank_labels(temporary, header.shape, style.dtype), finish
    )


def _describe(header: Header, stored: Array, style: LabelStyle) -> Any:
    """The whole dataset of labels (k, j, i)."""
    slices: tuple[Slice, ...] = header.geometry.get(DICOM, ())
    placement = header.placement
    if placement is None or not placement.is_anatomical:
        placement = _plain_placement(header, stored)
    n_segments = max(1, int(stored.max()), len(style.class_names) - 1)
    frames = list(_frames(stored, n_segments))
    data = _new_dataset()
    _add_study(data, slices, keeps_patient=style.keeps_patient)
    _add_equipment(data)
    data.Rows, data.Columns = stored.shape[1:]
    data.NumberOfFrames = len(frames)
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 1
    data.HighBit, data.PixelRepresentation = 0, 0
    data.LossyImageCompression = "00"
    data.SegmentationType = "BINARY"
    data.SegmentSequence = [
        _segment(number, style.class_names) for number in range(1, n_segments + 1)
    ]
    _add_frames(data, frames, np.asarray(placement.affine), slices)
    data.PixelData = _pack(stored, frames)
    data["PixelData"].VR = "OB"
    return data


def _plain_placement(header: Header, stored: Array) -> Placement:
    """A place in a frame of reference of its own, for images that do not say where they lie."""
    steps = lengths_in_mm(header.spacing, header.unit) or (1.0,) * len(header.shape)
    steps = (1.0,) * (3 - len(steps)) + steps
    n_k, n_j, n_i = stored.shape
    return place_volume(np.diag([*reversed(steps), 1.0]), (n_i, n_j, n_k))


def _frames(stored: Array, n_segments: int) -> Iterator[_Frame]:
    """Every plane for the first segment, so that the grid is whole; else planes that hold some."""
    present = [set(np.unique(plane).tolist()) for plane in stored]
    for segment in range(1, n_segments + 1):
        for plane, values in enumerate(present):
            if segment == 1 or segment in values:
                yield _Frame(segment, plane)


def _pack(stored: Array, frames: Sequence[_Frame]) -> bytes:
    """One bit a pixel, frames following each other without a gap."""
    packed = bytearray()
    rest = np.zeros(0, bool)
    for frame in frames:
        bits = np.concatenate([rest, (stored[frame.plane] == frame.segment).ravel()])
        n_whole = len(bits) // 8 * 8
        packed += np.packbits(bits[:n_whole], bitorder="little").tobytes()
        rest = bits[n_whole:]
    packed += np.packbits(rest, bitorder="little").tobytes()
    return bytes(packed) + b"\0" * (len(packed) % 2)


def _new_dataset() -> Any:
    dataset = import_extra("pydicom.dataset", "DICOM")
    uid = import_extra("pydicom.uid", "DICOM")
    meta = dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID = _SEGMENTATION_CLASS
    meta.MediaStorageSOPInstanceUID = uid.generate_uid()
    meta.TransferSyntaxUID = _LITTLE_ENDIAN
    data = dataset.FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    data.SOPClassUID, data.SOPInstanceUID = _SEGMENTATION_CLASS, meta.MediaStorageSOPInstanceUID
    data.SeriesInstanceUID = uid.generate_uid()
    data.Modality, data.SeriesNumber, data.InstanceNumber = "SEG", 1000, 1
    data.ImageType = ["DERIVED", "PRIMARY"]
    data.ContentLabel, data.ContentDescription = "SEGMENTATION", "Predicted classes"
    data.ContentCreatorName = ""
    now = datetime.now()
    data.ContentDate, data.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    return data


def _add_study(data: Any, slices: Sequence[Slice], *, keeps_patient: bool) -> None:
    uid = import_extra("pydicom.uid", "DICOM")
    first = slices[0].meta if slices else {}
    data.StudyInstanceUID = first.get("StudyInstanceUID") or uid.generate_uid()
    data.FrameOfReferenceUID = first.get("FrameOfReferenceUID") or uid.generate_uid()
    data.PositionReferenceIndicator = ""
    for name in PATIENT_FIELDS:
        setattr(data, name, first.get(name, "") if keeps_patient else "")


def _add_equipment(data: Any) -> None:
    data.Manufacturer = data.ManufacturerModelName = "Pixelwise"
    data.DeviceSerialNumber = data.SoftwareVersions = "1"


def _segment(number: int, names: Sequence[str]) -> Any:
    item = _item()
    item.SegmentNumber = number
    item.SegmentLabel = names[number][:64] if number < len(names) else f"class {number}"
    item.SegmentAlgorithmType, item.SegmentAlgorithmName = "AUTOMATIC", "Pixelwise"
    item.SegmentedPropertyCategoryCodeSequence = [_code(*_ANATOMY)]
    item.SegmentedPropertyTypeCodeSequence = [_code(*_TISSUE)]
    return item


def _add_frames(
    data: Any, frames: Sequence[_Frame], affine: npt.NDArray[np.float64], slices: Sequence[Slice]
) -> None:
    """What all frames share, and for each its plane, its segment and the slice that it covers."""
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    measures, turn, shared = _item(), _item(), _item()
    measures.PixelSpacing = _numbers([steps[1], steps[0]])
    measures.SliceThickness = measures.SpacingBetweenSlices = _numbers([steps[2]])[0]
    along, down = affine[:3, 0] / steps[0], affine[:3, 1] / steps[1]
    turn.ImageOrientationPatient = _numbers([*along, *down])
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [turn]
    data.SharedFunctionalGroupsSequence = [shared]
    organization = _item()
    organization.DimensionOrganizationUID = import_extra("pydicom.uid", "DICOM").generate_uid()
    data.DimensionOrganizationSequence = [organization]
    data.DimensionIndexSequence = [
        _index(organization.DimensionOrganizationUID, 0x0062000B, 0x0062000A),
        _index(organization.DimensionOrganizationUID, 0x00200032, 0x00209113),
    ]
    items = []
    for frame in frames:
        item, content, place, segment = _item(), _item(), _item(), _item()
        content.DimensionIndexValues = [frame.segment, frame.plane + 1]
        place.ImagePositionPatient = _numbers(affine[:3, 3] + frame.plane * affine[:3, 2])
        segment.ReferencedSegmentNumber = frame.segment
        item.FrameContentSequence, item.PlanePositionSequence = [content], [place]
        item.SegmentIdentificationSequence = [segment]
        if slices:
            item.DerivationImageSequence = [_derivation(slices[frame.plane])]
        items.append(item)
    data.PerFrameFunctionalGroupsSequence = items
    if slices:
        series = _item()
        series.SeriesInstanceUID = slices[0].meta.SeriesInstanceUID
        series.ReferencedInstanceSequence = [_reference(part) for part in slices]
        data.ReferencedSeriesSequence = [series]


def _derivation(part: Slice) -> Any:
    source, item = _reference(part), _item()
    source.PurposeOfReferenceCodeSequence = [
        _code("121322", "DCM", "Source image for image processing operation")
    ]
    item.SourceImageSequence = [source]
    item.DerivationCodeSequence = [_code("113076", "DCM", "Segmentation")]
    return item


def _reference(part: Slice) -> Any:
    item = _item()
    item.ReferencedSOPClassUID = part.meta.SOPClassUID
    item.ReferencedSOPInstanceUID = part.meta.SOPInstanceUID
    if int(part.meta.get("NumberOfFrames") or 1) > 1:
        item.ReferencedFrameNumber = part.frame + 1
    return item


def _index(organization: str, pointer: int, group: int) -> Any:
    item = _item()
    item.DimensionOrganizationUID = organization
    item.DimensionIndexPointer, item.FunctionalGroupPointer = pointer, group
    return item


def _code(value: str, scheme: str, meaning: str) -> Any:
    item = _item()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _item() -> Any:
    return import_extra("pydicom", "DICOM").Dataset()


def _numbers(values: Sequence[float] | npt.NDArray[np.float64]) -> list[Any]:
    """Decimal strings of at most 16 letters, as DICOM has them."""
    valuerep = import_extra("pydicom.valuerep", "DICOM")
    return [valuerep.DSfloat(float(value), auto_format=True) for value in values]
