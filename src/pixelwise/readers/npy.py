"""NumPy files: pictures, volumes and label arrays by region, class probabilities both ways."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from pixelwise.core.contents import damaged, misnamed, shown
from pixelwise.core.errors import BadOutput, Problem, UnreadableFile
from pixelwise.core.image import Array, Closing, Header, LabelStyle, Region, Sink
from pixelwise.core.sinks import RegionSink, map_stream
from pixelwise.readers import READERS, Purpose

_MAGIC = b"\x93NUMPY"
_COLOURS = (3, 4)
_MOST_CHANNELS = 16


class ArraySource(Closing):
    """A memory-mapped array; `order` says how its axes become (c, [z,] y, x)."""

    def __init__(self, path: Path, purpose: Purpose) -> None:
        try:
            stored: Array = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            if "object" not in str(error):
                raise damaged(path, error) from error
            raise UnreadableFile(
                "it holds Python objects, which are never unpacked: that could run foreign code",
                "an array of numbers",
                "Save the numbers alone, as in np.save(path, np.stack(list_of_slices)).",
                path=shown(path),
                code="array-shape",
            ) from error
        except Exception as error:  # numpy raises many kinds on damaged headers
            raise damaged(path, error) from error
        notes: list[Problem] = []
        if purpose == "probabilities":
            _check_probabilities(path, stored)
            self._values = stored
        else:
            self._values, notes = _as_channels(path, stored)
        shape, dtype = self._values.shape, self._values.dtype
        native = np.dtype("uint8") if dtype.kind == "b" else dtype.newbyteorder("=")
        self._header = Header(path, shape[1:], shape[0], native, "NumPy", notes=tuple(notes))

    @property
    def header(self) -> Header:
        return self._header

    def read(self, region: Region | None = None) -> Array:
        values = self._values if region is None else self._values[(slice(None), *region)]
        return np.array(values, dtype=self._header.dtype, order="C")


def _check_probabilities(path: Path, stored: Array) -> None:
    if stored.ndim not in (3, 4) or not np.issubdtype(stored.dtype, np.floating):
        raise UnreadableFile(
            f"it holds {stored.dtype} of shape {stored.shape}",
            "class probabilities: floating point numbers of shape (k, [z,] y, x)",
            "Give the file that `predict --probabilities` wrote.",
            path=shown(path),
            code="not-probabilities",
        )


def _as_channels(path: Path, stored: Array) -> tuple[Array, list[Problem]]:
    """An array as (c, [z,] y, x), and what was assumed about its axes.

    (y, x); (y, x, 3 or 4) of bytes is a colour picture; (z, y, x); (c, z, y, x).
    """
    if stored.dtype.kind not in "buif" or stored.dtype.itemsize > 8 or 0 in stored.shape:
        raise _refuse(path, stored, "numbers with 2, 3 or 4 axes", "Save it as such an array.")
    notes = misnamed(path, "NumPy", (".npy",))
    if stored.ndim == 2:
        return stored[None], notes
    if stored.ndim == 3 and stored.shape[-1] in _COLOURS:
        if stored.dtype != np.uint8:
            raise _ambiguous(path, stored, "its last axis may be colours or x")
        notes.append(_assumed(path, stored, "(y, x, colour)"))
        return np.moveaxis(stored, -1, 0)[:3], notes
    if stored.ndim == 3:
        if stored.shape[0] in (2, *_COLOURS):
            raise _ambiguous(path, stored, "its first axis may be slices or channels")
        notes.append(_assumed(path, stored, "(z, y, x)"))
        return _plane(stored[None]), notes
    if stored.ndim == 4:
        if stored.shape[0] > _MOST_CHANNELS:
            raise _ambiguous(path, stored, f"its first axis is too long for {_MOST_CHANNELS} "
                             "channels")  # fmt: skip
        notes.append(_assumed(path, stored, "(channel, z, y, x)"))
        return _plane(stored), notes
    raise _refuse(path, stored, "2, 3 or 4 axes", "Save pictures and volumes one by one.")


def _plane(values: Array) -> Array:
    """A volume of one plane is a picture."""
    return values[:, 0] if values.shape[1] == 1 else values


def _assumed(path: Path, stored: Array, axes: str) -> Problem:
    return Problem(
        f"its shape {stored.shape} is read as {axes}: the file does not name its axes",
        path=shown(path),
        severity="note",
        code="assumed-axes",
    )


def _ambiguous(path: Path, stored: Array, why: str) -> UnreadableFile:
    return _refuse(
        path,
        stored,
        "(y, x), (z, y, x), (channel, z, y, x), or bytes (y, x, 3)",
        f"It is not clear what is meant ({why}): add the missing axis, as in array[None] for "
        "one channel, or move the channels to the front of four axes.",
        "ambiguous-axes",
    )


def _refuse(
    path: Path, stored: Array, expected: str, remedy: str, code: str = "array-shape"
) -> UnreadableFile:
    what = f"it holds {stored.dtype} of shape {stored.shape}"
    return UnreadableFile(what, expected, remedy, path=shown(path), code=code)


def create_npy(path: Path, header: Header, style: LabelStyle) -> Sink:
    """A .npy file that is being filled with labels ([z,] y, x)."""
    dtype = style.dtype
    if len(header.shape) not in (2, 3):
        raise BadOutput(f"labels of shape {header.shape} have no place in a .npy file",
                        "2D or 3D labels", path=shown(path), code="unknown-format")  # fmt: skip
    return _create(path, header.shape, np.dtype(dtype).newbyteorder("<").str, 0)


def create_npy_probabilities(path: Path, shape: tuple[int, ...], n_classes: int) -> Sink:
    """A .npy file that is being filled with probabilities."""
    return _create(path, (n_classes, *shape), "<f2", 1)


def _create(path: Path, shape: tuple[int, ...], dtype: str, n_leading: int) -> Sink:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": dtype, "fortran_order": False, "shape": shape}
    )

    def prepare(temporary: Path) -> Array:
        with temporary.open("r+b") as stream:
            return map_stream(stream, dtype, shape, head.getvalue())

    return RegionSink(path, prepare, _flush, n_leading=n_leading)


def _flush(temporary: Path, values: Array) -> None:
    if isinstance(values, np.memmap):
        values.flush()


@READERS.register(
    "npy",
    recognises=lambda head: head.startswith(_MAGIC),
    suffixes=(".npy",),
    purposes=("image", "labels", "probabilities"),
    sinks={".npy": create_npy},
    probability_sinks={".npy": create_npy_probabilities},
)
def open_npy(path: Path, purpose: Purpose) -> ArraySource:
    """Open a NumPy array."""
    return ArraySource(path, purpose)
