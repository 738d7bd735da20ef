"""The test image of a bundle: generated unless a file is given, with the labels to expect."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.commands.load_predictor import make_predictor
from pixelwise.commands.run_engines import OpenedEngine
from pixelwise.commands.score_in_memory import MemorySink
from pixelwise.core.image import Array, Closing, Header, Region
from pixelwise.core.plan import Plan
from pixelwise.data.channels import match_channels
from pixelwise.data.intensity import scale_for
from pixelwise.data.shading import evened
from pixelwise.data.synthetic import make_case
from pixelwise.inference.labeller import LabelOutput, label_image
from pixelwise.readers import open_image

_SEED = 7
_LARGEST = 4096
"""Pixels along an axis of a test image that a user gives: more would make a bundle large."""


@dataclass(frozen=True, slots=True)
class TestImage:
    """values: (c, [z,] y, x) as stored in a file; stored: the array as the bundle holds it."""

    __test__ = False

    values: Array

    @property
    def stored(self) -> Array:
        """One channel without its axis, three of bytes as a colour picture, else as it is."""
        if len(self.values) == 1:
            only: Array = self.values[0]
            return only
        if len(self.values) == 3 and self.values.ndim == 3 and self.values.dtype == np.uint8:
            return np.ascontiguousarray(np.moveaxis(self.values, 0, -1))
        return self.values


def make_test_image(plan: Plan) -> TestImage:
    """A generated image with the intensities of the training images, larger than one tile."""
    edges = list(plan.inference.tile)
    shape = [min(edge // 2 + 5, 256) for edge in edges[:-1]] + [edges[-1] + 37]
    if plan.geometry.slice_axis is not None:
        shape.insert(plan.geometry.slice_axis, 3)
    section = plan.intensity
    planes = []
    for channel in range(plan.data.n_channels):
        low, high = section.low[channel], section.high[channel]
        low, high = (low, high) if high > low else (0.0, 255.0)
        grey = make_case((_SEED, channel), tuple(shape)).image.astype(np.float64) / 255
        planes.append(low + grey * (high - low))
    values = np.stack(planes)
    is_bytes = values.min() >= 0 and 1 < values.max() <= 255
    return TestImage(np.rint(values).astype(np.uint8) if is_bytes else values.astype(np.float32))


def read_test_image(path: Path, plan: Plan) -> TestImage:
    """A user's own test image, in the channels of the plan; of a large one the first corner."""
    with open_image(path) as source:
        region = tuple(slice(0, min(length, _LARGEST)) for length in source.header.shape)
        return TestImage(match_channels(source.read(region), plan.data.n_channels))


def label_array(values: Array, plan: Plan, opened: OpenedEngine) -> npt.NDArray[np.uint8]:
    """Labels of an image (c, [z,] y, x) by an engine, the way that `predict` takes."""
    source = evened(_ArraySource(values), plan.intensity.shading)
    sink = MemorySink(values.shape[1:])
    scale = scale_for(plan.intensity, source, lambda image: image)
    label_image(
        make_predictor(opened.engine, opened.field, plan),
        source,
        scale.apply,
        LabelOutput(sink, overlaps=plan.data.labels.holds_regions),
        n_classes=len(plan.data.classes),
    )
    return sink.labels


class _ArraySource(Closing):
    """An array as an opened image; its file states no spacing."""

    def __init__(self, values: Array) -> None:
        self._values = values
        dtype: np.dtype[Any] = values.dtype
        self.header = Header(Path("array"), values.shape[1:], len(values), dtype, "array")

    def read(self, region: Region | None = None) -> Array:
        """(c, …) of a region."""
        part = self._values if region is None else self._values[(slice(None), *region)]
        return np.array(part)
