"""Where the numbers of single objects go: a file of their own beside the labels."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from pixelwise.core.image import Array, Header, Region, Sink, whole_region
from pixelwise.core.plan import Plan
from pixelwise.readers import create_labels
from pixelwise.runs.trained_network import planned_task

OBJECTS_FOLDER = "objects"
"""Below the folder of the labels: STEM holds a number for each object, 0 is none."""


class ObjectFile:
    """A sink for object numbers ([z,] y, x) of a whole image, written when it is closed.

    16 bits a pixel where they are enough, else 32, which not every format can hold.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self._path = path
        self._header = header
        self._numbers = np.zeros(header.shape, np.int32)

    def write(self, region: Region, values: Array) -> None:
        """Put numbers where the spatial region lies."""
        self._numbers[region] = values

    def close(self) -> None:
        """Complete the file. Raises BadOutput if it cannot be written."""
        dtype = "uint16" if self._numbers.max(initial=0) < 1 << 16 else "uint32"
        with create_labels(self._path, self._header, dtype=dtype) as sink:
            sink.write(whole_region(self._header.shape), self._numbers.astype(dtype))

    def discard(self) -> None:
        """Leave nothing behind."""

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


def open_object_sink(plan: Plan, out: Path, name: str, header: Header) -> Sink | None:
    """Where the objects of one image go, None if the plan's task knows none."""
    if planned_task(plan).decode_objects is None:
        return None
    return ObjectFile(out / OBJECTS_FOLDER / name, header)
