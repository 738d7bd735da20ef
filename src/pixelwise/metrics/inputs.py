"""What may be scored: arrays of labels on one grid, and a spacing that fits them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.errors import BadData, Problem, ShapeMismatch

Spacing = tuple[float, ...]
LABEL_LIMIT = 255
"""Class ids are 0..254; 255 is void everywhere in this package."""


def as_array(values: Any, role: str, *, axes: tuple[int, int] = (1, 3)) -> npt.NDArray[Any]:
    """`values` as a NumPy array (torch tensors are detached and brought to the CPU, no copy).

    axes: fewest and most dimensions. Raises BadData for text and objects, ShapeMismatch.
    """
    array = _as_numpy(values, role)
    if array.dtype.kind not in "buif":
        raise BadData(
            f"{role} holds {array.dtype} values",
            "an array of labels",
            "Give whole numbers or booleans.",
            code="not-labels",
        )
    if not axes[0] <= array.ndim <= axes[1]:
        raise ShapeMismatch(
            f"{role} has {array.ndim} dimensions, shape {array.shape}",
            "([z,] y, x)",
            "Score one image or volume at a time, without batch or channel axis.",
            code="bad-dimensions",
        )
    return array


def _as_numpy(values: Any, role: str) -> npt.NDArray[Any]:
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = values.detach().cpu()
        if str(values.dtype) == "torch.bfloat16":  # NumPy has no such type
            values = values.float()
        values = values.to_dense().numpy()
    if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
        raise BadData(
            f"{role} is a masked array with hidden pixels",
            "a plain array",
            "Give the hidden pixels a value and say where to score: measure(..., valid=...).",
            code="masked-array",
        )
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise BadData(
            f"{role} cannot be read as an array: {error}",
            "an array of labels",
            "Give rows of equal length.",
            code="not-labels",
        ) from error


def as_labels(values: Any, role: str) -> npt.NDArray[Any]:
    """An array of whole numbers or booleans. Raises BadData for floats, saying what they look like.

    Values are not changed, and never squeezed to fewer bits.
    """
    array = as_array(values, role)
    if array.dtype.kind == "f":
        raise BadData(_float_problem(array, role))
    return array


def check_same_grid(truth: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> None:
    """Raise ShapeMismatch, naming both shapes, unless the grids agree."""
    if truth.shape != predicted.shape:
        raise ShapeMismatch(
            f"truth has shape {truth.shape} and predicted {predicted.shape}",
            "two label arrays on one grid",
            "Score on the original grid: resample the prediction to the truth, never the reverse.",
            code="other-shape",
        )


def check_not_negative(*arrays: npt.NDArray[Any]) -> None:
    """Raise BadData if a mask or an object labelling holds negative numbers."""
    for role, array in zip(("truth", "predicted"), arrays, strict=False):
        if array.size and array.dtype.kind == "i" and int(array.min()) < 0:
            raise BadData(
                f"{role} holds negative numbers, the lowest is {int(array.min())}",
                "0 for the background and positive numbers for objects",
                "Void pixels have no place here: use measure(..., ignore_label=...), or set "
                "them to 0 in both.",
                code="negative-label",
            )


def check_number_of_classes(n_classes: int) -> None:
    """Raise BadData unless so many class ids fit beside the value of void."""
    if not 1 <= n_classes < LABEL_LIMIT:
        raise BadData(
            f"there are {n_classes} classes",
            f"1 to {LABEL_LIMIT - 1}",
            "Objects of an instance labelling are scored by pixelwise.metrics.instances.",
            code="too-many-classes",
        )


def as_spacing(spacing: Sequence[float] | float | None, n_dims: int) -> Spacing:
    """One positive finite number per axis, in array order. None means 1 (pixels)."""
    if spacing is None:
        return (1.0,) * n_dims
    try:
        values = np.atleast_1d(np.asarray(spacing, dtype=float))
    except (TypeError, ValueError):
        values = np.zeros(0)
    if values.shape == (1,):
        values = np.repeat(values, n_dims)
    if values.shape != (n_dims,) or not np.all(np.isfinite(values)) or np.any(values <= 0):
        raise BadData(
            f"spacing is {spacing!r} for an array of {n_dims} dimensions",
            f"{n_dims} positive numbers in array order ([z,] y, x)",
            "Give the size of a pixel along each axis.",
            code="bad-spacing",
        )
    return tuple(float(value) for value in values)


def check_range(array: npt.NDArray[Any], role: str, n_classes: int, ignore: int | None) -> None:
    """Raise BadData if a value is neither a class id 0..n_classes-1 nor the ignore value."""
    if array.size == 0 or array.dtype.kind == "b":
        return
    low = 0 if array.dtype.kind == "u" else int(array.min())
    if low >= 0 and int(array.max()) < n_classes:
        return
    found = [int(value) for value in np.unique(array)]
    strange = [v for v in found if not 0 <= v < n_classes and v != ignore]
    if strange:
        more = ", …" if len(strange) > 6 else ""
        void = f" or {ignore} for void" if ignore is not None else ""
        raise BadData(
            f"{role} holds {', '.join(map(str, strange[:6]))}{more}",
            f"class ids 0 to {n_classes - 1}{void}",
            "Map the values to class ids, or name the value of void pixels (ignore=…).",
            code="unknown-label",
        )


def _float_problem(array: npt.NDArray[Any], role: str) -> Problem:
    if np.isnan(array).any():
        n_nan = int(np.isnan(array).sum())
        return Problem(
            f"{role} holds {n_nan} NaN value{'s' if n_nan != 1 else ''} ({array.dtype})",
            "whole numbers",
            "Find out where they come from; labels cannot be NaN.",
            code="nan",
        )
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
    if low >= 0 and high <= 1 and np.any((array > 0) & (array < 1)):
        remedy = "These look like probabilities: take a threshold or the most likely class first."
    else:
        remedy = "If they are class ids, convert them: labels.astype('uint8')."
    return Problem(
        f"{role} holds {array.dtype} values from {low:g} to {high:g}",
        "labels as whole numbers",
        remedy,
        code="float-labels",
    )
