"""What volume readers share: optional packages, the numbers that stored values stand for."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from pixelwise.core.errors import MissingExtra
from pixelwise.core.image import Array

EXTRA = "volumes"
"""The extra of this package that holds the packages for volumes."""


def import_extra(package: str, purpose: str) -> Any:
    """An optional package. Raises MissingExtra naming the extra that it comes with."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingExtra(
            f"{purpose} needs the package {package.split('.')[0]}, which is not installed",
            f"pixelwise with its extra {EXTRA!r}",
            f"Run: pip install 'pixelwise[{EXTRA}]'",
            code="missing-extra",
        ) from error


def rescaled_dtype(stored: np.dtype[Any], slope: float, intercept: float) -> np.dtype[Any]:
    """The type of slope * stored + intercept: whole numbers stay whole where that is exact."""
    native = stored.newbyteorder("=")
    if (slope, intercept) == (1.0, 0.0):
        return native
    is_whole = float(slope).is_integer() and float(intercept).is_integer()
    if native.kind in "iu" and native.itemsize <= 2 and is_whole:
        limits = np.iinfo(native)
        ends = sorted((slope * limits.min + intercept, slope * limits.max + intercept))
        for name in ("int16", "uint16", "int32"):
            kept = np.iinfo(name)
            if kept.min <= ends[0] and ends[1] <= kept.max:
                return np.dtype(name)
    return native if native == np.float64 else np.dtype(np.float32)


def rescale(values: Array, dtype: np.dtype[Any], slope: float, intercept: float) -> Array:
    """slope * values + intercept as `dtype`, contiguous; a copy unless nothing changes."""
    if (slope, intercept) == (1.0, 0.0):
        return np.ascontiguousarray(values, dtype)
    if dtype.kind in "iu":
        whole = values.astype(np.int64) * int(slope) + int(intercept)
        return np.ascontiguousarray(whole, dtype)
    scaled = values.astype(dtype) * dtype.type(slope) + dtype.type(intercept)
    return np.ascontiguousarray(scaled, dtype)
