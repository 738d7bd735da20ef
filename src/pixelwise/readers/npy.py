"""Class probabilities as .npy: float16 (k, [z,] y, x), written and read by region on disk."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from pixelwise.core.contents import damaged, shown
from pixelwise.core.errors import UnreadableFile
from pixelwise.core.image import Array, Closing, Header, Region, Sink
from pixelwise.core.sinks import RegionSink, map_stream
from pixelwise.readers import READERS, Purpose

_MAGIC = b"\x93NUMPY"


class ArraySource(Closing):
    """A memory-mapped array whose first axis is the class."""

    def __init__(self, path: Path) -> None:
        try:
            self._values: Array = np.load(path, mmap_mode="r", allow_pickle=False)
        except Exception as error:  # numpy raises many kinds on damaged headers
            raise damaged(path, error) from error
        shape, dtype = self._values.shape, self._values.dtype
        if len(shape) not in (3, 4) or not np.issubdtype(dtype, np.floating):
            raise UnreadableFile(
                f"it holds {dtype} of shape {shape}",
                "class probabilities: floating point numbers of shape (k, [z,] y, x)",
                "Give the file that `predict --probabilities` wrote.",
                path=shown(path),
                code="not-probabilities",
            )
        self._header = Header(path, shape[1:], shape[0], dtype.newbyteorder("="), "NumPy")

    @property
    def header(self) -> Header:
        return self._header

    def read(self, region: Region | None = None) -> Array:
        values = self._values if region is None else self._values[(slice(None), *region)]
        return np.array(values, dtype=self._header.dtype)


def create_npy(path: Path, shape: tuple[int, ...], n_classes: int) -> Sink:
    """A .npy file that is being filled with probabilities."""
    full = (n_classes, *shape)
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<f2", "fortran_order": False, "shape": full}
    )

    def prepare(temporary: Path) -> Array:
        with temporary.open("r+b") as stream:
            return map_stream(stream, "<f2", full, head.getvalue())

    return RegionSink(path, prepare, _flush, n_leading=1)


def _flush(temporary: Path, values: Array) -> None:
    if isinstance(values, np.memmap):
        values.flush()


@READERS.register(
    "npy",
    recognises=lambda head: head.startswith(_MAGIC),
    suffixes=(".npy",),
    purposes=("probabilities",),
    sinks={".npy": create_npy},
)
def open_npy(path: Path, purpose: Purpose) -> ArraySource:
    """Open class probabilities."""
    return ArraySource(path)
