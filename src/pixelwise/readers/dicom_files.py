"""The slices of a DICOM file or folder, before they are sorted; mixed series are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, UnreadableFile
from pixelwise.readers.stored_values import import_extra

DICOM_MARK = b"DICM"
MARK_AT = 128

N_NAMED = 5
STUDY_FIELDS = ("StudyInstanceUID", "FrameOfReferenceUID")
PATIENT_FIELDS = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
"""Fields that tell who was examined and when; written only on request."""

_TAGS = [
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", *STUDY_FIELDS,
    *PATIENT_FIELDS,
    "SeriesDescription", "SeriesNumber", "Modality", "InstanceNumber", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "ImagerPixelSpacing", "SliceThickness",
    "SpacingBetweenSlices", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel",
    "PhotometricInterpretation", "PlanarConfiguration", "BitsAllocated", "BitsStored",
    "PixelRepresentation", "RescaleSlope", "RescaleIntercept", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "FloatPixelData", "ModalityLUTSequence",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slice:
    """One plane of a series: its file and frame, where it lies, and how its numbers are meant.

    position: of the first pixel in LPS mm; orientation: unit vectors along a row and down a
    column; pixel: distance of rows and of columns in mm. None where the file does not say.
    """

    path: Path
    frame: int
    meta: Any
    position: npt.NDArray[np.float64] | None
    orientation: npt.NDArray[np.float64] | None
    pixel: tuple[float, float] | None
    thickness: float
    slope: float = 1.0
    intercept: float = 0.0


def is_dicom(path: Path) -> bool:
    """Whether a regular file is DICOM, by the mark after its preamble."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            stream.seek(MARK_AT)
            return stream.read(len(DICOM_MARK)) == DICOM_MARK
    except OSError:
        return False


def read_slices(path: Path, meta: Any) -> list[Slice]:
    """The frames of one opened file."""
    n_frames = int(meta.get("NumberOfFrames") or 1)
    shared = _first(meta, "SharedFunctionalGroupsSequence")
    groups = meta.get("PerFrameFunctionalGroupsSequence") or [None] * n_frames
    return [_read_frame(path, meta, index, (groups[index], shared)) for index in range(n_frames)]


def read_folder(folder: Path) -> tuple[list[Slice], list[Problem]]:
    """All slices of a folder, which must be of one series; other files are a note.

    Raises UnreadableFile naming the series if there are several, or if no file is an image.
    """
    dcmread = import_extra("pydicom", "DICOM").dcmread
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    found, others = [], []
    for path in files:
        if not is_dicom(path):
            others.append(path.name)
            continue
        meta = dcmread(path, stop_before_pixels=True, specific_tags=_TAGS)
        if meta.get("Rows") and meta.get("Columns"):
            found.append((path, meta))
        else:
            others.append(path.name)
    _refuse_mixed(folder, found)
    notes = []
    if others:
        named = ", ".join(shown(name) for name in others[:N_NAMED])
        more = f" and {len(others) - N_NAMED} more" if len(others) > N_NAMED else ""
        text = f"{len(others)} files of the folder are no images of the series: {named}{more}"
        notes.append(Problem(text, path=shown(folder), severity="note", code="other-files"))
    return [part for path, meta in found for part in read_slices(path, meta)], notes


def _read_frame(path: Path, meta: Any, index: int, groups: tuple[Any, Any]) -> Slice:
    plane = _look_up(meta, groups, "PlanePositionSequence")
    turn = _look_up(meta, groups, "PlaneOrientationSequence")
    measures = _look_up(meta, groups, "PixelMeasuresSequence")
    scaling = _look_up(meta, groups, "PixelValueTransformationSequence")
    position, orientation = plane.get("ImagePositionPatient"), turn.get("ImageOrientationPatient")
    pixel = measures.get("PixelSpacing") or measures.get("ImagerPixelSpacing")
    thickness = measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or 1.0
    return Slice(
        path,
        index,
        meta,
        None if position is None else np.array([float(n) for n in position]),
        None if orientation is None else np.array([float(n) for n in orientation]),
        None if pixel is None else (float(pixel[0]), float(pixel[1])),
        abs(float(thickness)) or 1.0,
        float(scaling.get("RescaleSlope", 1.0)),
        float(scaling.get("RescaleIntercept", 0.0)),
    )


def _look_up(meta: Any, groups: tuple[Any, Any], name: str) -> Any:
    """The item of a frame, else of all frames, else the file itself."""
    for group in groups:
        item = _first(group, name)
        if item is not None:
            return item
    return meta


def _first(item: Any, name: str) -> Any:
    sequence = None if item is None else item.get(name)
    return sequence[0] if sequence else None


def _refuse_mixed(folder: Path, found: Sequence[tuple[Path, Any]]) -> None:
    if not found:
        raise refuse_series(
            folder,
            "it holds no DICOM image",
            "the files of one series",
            "Check the path.",
            "no-dicom",
        )
    series: dict[str, list[Any]] = {}
    for _, meta in found:
        series.setdefault(str(meta.get("SeriesInstanceUID", "")), []).append(meta)
    if len(series) == 1:
        return
    listed = "; ".join(_describe(members) for members in series.values())
    raise refuse_series(
        folder,
        f"it holds {len(series)} series: {listed}",
        "one series in a folder",
        "Move each series to a folder of its own.",
        "dicom-mixed",
    )


def _describe(members: Sequence[Any]) -> str:
    first = members[0]
    words = [
        str(first.get(name, "") or "") for name in ("SeriesNumber", "Modality", "SeriesDescription")
    ]
    return f"{' '.join(word for word in words if word) or 'unnamed'} ({len(members)} files)"


def refuse_series(path: Path, what: str, expected: str, remedy: str, code: str) -> UnreadableFile:
    """The error for files that are no series."""
    return UnreadableFile(what, expected, remedy, path=shown(path), code=code)
