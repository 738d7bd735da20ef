"""Outputs filled by region: under a temporary name until they are whole."""

from __future__ import annotations

import io
import math
import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np

from pixelwise.core.errors import ProgramError
from pixelwise.core.files import replacing
from pixelwise.core.image import Array, Region

_IN_MEMORY = 1 << 28
"""Label images above this many bytes are kept on disk while they are filled."""


class _Discarded(Exception):
    """Leaves the writing of a file without a result."""


class RegionSink:
    """A file of values ([k,] [z,] y, x) that appears under its name when `close` succeeds.

    prepare(temporary) gives the array to fill, finish(temporary, values) completes the
    file. n_leading axes (classes) come before the spatial ones and are written whole.
    Raises BadOutput if the place cannot be written, at once or at `close`.
    """

    def __init__(
        self,
        path: Path,
        prepare: Callable[[Path], Array],
        finish: Callable[[Path, Array], None],
        n_leading: int = 0,
    ) -> None:
        self._leading = (slice(None),) * n_leading
        self._finish = finish
        self._values: Array | None = None
        self._stack = ExitStack()
        self._temporary = self._stack.enter_context(replacing(path))
        with ExitStack() as guard:
            guard.push(self._stack)
            self._values = prepare(self._temporary)
            guard.pop_all()

    def write(self, region: Region, values: Array) -> None:
        """Put values where the spatial region lies."""
        if self._values is None:
            raise ProgramError("a sink was written to after it was closed")
        self._values[(*self._leading, *region)] = values

    def close(self) -> None:
        """Complete the file and rename it into place."""
        if self._values is None:
            return
        values, self._values = self._values, None
        with self._stack:
            self._finish(self._temporary, values)

    def discard(self) -> None:
        """Leave nothing behind."""
        self._values = None
        self._stack.__exit__(_Discarded, _Discarded(), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


def blank_labels(beside: Path, shape: tuple[int, ...], dtype: str) -> Array:
    """Zeros: in memory, or above 256 MB in an unnamed file on the disk of `beside`.

    Raises OSError if that disk is full.
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    if n_bytes <= _IN_MEMORY:
        return np.zeros(shape, dtype)
    with tempfile.TemporaryFile(dir=beside.parent) as stream:
        return map_stream(stream, dtype, shape, b"")


def map_stream(stream: IO[bytes], dtype: str, shape: tuple[int, ...], head: bytes) -> Array:
    """Map an empty file to an array that starts after `head`, with its space reserved.

    The space is taken first because a disk that fills up under a memory map kills the
    process. Raises OSError if there is not enough.
    """
    n_bytes = len(head) + math.prod(shape) * np.dtype(dtype).itemsize
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(stream.fileno(), 0, n_bytes)
    else:
        stream.truncate(n_bytes)
    stream.seek(0, io.SEEK_SET)
    stream.write(head)
    stream.flush()
    values: Array = np.memmap(stream, dtype, "r+", len(head), shape)
    return values
