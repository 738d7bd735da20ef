"""The slices of a DICOM file or folder, before they are sorted; mixed series are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.contents import damaged, shown
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


@dataclass(frozen=True, slots=True)
class Series:
    """The files of a folder that belong together: number, kind and description in words."""

    name: str
    files: tuple[Path, ...]
    says_place: bool


def find_series(folder: Path) -> list[Series]:
    """The DICOM series whose files lie directly in a folder; [] if there are none."""
    found, _ = _read_headers(folder)
    return [
        Series(
            _describe([meta for _, meta in members]),
            tuple(path for path, _ in members),
            all(_says_place(meta) for _, meta in members),
        )
        for members in _by_series(found)
    ]


def read_folder(folder: Path) -> tuple[list[Slice], list[Problem]]:
    """All slices of a folder, which must be of one series; other files are a note.

    Raises UnreadableFile naming the series if there are several, or if no file is an image.
    """
    found, others = _read_headers(folder)
    if not found:
        raise refuse_series(
            folder,
            "it holds no DICOM image",
            "the files of one series",
            "Check the path.",
            "no-dicom",
        )
    members = _by_series(found)
    if len(members) > 1:
        raise refuse_mixed(folder, [_describe([meta for _, meta in part]) for part in members])
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


def _read_headers(folder: Path) -> tuple[list[tuple[Path, Any]], list[str]]:
    """The image files of a folder with their headers, and the names of the other files."""
    dcmread = import_extra("pydicom", "DICOM").dcmread
    found, others = [], []
    for path in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        if not is_dicom(path):
            others.append(path.name)
            continue
        try:
            meta = dcmread(path, stop_before_pixels=True, specific_tags=_TAGS)
        except Exception as error:  # pydicom raises many kinds on damaged headers
            raise damaged(path, error) from error
        if meta.get("Rows") and meta.get("Columns"):
            found.append((path, meta))
        else:
            others.append(path.name)
    return found, others


def _by_series(found: Sequence[tuple[Path, Any]]) -> list[list[tuple[Path, Any]]]:
    series: dict[str, list[tuple[Path, Any]]] = {}
    for path, meta in found:
        series.setdefault(str(meta.get("SeriesInstanceUID", "")), []).append((path, meta))
    return list(series.values())


def _says_place(meta: Any) -> bool:
    return bool(meta.get("ImagePositionPatient")) or "PerFrameFunctionalGroupsSequence" in meta


def refuse_mixed(folder: Path, names: Sequence[str]) -> UnreadableFile:
    """The error for a folder with several series."""
    return refuse_series(
        folder,
        f"it holds {len(names)} series: {'; '.join(names)}",
        "one series in a folder",
        "Move each series to a folder of its own.",
        "dicom-mixed",
    )


def _describe(members: Sequence[Any]) -> str:
    first = members[0]
    words = [
        str(first.get(name, "") or "") for name in ("SeriesNumber", "Modality", "SeriesDescription")
    ]
    name = " ".join(word for word in words if word) or "unnamed"
    return f"{name} ({len(members)} file{'s' if len(members) > 1 else ''})"


def refuse_series(path: Path, what: str, expected: str, remedy: str, code: str) -> UnreadableFile:
    """The error for files that are no series."""
    return UnreadableFile(what, expected, remedy, path=shown(path), code=code)
