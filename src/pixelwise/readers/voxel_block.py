"""The voxels of a file as one array: mapped where they lie open, unpacked once where packed."""

from __future__ import annotations

import bz2
import gzip
import io
import math
import tempfile
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

import numpy as np

from pixelwise.core.image import Array
from pixelwise.core.sinks import map_stream

Packing = Literal["raw", "gzip", "zlib", "bzip2"]

_IN_MEMORY = 1 << 28
"""Unpacked voxels above this many bytes lie in an unnamed file on disk, not in memory."""

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """Voxels in one file: from `offset` on; in a file packed as a whole, after unpacking."""

    path: Path
    offset: int = 0


class VoxelBlock:
    """An array of stored voxels, slowest axis first, in one file or in one per slab.

    Open voxels of a single file are mapped, so that only what is read is loaded. Packed
    ones are unpacked at the first use, once and whole, because a packed stream has no
    places to enter: into memory up to 256 MB, beyond that into an unnamed file on disk.
    whole_file: packing covers the file from its first byte (.nii.gz), else from `offset`.
    Raises EOFError if the files are too short; packed ones only when they are unpacked.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        dtype: np.dtype[np.generic],
        shape: tuple[int, ...],
        packing: Packing = "raw",
        *,
        whole_file: bool = False,
    ) -> None:
        self._parts = tuple(parts)
        self._dtype = dtype
        self._shape = shape
        self._packing = packing
        self._whole_file = whole_file
        self._values: Array | None = None
        self._lock = threading.Lock()
        self._part_bytes = math.prod(shape) * dtype.itemsize // max(1, len(self._parts))
        if packing == "raw":
            for part in self._parts:
                self._check_length(part)

    def values(self) -> Array:
        """The array of the given shape, of the stored byte order."""
        with self._lock:
            if self._values is None:
                self._values = self._map() if self._is_open else self._unpack()
            return self._values

    def close(self) -> None:
        """Let go of mapped or unpacked voxels."""
        self._values = None

    @property
    def _is_open(self) -> bool:
        return self._packing == "raw" and len(self._parts) == 1

    def _check_length(self, part: Part) -> None:
        n_bytes = part.path.stat().st_size
        needed = part.offset + self._part_bytes
        if n_bytes < needed:
            raise EOFError(f"truncated: {part.path.name} has {n_bytes} bytes of {needed}")

    def _map(self) -> Array:
        part = self._parts[0]
        if not math.prod(self._shape):
            return np.zeros(self._shape, self._dtype)
        return np.memmap(part.path, self._dtype, "r", part.offset, self._shape)

    def _unpack(self) -> Array:
        values = _scratch(self._shape, self._dtype)
        flat = values.reshape(-1).view(np.uint8).data
        for index, part in enumerate(self._parts):
            target = flat[index * self._part_bytes : (index + 1) * self._part_bytes]
            with part.path.open("rb") as file:
                if not self._whole_file:
                    file.seek(part.offset)
                stream = open_packed(file, self._packing)
                if self._whole_file:
                    _skip(stream, part.offset)
                _fill(target, stream)
        return values


def open_packed(file: IO[bytes], packing: Packing) -> IO[bytes]:
    """A stream of unpacked bytes from where a file stands."""
    if packing == "gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    if packing == "bzip2":
        return cast(IO[bytes], bz2.BZ2File(file))
    return cast(IO[bytes], io.BufferedReader(_Inflating(file))) if packing == "zlib" else file


class _Inflating(io.RawIOBase):
    """A zlib stream as a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._unpacker = zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, target: object) -> int:
        view = memoryview(cast(bytearray, target)).cast("B")
        while not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail or self._file.read(_CHUNK)
            found = self._unpacker.decompress(packed, len(view))
            if found:
                view[: len(found)] = found
                return len(found)
            if not packed:
                raise EOFError("truncated: the packed data break off")
        return 0


def _scratch(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Array:
    if math.prod(shape) * dtype.itemsize <= _IN_MEMORY:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile() as stream:
        return map_stream(stream, dtype.str, shape, b"")


def _skip(stream: IO[bytes], n_bytes: int) -> None:
    while n_bytes > 0:
        found = stream.read(min(n_bytes, _CHUNK))
        if not found:
            raise EOFError("truncated: the data break off in the header")
        n_bytes -= len(found)


def _fill(target: memoryview, stream: IO[bytes]) -> None:
    filled = 0
    try:
        while filled < len(target):
            n_read = stream.readinto(target[filled : filled + _CHUNK])  # type: ignore[attr-defined]  # every stream here has it
            if not n_read:
                break
            filled += n_read
        if filled == len(target):
            stream.read(1)  # reaching the end makes gzip compare its checksum
    except EOFError as error:
        raise EOFError(f"truncated: {error}") from error
    if filled < len(target):
        raise EOFError(f"truncated: {filled} bytes of {len(target)} unpack")


def write_voxels(stream: IO[bytes] | gzip.GzipFile, stored: Array) -> None:
    """Write an array slab by slab in C order, so that a view of another order is not copied."""
    for slab in stored:
        stream.write(np.ascontiguousarray(slab).data)
