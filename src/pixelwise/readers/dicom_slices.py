"""Slices of a DICOM series sorted in space and placed; gaps and strays are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixelwise.core.contents import shown
from pixelwise.core.errors import UnreadableFile
from pixelwise.core.placement import Placement, place_volume
from pixelwise.readers.dicom_files import N_NAMED, Slice, refuse_series

_SAME_COSINE = 1e-3
_SAME_PLACE = 0.01
"""Slices nearer than this (mm) lie on one place."""

_UNEVEN = 0.1
"""A distance between slices that differs from the usual one by more than this share is uneven."""


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
        raise refuse_series(
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


def place_slices(slices: Sequence[Slice], step: float) -> Placement | None:
    """The placement of sorted slices; None for a single one that does not say where it lies."""
    first, last = slices[0], slices[-1]
    if first.position is None or last.position is None or first.orientation is None:
        return None
    if first.pixel is None:
        return None
    along, down = first.orientation[:3], first.orientation[3:]
    affine = np.eye(4)
    affine[:3, 0] = along * first.pixel[1]
    affine[:3, 1] = down * first.pixel[0]
    affine[:3, 2] = np.cross(along, down) * step
    if len(slices) > 1:
        affine[:3, 2] = (last.position - first.position) / (len(slices) - 1)
    affine[:3, 3] = first.position
    shape = (int(first.meta.Columns), int(first.meta.Rows), len(slices))
    return place_volume(affine, shape)


def _refuse_strays(place: Path, slices: Sequence[Slice]) -> None:
    """Slices without a place, of another size, or turned against the others."""
    lost = [part for part in slices if part.position is None or part.orientation is None]
    if lost:
        raise refuse_series(
            place,
            f"{len(lost)} of its {len(slices)} slices do not say where they lie, so that they "
            f"cannot be sorted: {', '.join(_name(part) for part in lost[:N_NAMED])}",
            "ImagePositionPatient and ImageOrientationPatient in each",
            "Export the series again with geometry; frames of a film have to be saved one by one.",
            "dicom-no-place",
        )
    shapes = Counter((int(p.meta.Rows), int(p.meta.Columns), p.pixel) for p in slices)
    usual = shapes.most_common(1)[0][0]
    strange = [p for p in slices if (int(p.meta.Rows), int(p.meta.Columns), p.pixel) != usual]
    if strange:
        raise refuse_series(
            place,
            f"{len(strange)} of its slices have another size or spacing than the others "
            f"({usual[1]} x {usual[0]}): {', '.join(_name(part) for part in strange[:N_NAMED])}",
            "slices of one size and pixel spacing",
            "Move them to a folder of their own.",
            "dicom-sizes",
        )
    cosines = np.array([part.orientation for part in slices])
    is_turned = np.abs(cosines - np.median(cosines, axis=0)).max(axis=1) > _SAME_COSINE
    turned = [part for part, is_off in zip(slices, is_turned, strict=True) if is_off]
    if turned:
        raise refuse_series(
            place,
            f"{len(turned)} of its {len(slices)} slices are turned against the others (direction "
            f"cosines): {', '.join(_name(part) for part in turned[:N_NAMED])}",
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
    for index in odd[:N_NAMED]:
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
    return refuse_series(
        place,
        f"{head} ({len(ordered)} are there, {usual:.4g} mm apart): {'; '.join(texts)}",
        "every slice of the series, at even distances",
        "Export or copy the series again; what is missing is not invented.",
        "dicom-missing-slice" if n_missing else "dicom-uneven",
    )


def _name(part: Slice) -> str:
    n_frames = int(part.meta.get("NumberOfFrames") or 1)
    return shown(part.path.name) + (f" frame {part.frame + 1}" if n_frames > 1 else "")
