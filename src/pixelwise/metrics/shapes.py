"""Shape of single masks: area, perimeter, compactness, sizes of their components."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage import measure as skimage_measure

from pixelwise.core.errors import ShapeMismatch
from pixelwise.metrics.inputs import as_labels, as_spacing

Estimator = Literal["crofton", "edges"]

_CROFTON: Callable[..., float] = skimage_measure.perimeter_crofton
CROFTON_DIRECTIONS = 4


@dataclass(frozen=True, slots=True)
class SizeSummary:
    """How many components, and how large: pixels times the size of a pixel."""

    n: int
    total: float
    smallest: float
    median: float
    largest: float


def area(mask: Any, spacing: Sequence[float] | float | None = None) -> float:
    """Area (2D) or volume (3D) of a mask in squared or cubed units of spacing; empty -> 0."""
    array = as_labels(mask, "mask")
    return float(np.count_nonzero(array) * math.prod(as_spacing(spacing, array.ndim)))


def perimeter(mask: Any, *, estimator: Estimator = "crofton") -> float:
    """Length of the outline of a mask (y, x) in pixels, holes included; empty -> 0.

    estimator: "crofton" counts crossings of lines in 4 directions (scikit-image's
    perimeter_crofton), close to the truth for smooth shapes; "edges" counts pixel sides,
    exact for boxes along the axes and up to 4/pi too long elsewhere.
    """
    array = as_labels(mask, "mask") != 0
    if array.ndim != 2:
        raise ShapeMismatch(
            f"the perimeter of {array.ndim} dimensions was asked for", "an image (y, x)",
            "Take single slices.", code="bad-dimensions",
        )  # fmt: skip
    padded = np.pad(array, 1)
    if estimator == "edges":
        return float(sum(np.count_nonzero(np.diff(padded.astype(np.int8), axis=a)) for a in (0, 1)))
    return float(_CROFTON(padded, directions=CROFTON_DIRECTIONS))


def compactness(mask: Any, *, estimator: Estimator = "crofton") -> float:
    """4 pi area / perimeter²: 1 for a disc, pi/4 for a square, towards 0 for thin or ragged.

    It depends on the perimeter estimator, so name it with the number. Empty -> NaN.
    """
    length = perimeter(mask, estimator=estimator)
    return 4 * math.pi * area(mask) / length**2 if length else math.nan


def component_sizes(
    mask: Any, spacing: Sequence[float] | float | None = None
) -> npt.NDArray[np.float64]:
    """Area or volume of every fully connected (8, 26) component, in no particular order."""
    array = as_labels(mask, "mask") != 0
    labels, n = ndimage.label(array, np.ones((3,) * array.ndim))
    sizes = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    return np.asarray(sizes * math.prod(as_spacing(spacing, array.ndim)), dtype=np.float64)


def size_summary(mask: Any, spacing: Sequence[float] | float | None = None) -> SizeSummary:
    """Number and sizes of components; an empty mask has none, its sizes are NaN."""
    sizes = component_sizes(mask, spacing)
    if sizes.size == 0:
        return SizeSummary(0, 0.0, math.nan, math.nan, math.nan)
    return SizeSummary(
        int(sizes.size), float(sizes.sum()), float(sizes.min()), float(np.median(sizes)),
        float(sizes.max()),
    )  # fmt: skip
