"""Where the voxels of an NRRD volume lie: in its own file, in another one, or in one per slab."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pixelwise.core.contents import read_head, shown
from pixelwise.core.errors import UnreadableFile
from pixelwise.readers.voxel_block import Packing, Part, VoxelBlock

_PACKINGS: dict[str, Packing] = {
    "raw": "raw",
    "gzip": "gzip",
    "gz": "gzip",
    "bzip2": "bzip2",
    "bz2": "bzip2",
}


def open_block(
    path: Path,
    fields: Mapping[str, str],
    offset: int,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
) -> VoxelBlock:
    """The voxels that a header describes, in its own file or in others beside it."""
    encoding = need(path, fields, "encoding").lower()
    packing = _PACKINGS.get(encoding)
    if packing is None:
        raise refuse(path, f"its data are encoded as {encoding!r}", "raw, gzip or bzip2")
    if dtype.itemsize > 1 and packing == "raw" and "endian" not in fields:
        raise refuse(path, "it does not say in which order bytes are stored", "the field 'endian'")
    data = fields.get("data file", fields.get("datafile"))
    files = [path] if data is None else _data_files(path, data)
    if data is not None:
        for file in files:
            read_head(file)  # says what is wrong with a missing or odd one
    skip = int(fields.get("byte skip", fields.get("byteskip", "0")))
    n_lines = int(fields.get("line skip", fields.get("lineskip", "0")))
    n_bytes = int(np.prod(shape)) * dtype.itemsize // len(files)
    parts = []
    for file in files:
        start = _skip_lines(file, offset if data is None else 0, n_lines)
        at_end = skip == -1 and packing == "raw"
        parts.append(Part(file, file.stat().st_size - n_bytes if at_end else start + max(skip, 0)))
    return VoxelBlock(parts, dtype, shape, packing)


def _data_files(path: Path, text: str) -> list[Path]:
    """One file, a pattern with first, last and step, or the list that ends the header."""
    words = text.split()
    if words[0] == "LIST":
        lines = path.read_text("utf-8", "replace").splitlines()
        start = next(n for n, line in enumerate(lines) if re.match(r"data ?file:\s*LIST", line))
        return [path.parent / line.strip() for line in lines[start + 1 :] if line.strip()]
    if "%" in words[0] and len(words) >= 4:
        first, last, step = (int(word) for word in words[1:4])
        numbers = range(first, last + (1 if step > 0 else -1), step)
        return [path.parent / (words[0] % number) for number in numbers]
    return [path.parent / text]


def _skip_lines(file: Path, offset: int, n_lines: int) -> int:
    if not n_lines:
        return offset
    with file.open("rb") as stream:
        stream.seek(offset)
        for _ in range(n_lines):
            stream.readline()
        return stream.tell()


def need(path: Path, fields: Mapping[str, str], name: str) -> str:
    """A field that must be there."""
    if name not in fields:
        raise refuse(path, f"its header has no field {name!r}", f"the field {name!r}")
    return fields[name]


def refuse(path: Path, what: str, expected: str) -> UnreadableFile:
    """The error for a header that cannot be followed."""
    return UnreadableFile(
        what,
        expected,
        "Convert or export it again, or remove it.",
        path=shown(path),
        code="bad-header",
    )
