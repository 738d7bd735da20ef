"""What a MetaImage header says: axes, type, place in space, data files; and writing one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.contents import misnamed, read_head, shown
from pixelwise.core.errors import UnreadableFile
from pixelwise.core.grids import lengths_in_mm
from pixelwise.core.image import Array, Header
from pixelwise.core.placement import Placement, place_volume
from pixelwise.readers.channel_axes import count_volumes, tilt_note
from pixelwise.readers.volume_source import stored_order
from pixelwise.readers.voxel_block import Part, VoxelBlock

METAIMAGE = "metaimage"
"""Key of Header.geometry: fields that say where a volume lies, as they were written."""

_LONGEST_HEADER = 1 << 20
_TYPES = {
    "MET_CHAR": "int8",
    "MET_UCHAR": "uint8",
    "MET_SHORT": "int16",
    "MET_USHORT": "uint16",
    "MET_INT": "int32",
    "MET_UINT": "uint32",
    "MET_LONG_LONG": "int64",
    "MET_ULONG_LONG": "uint64",
    "MET_FLOAT": "float32",
    "MET_DOUBLE": "float64",
}
_MATRIX = ("TransformMatrix", "Rotation", "Orientation")
_ORIGIN = ("Offset", "Position", "Origin")
_PLACE = (*_MATRIX, *_ORIGIN, "ElementSpacing", "CenterOfRotation", "AnatomicalOrientation")


@dataclass(frozen=True, slots=True)
class MetaLayout:
    """Header, voxels, and how the stored array becomes (c, [z,] y, x)."""

    header: Header
    block: VoxelBlock
    as_channels: Callable[[Array], Array]


def read_layout(path: Path) -> MetaLayout:
    """The layout that a header describes. Raises UnreadableFile for what it cannot mean."""
    fields, names, offset = _read_fields(path)
    sizes = [int(text) for text in _need(path, fields, "DimSize").split()]
    n_dims = int(_need(path, fields, "NDims"))
    if len(sizes) != n_dims or n_dims not in (2, 3, 4) or min(sizes) < 1:
        raise _refuse(path, f"it has {n_dims} axes of the sizes {sizes}", "2, 3 or 4 axes")
    n_values = int(fields.get("ElementNumberOfChannels", "1"))
    n_volumes = sizes[3] if n_dims == 4 else 1
    if n_values > 1 and n_volumes > 1:
        raise _refuse(path, "it has a fourth axis and several values a voxel", "one of the two")
    notes = count_volumes(path, n_volumes, is_time=False, is_said=False)
    placement, spacing = _place(path, fields, sizes)
    dtype = _dtype(path, fields)
    shape = (*reversed(sizes), n_values)
    header = Header(
        path=path,
        shape=tuple(reversed(sizes)) if placement is None else placement.array_shape,
        n_channels=n_values * n_volumes,
        dtype=dtype.newbyteorder("="),
        format_name="MetaImage",
        spacing=spacing,
        unit="mm" if spacing else "px",
        geometry={METAIMAGE: {k: fields[k] for k in _PLACE if k in fields}} if n_dims == 3 else {},
        notes=(
            *misnamed(path, "MetaImage", (".mha", ".mhd")),
            *notes,
            *(tilt_note(path, placement) if placement is not None else ()),
        ),
        placement=placement,
    )

    def as_channels(stored: Array) -> Array:
        values = np.moveaxis(stored, -1, 0)
        values = values[0] if n_dims == 4 else values
        return values if placement is None else placement.to_array(values)

    return MetaLayout(header, _open_block(path, fields, names, offset, dtype, shape), as_channels)


def label_header(header: Header, dtype: str, n_packed: int) -> bytes:
    """The header of a packed label file on the grid of an image."""
    sizes = stored_order(header)(np.empty(header.shape, bool)).shape[::-1]
    if header.placement is None and len(header.shape) == 2:
        sizes = sizes[:2]
    lines = {
        "ObjectType": "Image",
        "NDims": str(len(sizes)),
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "True",
        "CompressedDataSize": str(n_packed),
        **(header.geometry.get(METAIMAGE) or _new_fields(header)),
        "DimSize": " ".join(map(str, sizes)),
        "ElementType": {"uint8": "MET_UCHAR", "uint16": "MET_USHORT"}[dtype],
        "ElementDataFile": "LOCAL",
    }
    return "".join(f"{name} = {value}\n" for name, value in lines.items()).encode()


def _read_fields(path: Path) -> tuple[dict[str, str], list[str], int]:
    """Fields by name, names of data files if they are listed, and where the header ends."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        for line in iter(stream.readline, b""):
            name, _, value = line.decode("utf-8", "replace").partition("=")
            fields[name.strip()] = value.strip()
            if name.strip() == "ElementDataFile":
                break
            if stream.tell() > _LONGEST_HEADER:
                raise ValueError("its header does not end")
        offset = stream.tell()
        names = []
        if fields.get("ElementDataFile", "").startswith("LIST"):
            text = stream.read(_LONGEST_HEADER).decode("utf-8", "replace")
            names = [line.strip() for line in text.splitlines() if line.strip()]
    return fields, names, offset


