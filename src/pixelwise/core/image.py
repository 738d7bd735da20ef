"""What travels between files and arrays: header, source, sink, image, label map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from pixelwise.core.errors import Problem
from pixelwise.core.placement import Placement

Region = tuple[slice, ...]
"""Integer slices over the spatial axes ([z,] y, x), start and stop given, step 1."""

Array = npt.NDArray[Any]
LabelArray = npt.NDArray[np.integer[Any]]


NODATA = "nodata"
"""Key of Header.geometry: the number that stands for "nothing measured here"."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says about itself before a pixel is read.

    shape: spatial extent ([z,] y, x), upright (EXIF orientation applied).
    spacing: one number per spatial axis in `unit`, None if the file has none.
    placement: where a volume lies in space and in which order its file stores it; None if
    the file does not say. geometry: what else must be written back (GeoTIFF tags), by reader.
    channel_names: what the file, or the naming of its files, calls its channels.
    format_name: the content's format ("PNG"), whatever the file is called.
    notes: what a reader had to assume or drop, to be shown to the user once.
    """

    path: Path
    shape: tuple[int, ...]
    n_channels: int
    dtype: np.dtype[Any]
    format_name: str
    spacing: tuple[float, ...] | None = None
    unit: str = "px"
    geometry: Mapping[str, Any] = field(default_factory=dict)
    palette: tuple[tuple[int, int, int], ...] | None = None
    notes: tuple[Problem, ...] = ()
    placement: Placement | None = None
    channel_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelStyle:
    """How labels are written besides their grid: number type, colours and names by value.

    keeps_patient: whether formats that know patients (DICOM) repeat their fields.
    """

    dtype: str = "uint8"
    palette: tuple[tuple[int, int, int], ...] | None = None
    class_names: tuple[str, ...] = ()
    keeps_patient: bool = False


class Source(Protocol):
    """An opened image. `read` gives (c, [z,] y, x) of the stored dtype, unscaled."""

    @property
    def header(self) -> Header: ...

    def read(self, region: Region | None = None) -> Array: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Sink(Protocol):
    """A file being written. It appears under its name only when `close` succeeds.

    Used as a context manager it closes on success and discards everything on an error.
    """

    def write(self, region: Region, values: Array) -> None: ...

    def close(self) -> None: ...

    def discard(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def whole_region(shape: tuple[int, ...]) -> Region:
    """The region that covers a shape."""
    return tuple(slice(0, length) for length in shape)


class Closing:
    """What makes a source a context manager: it closes at the end of the block."""

    def close(self) -> None:
        """Let go of the file; sources that hold something override this."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
