"""The slices of a DICOM series: found in a folder, sorted in space, with gaps and strays named."""

from __future__ import annotations

from collections import Counter
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

_SAME_COSINE = 1e-3
_SAME_PLACE = 0.01
"""Slices nearer than this (mm) lie on one place."""

_UNEVEN = 0.1
"""A distance between slices that differs from the usual one by more than this share is uneven."""

_N_NAMED = 5
_TAGS = [
    "SpecificCharacterSet", "SOPClassUID", "SeriesInstanceUID",
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
        named = ", ".join(shown(name) for name in others[:_N_NAMED])
        more = f" and {len(others) - _N_NAMED} more" if len(others) > _N_NAMED else ""
        text = f"{len(others)} files of the folder are no images of the series: {named}{more}"
        notes.append(Problem(text, path=shown(folder), severity="note", code="other-files"))
    return [part for path, meta in found for part in read_slices(path, meta)], notes


def sort_slices(place: Path, slices: Sequence[Slice]) -> tuple[list[Slice], float]:
    """Slices by where they lie along their normal, and the distance between them in mm.

    Names and numbers of files are not asked. Raises UnreadableFile naming the slices that
    are turned against the others, of another size, on the place of another one, missing,
    or at uneven distances.
    """
    first = slices[0]
    if len(slices) == 1:
        return [first], first.thickness
    _refuse_strays(place, slices)
    turn = first.orientation if first.orientation is not None else np.zeros(6)
    normal = np.cross(turn[:3], turn[3:])
    places = [part.position for part in slices if part.position is not None]
    depths = np.array([float(position @ normal) for position in places])
    order = np.argsort(depths, kind="stable")
    ordered = [slices[index] for index in order]
    depths = depths[order]
    steps = np.diff(depths)
    doubled = [i for i, step in enumerate(steps) if step < _SAME_PLACE]
    if doubled:
        names = ", ".join(f"{_name(ordered[i])} and {_name(ordered[i + 1])}" for i in doubled[:3])
        raise _refuse(
            place,
            f"{len(doubled)} pairs of its slices lie on one place: {names}",
            "one slice at each place",
            "A folder that holds several time points, echoes or copies has to be divided: one "
            "folder for each.",
            "dicom-doubled",
        )
    usual = float(np.sort(steps)[(len(steps) - 1) // 2])
    odd = [i for i, step in enumerate(steps) if abs(step / usual - 1) > _UNEVEN]
    if odd:
        raise _missing(place, ordered, depths, usual, odd)
    return ordered, usual


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
        raise _refuse(
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
    raise _refuse(
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


def _refuse_strays(place: Path, slices: Sequence[Slice]) -> None:
    """Slices without a place, of another size, or turned against the others."""
    lost = [part for part in slices if part.position is None or part.orientation is None]
    if lost:
        raise _refuse(
            place,
            f"{len(lost)} of its {len(slices)} slices do not say where they lie, so that they "
            f"cannot be sorted: {', '.join(_name(part) for part in lost[:_N_NAMED])}",
            "ImagePositionPatient and ImageOrientationPatient in each",
            "Export the series again with geometry; frames of a film have to be saved one by one.",
            "dicom-no-place",
        )
    shapes = Counter((int(p.meta.Rows), int(p.meta.Columns), p.pixel) for p in slices)
    usual = shapes.most_common(1)[0][0]
    strange = [p for p in slices if (int(p.meta.Rows), int(p.meta.Columns), p.pixel) != usual]
    if strange:
        raise _refuse(
            place,
            f"{len(strange)} of its slices have another size or spacing than the others "
            f"({usual[1]} x {usual[0]}): {', '.join(_name(part) for part in strange[:_N_NAMED])}",
            "slices of one size and pixel spacing",
            "Move them to a folder of their own.",
            "dicom-sizes",
        )
    cosines = np.array([part.orientation for part in slices])
    is_turned = np.abs(cosines - np.median(cosines, axis=0)).max(axis=1) > _SAME_COSINE
    turned = [part for part, is_off in zip(slices, is_turned, strict=True) if is_off]
    if turned:
        raise _refuse(
            place,
            f"{len(turned)} of its {len(slices)} slices are turned against the others (direction "
            f"cosines): {', '.join(_name(part) for part in turned[:_N_NAMED])}",
            "parallel slices",
            "A scout image or another series lies among them: move it out.",
            "dicom-turned",
        )


def _missing(
    place: Path,
    ordered: Sequence[Slice],
    depths: npt.NDArray[np.float64],
    usual: float,
    odd: Sequence[int],
) -> UnreadableFile:
    texts = []
    n_missing = 0
    for index in odd[:_N_NAMED]:
        gap = float(depths[index + 1] - depths[index])
        between = f"between {_name(ordered[index])} and {_name(ordered[index + 1])}"
        n_lost = round(gap / usual) - 1
        is_whole = n_lost > 0 and abs(gap / usual - n_lost - 1) <= _UNEVEN
        n_missing += n_lost if is_whole else 0
        lack = f"{n_lost} missing" if is_whole else f"{gap:.4g} mm"
        texts.append(f"{between}, from {depths[index]:.4g} to {depths[index + 1]:.4g} mm ({lack})")
    head = (
        f"{n_missing} of its slices are missing"
        if n_missing
        else "the distances of its slices are uneven"
    )
    return _refuse(
        place,
        f"{head} ({len(ordered)} are there, {usual:.4g} mm apart): {'; '.join(texts)}",
        "every slice of the series, at even distances",
        "Export or copy the series again; what is missing is not invented.",
        "dicom-missing-slice" if n_missing else "dicom-uneven",
    )


def _name(part: Slice) -> str:
    n_frames = int(part.meta.get("NumberOfFrames") or 1)
    return shown(part.path.name) + (f" frame {part.frame + 1}" if n_frames > 1 else "")


def _refuse(path: Path, what: str, expected: str, remedy: str, code: str) -> UnreadableFile:
    return UnreadableFile(what, expected, remedy, path=shown(path), code=code)
