"""What an NRRD header says: axes, type, place in space, data files; and writing one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.contents import misnamed, shown
from pixelwise.core.errors import Problem
from pixelwise.core.grids import MILLIMETRES
from pixelwise.core.image import Array, Header
from pixelwise.core.placement import Placement, place_volume
from pixelwise.readers.channel_axes import count_volumes, tilt_note
from pixelwise.readers.nrrd_data import need, open_block, refuse
from pixelwise.readers.volume_source import stored_order
from pixelwise.readers.voxel_block import VoxelBlock

NRRD = "nrrd"
"""Key of Header.geometry: fields of the spatial axes as they were written."""

_LONGEST_HEADER = 1 << 20
_TYPES = {
    "int8": ("signed char", "int8", "int8_t"),
    "uint8": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "int16": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "uint16": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "int32": ("int", "signed int", "int32", "int32_t"),
    "uint32": ("uint", "unsigned int", "uint32", "uint32_t"),
    "int64": ("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"),
    "uint64": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "float32": ("float",),
    "float64": ("double",),
}
_TO_LPS = {
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
}
_SPATIAL = ("domain", "space", "???", "none", "")
_TIME = "time"


@dataclass(frozen=True, slots=True)
class NrrdLayout:
    """Header, voxels, and how the stored array becomes (c, [z,] y, x)."""

    header: Header
    block: VoxelBlock
    as_channels: Callable[[Array], Array]


def read_layout(path: Path) -> NrrdLayout:
    """The layout that a header describes. Raises UnreadableFile for what it cannot mean."""
    fields, offset = _read_fields(path)
    sizes = [int(text) for text in need(path, fields, "sizes").split()]
    dtype = _dtype(path, fields)
    directions = _directions(fields, len(sizes))
    channel_axis, notes = _find_channels(path, fields, sizes, directions)
    spatial = [axis for axis in range(len(sizes)) if axis != channel_axis]
    lengths = [sizes[axis] for axis in spatial]
    if len(spatial) not in (2, 3) or min(sizes) < 1:
        raise refuse(path, f"its axes have the sizes {sizes}", "a picture, or a volume")
    placement, spacing, unit, place_notes = _place(path, fields, directions, spatial, lengths)
    block = open_block(path, fields, offset, dtype, tuple(reversed(sizes)))
    shape = tuple(reversed(lengths)) if placement is None else placement.array_shape
    header = Header(
        path=path,
        shape=shape,
        n_channels=1 if channel_axis is None else sizes[channel_axis],
        dtype=dtype.newbyteorder("="),
        format_name="NRRD",
        spacing=spacing,
        unit=unit,
        geometry={NRRD: _kept(fields, spatial)},
        notes=(*misnamed(path, "NRRD", (".nrrd", ".nhdr")), *notes, *place_notes),
        placement=placement,
    )
    stored_axis = None if channel_axis is None else len(sizes) - 1 - channel_axis

    def as_channels(stored: Array) -> Array:
        values = stored[None] if stored_axis is None else np.moveaxis(stored, stored_axis, 0)
        return values if placement is None else placement.to_array(values)

    return NrrdLayout(header, block, as_channels)


def label_header(header: Header, dtype: str) -> bytes:
    """The header of a gzipped label file on the grid of an image."""
    sizes = stored_order(header)(np.empty(header.shape, bool)).shape[::-1]
    kept = header.geometry.get(NRRD)
    if header.placement is None and len(header.shape) == 2:
        sizes = sizes[:2]
    lines = {
        "type": {"uint8": "unsigned char", "uint16": "unsigned short"}[dtype],
        "dimension": str(len(sizes)),
        **(kept if kept is not None else _new_fields(header)),
        "sizes": " ".join(map(str, sizes)),
        "kinds": " ".join(["domain"] * len(sizes)),
        "endian": "little",
        "encoding": "gzip",
    }
    text = "NRRD0005\n" + "".join(f"{name}: {value}\n" for name, value in lines.items()) + "\n"
    return text.encode()


def _read_fields(path: Path) -> tuple[dict[str, str], int]:
    """Fields of the header by lower-case name, and where the data begin."""
    fields = {}
    with path.open("rb") as stream:
        for line in iter(stream.readline, b""):
            text = line.decode("utf-8", "replace").strip()
            if not text:
                break
            if stream.tell() > _LONGEST_HEADER:
                raise ValueError("its header does not end")
            name, colon, value = text.partition(":")
            if colon and not text.startswith("#") and not value.startswith("="):
                fields[" ".join(name.lower().split())] = value.strip()
        return fields, stream.tell()


def _dtype(path: Path, fields: Mapping[str, str]) -> np.dtype[Any]:
    given = " ".join(need(path, fields, "type").lower().split())
    name = next((name for name, words in _TYPES.items() if given in words), None)
    if name is None:
        raise refuse(path, f"its numbers are of the type {given!r}", "whole or real numbers")
    order = fields.get("endian", "little").lower()
    return np.dtype(name).newbyteorder(">" if order == "big" else "<")


def _directions(
    fields: Mapping[str, str], n_axes: int
) -> list[npt.NDArray[np.float64] | None] | None:
    """The vector of each axis, None for one that is not spatial; None if none are given."""
    text = fields.get("space directions")
    if text is None:
        return None
    parts = re.findall(r"\([^)]*\)|none", text)
    if len(parts) != n_axes:
        raise ValueError(f"{len(parts)} space directions for {n_axes} axes")
    return [None if part == "none" else _vector(part) for part in parts]


def _vector(text: str) -> npt.NDArray[np.float64]:
    return np.array([float(number) for number in text.strip("() ").split(",")])


def _find_channels(
    path: Path,
    fields: Mapping[str, str],
    sizes: Sequence[int],
    directions: Sequence[Any] | None,
) -> tuple[int | None, list[Problem]]:
    """The axis that is not spatial, by its direction, its kind, or because it is the fourth."""
    kinds = fields.get("kinds", "").lower().replace('"', "").split()
    kinds += [""] * (len(sizes) - len(kinds))
    others = {axis for axis, kind in enumerate(kinds) if kind not in _SPATIAL}
    if directions is not None:
        others |= {axis for axis, vector in enumerate(directions) if vector is None}
    if not others and len(sizes) == 4:
        others = {_further_axis(fields, sizes)}
    if len(others) > 1:
        raise refuse(path, f"{len(others)} of its axes are not spatial", "one such axis at most")
    axis = next(iter(others), None)
    if axis is None:
        return None, []
    is_time = kinds[axis] == _TIME
    is_said = kinds[axis] not in ("list", *_SPATIAL)
    notes = count_volumes(path, sizes[axis], is_time=is_time, is_said=is_said)
    return axis, notes


def _further_axis(fields: Mapping[str, str], sizes: Sequence[int]) -> int:
    """Of four axes that nothing names, the one without spacing, else one of length 1, else 3."""
    steps = [float(text) for text in fields.get("spacings", "").split()]
    unspaced = [axis for axis, step in enumerate(steps[: len(sizes)]) if not np.isfinite(step)]
    if len(unspaced) == 1:
        return unspaced[0]
    return 0 if sizes[0] == 1 < sizes[3] else 3


def _place(
    path: Path,
    fields: Mapping[str, str],
    directions: Sequence[npt.NDArray[np.float64] | None] | None,
    spatial: Sequence[int],
    lengths: Sequence[int],
) -> tuple[Placement | None, tuple[float, ...] | None, str, list[Problem]]:
    """Placement, spacing and unit; the placement in mm where axes of the patient are named."""
    name = fields.get("space", "").lower().removesuffix("-time")
    unit = (re.findall(r'"([^"]*)"', fields.get("space units", "")) or ["mm"])[0] or "mm"
    if directions is None:
        texts = fields.get("spacings", "").split()
        steps = [float(texts[axis]) for axis in spatial] if len(texts) > max(spatial) else []
        is_usable = bool(steps) and all(np.isfinite(step) and step > 0 for step in steps)
        return None, tuple(reversed(steps)) if is_usable else None, "mm" if is_usable else "px", []
    vectors = [v for axis in spatial if (v := directions[axis]) is not None]
    matrix = np.array(vectors).T
    if len(vectors) != 3 or len(matrix) != 3:
        steps = [float(np.linalg.norm(vector)) for vector in vectors]
        return None, tuple(reversed(steps)), unit, []
    is_anatomical = name in _TO_LPS
    factor = MILLIMETRES.get(unit, 1.0) if is_anatomical else 1.0
    affine = np.eye(4)
    affine[:3, :3] = matrix
    affine[:3, 3] = _vector(fields["space origin"]) if "space origin" in fields else 0.0
    affine[:3] *= factor * np.array(_TO_LPS.get(name, (1, 1, 1)))[:, None]
    try:
        placement = place_volume(
            affine, (lengths[0], lengths[1], lengths[2]), is_anatomical=is_anatomical
        )
    except ValueError as error:
        raise refuse(path, str(error), "three axes that span a volume") from error
    notes = tilt_note(path, placement)
    if is_anatomical and factor != 1.0:
        note = f"its lengths are in {unit}; they were turned into mm (times {factor:g})"
        notes.append(Problem(note, path=shown(path), severity="note", code="length-unit"))
    return placement, placement.spacing, "mm" if is_anatomical else unit, notes


def _kept(fields: Mapping[str, str], spatial: Sequence[int]) -> dict[str, str]:
    """Fields that say where a volume lies, without those of its channels."""
    kept = {
        name: fields[name]
        for name in ("space", "space dimension", "space origin", "space units")
        if name in fields
    }
    if "space" in kept:
        kept["space"] = kept["space"].removesuffix("-time")
    if "space directions" in fields:
        parts = re.findall(r"\([^)]*\)|none", fields["space directions"])
        kept["space directions"] = " ".join(parts[axis] for axis in spatial)
    elif len(fields.get("spacings", "").split()) > max(spatial):
        texts = fields["spacings"].split()
        kept["spacings"] = " ".join(texts[axis] for axis in spatial)
    return kept


def _new_fields(header: Header) -> dict[str, str]:
    placement = header.placement
    if placement is not None and placement.is_anatomical:
        matrix = np.asarray(placement.affine)
        vectors = [_text(matrix[:3, axis]) for axis in range(3)]
        return {
            "space": "left-posterior-superior",
            "space directions": " ".join(vectors),
            "space origin": _text(matrix[:3, 3]),
        }
    if header.spacing is None or header.unit not in MILLIMETRES:
        return {}
    steps = [f"{step!r}" for step in reversed(header.spacing)]
    if len(steps) == 2:
        return {"spacings": " ".join(steps)}
    n = len(steps)
    vectors = [
        "(" + ",".join(steps[a] if a == b else "0" for b in range(n)) + ")" for a in range(n)
    ]
    units = " ".join([f'"{header.unit}"'] * n)
    return {
        "space dimension": str(n),
        "space units": units,
        "space directions": " ".join(vectors),
        "space origin": "(" + ",".join(["0"] * n) + ")",
    }


def _text(vector: npt.NDArray[np.float64]) -> str:
    return "(" + ",".join(repr(float(value)) for value in vector) + ")"
