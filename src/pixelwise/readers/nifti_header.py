"""What a NIfTI header says: axes, place in space, units, channels or time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.contents import misnamed, shown
from pixelwise.core.errors import Problem, UnreadableFile
from pixelwise.core.image import Array, Header
from pixelwise.core.placement import Placement, place_volume
from pixelwise.readers.channel_axes import count_volumes, tilt_note
from pixelwise.readers.stored_values import import_extra, rescaled_dtype

NIFTI = "nifti"
"""Key of Header.geometry: the bytes of the header, for labels on the same grid."""

_SUFFIXES = (".nii", ".nii.gz", ".gz")
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_IN_MM = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}
_LARGEST_MM = 100.0
"""A voxel longer than this was measured in another unit than its header says."""

_SAME_FORMS = 0.5
_RGB = {128: 3, 2304: 4}
"""Datatype codes of colours, 8 bits each: channels."""


@dataclass(frozen=True, slots=True)
class NiftiLayout:
    """How the bytes of a file make up a volume.

    stored_shape has the slowest axis first: (…, k, j, i[, colour]).
    """

    header: Header
    offset: int
    stored_dtype: np.dtype[Any]
    stored_shape: tuple[int, ...]
    as_channels: Callable[[Array], Array]
    slope: float = 1.0
    intercept: float = 0.0


def read_layout(path: Path, head: bytes) -> NiftiLayout:
    """The layout that the first bytes of an unpacked file describe.

    Raises UnreadableFile for what cannot be read without a guess, MissingExtra without nibabel.
    """
    raw = parse_header(path, head)
    sizes = _sizes(path, raw)
    n_channels, notes = _count_channels(path, raw, sizes)
    code = int(raw["datatype"])
    n_colours = _RGB.get(code, 0)
    stored_dtype = np.dtype("u1") if n_colours else raw.get_data_dtype()
    if stored_dtype.kind not in "iuf" or stored_dtype.itemsize > 8:
        raise _refuse(
            path, f"its numbers are of type {stored_dtype}", "whole or real numbers", "number-type"
        )
    slope, intercept = _scaling(raw)
    spatial = (sizes[0], sizes[1], sizes[2])
    placement, placement_notes = _place(path, raw, spatial)
    stored_shape = (n_channels, *spatial[::-1]) + ((n_colours,) if n_colours else ())
    dtype = rescaled_dtype(stored_dtype, slope, intercept)
    header = Header(
        path=path,
        shape=placement.array_shape,
        n_channels=n_colours or n_channels,
        dtype=dtype,
        format_name="NIfTI",
        spacing=placement.spacing,
        unit="mm",
        geometry={NIFTI: head[: int(raw["sizeof_hdr"])]},
        notes=tuple(misnamed(path, "NIfTI", _SUFFIXES) + notes + placement_notes),
        placement=placement,
    )
    return NiftiLayout(
        header,
        _offset(path, raw),
        stored_dtype,
        stored_shape,
        partial(_as_channels, placement=placement, is_colour=bool(n_colours)),
        slope,
        intercept,
    )


def parse_header(path: Path, head: bytes) -> Any:
    """The header record of nibabel, of either version and byte order."""
    nifti1 = import_extra("nibabel.nifti1", "NIfTI")
    nifti2 = import_extra("nibabel.nifti2", "NIfTI")
    sizes = {int.from_bytes(head[:4], order) for order in ("little", "big")}
    kind = nifti2.Nifti2Header if 540 in sizes else nifti1.Nifti1Header
    n_bytes = 540 if 540 in sizes else 348
    if len(head) < n_bytes:
        raise EOFError(f"truncated: the header has {len(head)} bytes of {n_bytes}")
    raw = kind(head[:n_bytes], check=False)
    if bytes(raw["magic"])[:3] in (b"ni1", b"ni2"):
        raise _refuse(
            path,
            "it is the header of a NIfTI volume in two files (.hdr and .img)",
            "a single file",
            "two-files",
            "Save it as .nii or .nii.gz.",
        )
    return raw


def _sizes(path: Path, raw: Any) -> tuple[int, ...]:
    """Lengths along i, j, k and up to four further axes."""
    n_dims = int(raw["dim"][0])
    sizes = [int(n) for n in raw["dim"][1 : n_dims + 1]]
    if not 2 <= n_dims <= 7 or min(sizes, default=0) < 1:
        raise _refuse(path, f"its header claims {n_dims} axes of sizes {sizes}", "2 to 7 axes")
    return tuple(sizes + [1] * (7 - n_dims))


def _offset(path: Path, raw: Any) -> int:
    offset = float(raw["vox_offset"])
    if not math.isfinite(offset) or not 0 <= offset < 1 << 40:
        raise _refuse(path, f"its voxels are said to begin at byte {offset}", "a place in the file")
    return max(int(offset), int(raw["sizeof_hdr"]))


def _count_channels(path: Path, raw: Any, sizes: tuple[int, ...]) -> tuple[int, list[Problem]]:
    """How many channels the further axes are, or a refusal because they are time points.

    The fifth axis holds vectors by definition. The fourth is time by definition, but is
    used for channels by well-known data sets, whose headers often name seconds by habit:
    time is believed if the header gives a step other than 0 or 1, or if there are many.
    """
    n_times, n_values = sizes[3], sizes[4]
    if math.prod(sizes[5:]) > 1 or (n_times > 1 and n_values > 1):
        text = " x ".join(str(n) for n in sizes if n > 1)
        raise _refuse(path, f"it has more than four axes: {text}", "a volume, or one with channels")
    if n_times == 1:
        return n_values, []
    step, unit = float(raw["pixdim"][4]), raw.get_xyzt_units()[1]
    is_time = unit in ("sec", "msec", "usec") and step not in (0.0, 1.0)
    why = f"a step of {step:g} {unit}; channels have the step pixdim[4] = 0"
    return n_times, count_volumes(path, n_times, is_time=is_time, is_said=False, why=why)


def _scaling(raw: Any) -> tuple[float, float]:
    slope, intercept = float(raw["scl_slope"]), float(raw["scl_inter"])
    if not math.isfinite(slope) or slope == 0 or int(raw["datatype"]) in _RGB:
        return 1.0, 0.0
    return slope, intercept if math.isfinite(intercept) else 0.0


def _place(path: Path, raw: Any, sizes: tuple[int, int, int]) -> tuple[Placement, list[Problem]]:
    """The placement in mm by sform, else qform, else the spacing alone; and what is odd."""
    factor, notes = _unit_factor(path, raw)
    scale = np.diag([factor, factor, factor, 1.0])
    sform, qform = _forms(path, raw)
    chosen = sform if sform is not None else qform
    try:
        if chosen is None:
            steps = np.abs(np.asarray(raw["pixdim"][1:4], np.float64))
            steps[steps == 0] = 1.0
            flat = place_volume(scale @ np.diag([*steps, 1.0]), sizes, is_anatomical=False)
            return _check_lengths(path, flat, raw), [*notes, _no_orientation(path)]
        placement = place_volume(scale @ RAS_TO_LPS @ chosen, sizes)
        _check_lengths(path, placement, raw)
        if sform is not None and qform is not None:
            notes += _compare_forms(path, placement, scale @ RAS_TO_LPS @ qform, sizes)
    except ValueError as error:
        raise _refuse(path, str(error), "three axes that span a volume", "bad-affine") from error
    return placement, notes + tilt_note(path, placement)


def _unit_factor(path: Path, raw: Any) -> tuple[float, list[Problem]]:
    """What lengths are multiplied by to be mm."""
    try:
        unit = raw.get_xyzt_units()[0]
    except KeyError as error:
        code = int(raw["xyzt_units"])
        raise _refuse(path, f"its unit of length has the code {code}", "1, 2 or 3") from error
    factor = _IN_MM.get(unit, 1.0)
    if unit in ("mm", "unknown"):
        return 1.0, []
    name = "metres" if unit == "meter" else "micrometres"
    note = f"its lengths are in {name}; they were turned into mm (times {factor:g})"
    return factor, [Problem(note, path=shown(path), severity="note", code="length-unit")]


def _check_lengths(path: Path, placement: Placement, raw: Any) -> Placement:
    longest = max(placement.spacing)
    if longest > _LARGEST_MM:
        unit = raw.get_xyzt_units()[0]
        raise _refuse(
            path,
            f"its header says that a voxel is {longest:g} mm long (unit: {unit})",
            f"voxels of at most {_LARGEST_MM:g} mm",
            "length-unit",
            "The numbers are probably millimetres: correct the unit in the header "
            "(xyzt_units = 2).",
        )
    return placement


def _forms(
    path: Path, raw: Any
) -> tuple[npt.NDArray[np.float64] | None, npt.NDArray[np.float64] | None]:
    """sform and qform as 4 x 4 matrices to RAS, None where the code says that there is none."""
    sform = raw.get_sform() if int(raw["sform_code"]) > 0 else None
    try:
        qform = raw.get_qform() if int(raw["qform_code"]) > 0 else None
    except ValueError as error:  # a quaternion longer than 1
        if sform is None:
            raise _refuse(
                path, f"its rotation is no rotation: {error}", "a quaternion of length 1"
            ) from error
        qform = None
    return sform, qform


def _compare_forms(
    path: Path, placement: Placement, other: npt.NDArray[np.float64], sizes: tuple[int, int, int]
) -> list[Problem]:
    try:
        apart = placement.distance_to_matrix(other)
    except ValueError:
        return []
    if apart <= _SAME_FORMS * min(placement.spacing):
        return []
    return [
        Problem(
            f"its two matrices disagree: sform and qform place corners {apart:.3g} mm apart; "
            "sform is used",
            "",
            "Make them equal if the other one is right (nibabel: set_sform, set_qform).",
            shown(path),
            "warning",
            "two-forms",
        )
    ]


def _no_orientation(path: Path) -> Problem:
    return Problem(
        "its header does not say how it lies in the patient (sform and qform codes are 0): "
        "its axes are kept as stored, i = x, j = y, k = z",
        path=shown(path),
        severity="note",
        code="no-orientation",
    )


def _as_channels(stored: Array, *, placement: Placement, is_colour: bool) -> Array:
    """(c, k, j, i) or (1, k, j, i, colour) as stored -> (c, [z,] y, x), a view."""
    values = np.moveaxis(stored[0], -1, 0) if is_colour else stored
    return placement.to_array(values)


def _refuse(
    path: Path, what: str, expected: str, code: str = "bad-header", remedy: str = ""
) -> UnreadableFile:
    remedy = remedy or "Convert or export it again, or remove it."
    return UnreadableFile(what, expected, remedy, path=shown(path), code=code)