def _need(path: Path, fields: Mapping[str, str], name: str) -> str:
    if name not in fields:
        raise _refuse(path, f"its header has no field {name!r}", f"the field {name!r}")
    return fields[name]


def _dtype(path: Path, fields: Mapping[str, str]) -> np.dtype[Any]:
    given = _need(path, fields, "ElementType").upper()
    if given not in _TYPES or not _is_true(fields, "BinaryData", default=True):
        raise _refuse(path, f"its numbers are of the type {given!r}", "binary numbers")
    is_big = _is_true(fields, "BinaryDataByteOrderMSB") or _is_true(fields, "ElementByteOrderMSB")
    return np.dtype(_TYPES[given]).newbyteorder(">" if is_big else "<")


def _is_true(fields: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    return fields[name].lower().startswith(("t", "1")) if name in fields else default


def _place(
    path: Path, fields: Mapping[str, str], sizes: Sequence[int]
) -> tuple[Placement | None, tuple[float, ...] | None]:
    """The placement of a volume in LPS, as ITK reads it; the spacing alone of a picture."""
    texts = fields.get("ElementSpacing", fields.get("ElementSize"))
    n_dims = len(sizes)
    steps = _numbers(texts, n_dims) if texts is not None else None
    if n_dims == 2:
        return None, None if steps is None else tuple(float(s) for s in reversed(steps))
    if steps is None and not any(name in fields for name in (*_MATRIX, *_ORIGIN)):
        return None, None
    steps = np.ones(n_dims) if steps is None else steps
    matrix = next((fields[name] for name in _MATRIX if name in fields), None)
    origin = next((fields[name] for name in _ORIGIN if name in fields), None)
    directions = np.eye(n_dims)
    if matrix is not None:  # one axis after the other, each a row
        directions = _numbers(matrix, n_dims**2).reshape(n_dims, n_dims).T
    affine = np.eye(4)
    affine[:3, :3] = directions[:3, :3] * steps[:3]
    affine[:3, 3] = 0.0 if origin is None else _numbers(origin, n_dims)[:3]
    try:
        placement = place_volume(affine, (sizes[0], sizes[1], sizes[2]))
    except ValueError as error:
        raise _refuse(path, str(error), "three axes that span a volume") from error
    return placement, placement.spacing


def _numbers(text: str, n: int) -> npt.NDArray[np.float64]:
    values = np.array([float(word) for word in text.split()])
    if len(values) != n:
        raise ValueError(f"{len(values)} numbers where {n} belong: {text[:60]!r}")
    return values


def _open_block(
    path: Path,
    fields: Mapping[str, str],
    names: Sequence[str],
    offset: int,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
) -> VoxelBlock:
    packing = "zlib" if _is_true(fields, "CompressedData") else "raw"
    data = _need(path, fields, "ElementDataFile")
    is_local = data.upper() == "LOCAL"
    files = [path] if is_local else [path.parent / name for name in names or _listed(data)]
    if not is_local:
        for file in files:
            read_head(file)  # says what is wrong with a missing or odd one
    n_bytes = int(np.prod(shape)) * dtype.itemsize // len(files)
    skip = int(fields.get("HeaderSize", "0"))
    parts = []
    for file in files:
        start = offset if is_local else max(skip, 0)
        is_at_end = skip == -1 and packing == "raw" and not is_local
        parts.append(Part(file, file.stat().st_size - n_bytes if is_at_end else start))
    return VoxelBlock(parts, dtype, shape, "zlib" if packing == "zlib" else "raw")


def _listed(data: str) -> list[str]:
    """One file, or a pattern with first, last and step."""
    words = data.split()
    if "%" in words[0] and len(words) == 4:
        first, last, step = (int(word) for word in words[1:])
        return [words[0] % number for number in range(first, last + 1, step)]
    return [data]


def _new_fields(header: Header) -> dict[str, str]:
    placement = header.placement
    if placement is not None and placement.is_anatomical:
        matrix = np.asarray(placement.affine)[:3]
        steps = np.linalg.norm(matrix[:, :3], axis=0)
        return {
            "TransformMatrix": _text((matrix[:, :3] / steps).T),
            "Offset": _text(matrix[:, 3]),
            "CenterOfRotation": "0 0 0",
            "AnatomicalOrientation": placement.code,
            "ElementSpacing": _text(steps),
        }
    spacing = lengths_in_mm(header.spacing, header.unit)
    return {} if spacing is None else {"ElementSpacing": _text(np.array(spacing[::-1]))}


def _text(values: npt.NDArray[np.float64]) -> str:
    return " ".join(repr(float(value)) for value in values.ravel())


def _refuse(path: Path, what: str, expected: str) -> UnreadableFile:
    return UnreadableFile(
        what,
        expected,
        "Convert or export it again, or remove it.",
        path=shown(path),
        code="bad-header",
    )
