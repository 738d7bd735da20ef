"""Scores of whole label maps: confusion matrix, FCN's four numbers, every way of averaging."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pixelwise.core.errors import BadData, BadPlan, ShapeMismatch
from pixelwise.metrics.inputs import as_labels
from pixelwise.metrics.pair import label_pair

Matrix = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Average = Literal["macro", "micro", "weighted", "none"]
Aggregate = Literal["dataset", "per_image", "per_class"]
Absent = Literal["skip", "zero", "one", "skip_without_truth"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "average": ("macro", "micro", "weighted", "none"),
    "aggregate": ("dataset", "per_image", "per_class"),
    "absent": ("skip", "zero", "one", "skip_without_truth"),
}


def confusion_matrix(
    truth: Any, predicted: Any, classes: int, *, ignore_label: int | None = None, valid: Any = None
) -> Matrix:
    """counts[truth, predicted] of scored pixels, 64-bit; of one image, or summed over several.

    Shape: truth, predicted ([z,] y, x) class ids 0..classes-1 on one grid, or lists of such
    arrays. ignore_label: value of void pixels in the truth (any, also negative or 255);
    valid: where to score at all. Raises BadData for any other value, ShapeMismatch.
    Equal to scikit-learn's confusion_matrix.
    """
    matrices = _matrices(truth, predicted, classes, ignore_label, valid)
    return np.asarray(np.sum(matrices, axis=0), dtype=np.int64)


def pixel_accuracy(
    truth: Any, predicted: Any, classes: int, *, ignore_label: int | None = None
) -> float:
    """Share of scored pixels with the right class, over all images; no pixel -> NaN."""
    return fcn_scores(confusion_matrix(truth, predicted, classes, ignore_label=ignore_label))[
        "pixel_accuracy"
    ]


def mean_accuracy(
    truth: Any, predicted: Any, classes: int, *, ignore_label: int | None = None
) -> float:
    """Mean over classes of the share of a class that was found; absent classes are left out.

    Over all images; no pixel -> NaN. Source: Long et al. 2015, section 5.
    """
    return fcn_scores(confusion_matrix(truth, predicted, classes, ignore_label=ignore_label))[
        "mean_accuracy"
    ]


def frequency_weighted_iou(
    truth: Any, predicted: Any, classes: int, *, ignore_label: int | None = None
) -> float:
    """IoU of every class weighted by its share of the truth, over all images.

    No pixel -> NaN. Source: Long et al. 2015, section 5.
    """
    return fcn_scores(confusion_matrix(truth, predicted, classes, ignore_label=ignore_label))[
        "frequency_weighted_iou"
    ]


def mean_iou(  # noqa: PLR0913 - what such a number leaves unsaid elsewhere is an option here
    truth: Any,
    predicted: Any,
    classes: int,
    *,
    ignore_label: int | None = None,
    valid: Any = None,
    average: Average = "macro",
    aggregate: Aggregate = "dataset",
    include_background: bool = True,
    absent: Absent = "skip",
) -> float | Floats:
    """Mean intersection over union of label maps; the options say which of its many meanings.

    Shape: one image ([z,] y, x) or a list of images of class ids 0..classes-1.
    aggregate: "dataset" sums pixel counts over the images first; "per_image" averages over
    the classes of each image, then over images; "per_class" over images, then classes.
    average: "macro" over classes, "micro" of summed counts, "weighted" by the truth's
    pixels, "none" returns one value per class (NaN where it has none).
    absent: a class that neither truth nor prediction of an image (or of the data set) has
    is left out ("skip"), or counts as 0 or 1; "skip_without_truth" leaves a class out
    wherever the truth lacks it, false alarms too, as MONAI does.
    include_background: whether class 0 takes part. Range 0 to 1; nothing defined -> NaN.
    Defaults equal torchmetrics' MulticlassJaccardIndex; classes in one place: CamVid's rule.
    """
    return _mean(
        _iou, (truth, predicted, classes, ignore_label, valid), average, aggregate,
        include_background, absent,
    )  # fmt: skip


def mean_dice(  # noqa: PLR0913 - as mean_iou
    truth: Any,
    predicted: Any,
    classes: int,
    *,
    ignore_label: int | None = None,
    valid: Any = None,
    average: Average = "macro",
    aggregate: Aggregate = "dataset",
    include_background: bool = True,
    absent: Absent = "skip",
) -> float | Floats:
    """Mean Dice of label maps; options and rules as in mean_iou. Nothing defined -> NaN."""
    return _mean(
        _dice, (truth, predicted, classes, ignore_label, valid), average, aggregate,
        include_background, absent,
    )  # fmt: skip


def fcn_scores(confusion: Matrix) -> dict[str, float]:
    """pixel_accuracy, mean_accuracy, mean_iou, frequency_weighted_iou of a confusion matrix.

    Classes that neither truth nor prediction has are left out; a class that is only
    predicted counts as 0 in the mean IoU, and in no mean accuracy. Nothing -> NaN.
    Source: Long et al. 2015, section 5.
    """
    right, truth, predicted = _margins(confusion[None])
    right, truth, predicted = right[0], truth[0], predicted[0]
    total = float(confusion.sum())
    if total == 0:
        names = ("pixel_accuracy", "mean_accuracy", "mean_iou", "frequency_weighted_iou")
        return dict.fromkeys(names, math.nan)
    ious = _iou(right, truth, predicted)
    known = ~np.isnan(ious)
    return {
        "pixel_accuracy": float(right.sum() / total),
        "mean_accuracy": float((right[truth > 0] / truth[truth > 0]).mean()),
        "mean_iou": float(ious[known].mean()),
        "frequency_weighted_iou": float((truth[known] * ious[known]).sum() / total),
    }


def _margins(matrices: Matrix) -> tuple[Floats, Floats, Floats]:
    """(right, truth, predicted) pixels per image and class. Shape: matrices (n, k, k)."""
    right = np.diagonal(matrices, axis1=1, axis2=2).astype(np.float64)
    return right, matrices.sum(axis=2).astype(np.float64), matrices.sum(axis=1).astype(np.float64)


def _iou(right: Floats, truth: Floats, predicted: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(right / (truth + predicted - right))


def _dice(right: Floats, truth: Floats, predicted: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(2 * right / (truth + predicted))


def _mean(
    overlap: Callable[[Floats, Floats, Floats], Floats],
    inputs: tuple[Any, Any, int, int | None, Any],
    average: str,
    aggregate: str,
    include_background: bool,
    absent: str,
) -> float | Floats:
    for name, value in (("average", average), ("aggregate", aggregate), ("absent", absent)):
        if value not in _CHOICES[name]:
            raise BadPlan(
                f"{name} is {value!r}", f"one of {', '.join(_CHOICES[name])}",
                f"Take {_CHOICES[name][0]!r}.", code="bad-option",
            )  # fmt: skip
    matrices = np.stack(_matrices(*inputs))
    if aggregate == "dataset":
        matrices = matrices.sum(axis=0, keepdims=True)
    first = 0 if include_background else 1
    right, truth, predicted = (counts[:, first:] for counts in _margins(matrices))
    if average == "micro":
        sums = (counts.sum(axis=1, keepdims=True) for counts in (right, truth, predicted))
        return _nan_mean(overlap(*sums))
    values = _with_absent(overlap(right, truth, predicted), truth, predicted, absent)
    if average == "none":
        return np.array([_nan_mean(column) for column in values.T])
    if average == "weighted":
        known = ~np.isnan(values)
        values = np.where(known, values, 0.0) * truth
        with np.errstate(invalid="ignore"):
            return _nan_mean(values.sum(axis=1) / (truth * known).sum(axis=1))
    if aggregate == "per_class":
        return _nan_mean(np.array([_nan_mean(column) for column in values.T]))
    return _nan_mean(np.array([_nan_mean(row) for row in values]))


def _with_absent(values: Floats, truth: Floats, predicted: Floats, absent: str) -> Floats:
    if absent == "skip_without_truth":
        return np.where(truth > 0, values, np.nan)
    fill = {"skip": np.nan, "zero": 0.0, "one": 1.0}[absent]
    return np.where(truth + predicted > 0, values, fill)


def _nan_mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan


def _matrices(
    truth: Any, predicted: Any, classes: int, ignore_label: int | None, valid: Any
) -> list[Matrix]:
    """One confusion matrix per image."""
    truths, guesses = _as_images(truth), _as_images(predicted)
    masks: Sequence[Any] = [None] * len(truths) if valid is None else _as_images(valid)
    if not len(truths) == len(guesses) == len(masks):
        raise ShapeMismatch(
            f"there are {len(truths)} truths, {len(guesses)} predictions"
            + (f" and {len(masks)} masks of valid pixels" if valid is not None else ""),
            "as many of each, in one order", "Pair the images first.", code="unpaired",
        )  # fmt: skip
    if not truths:
        raise BadData("there is no image", "one image or more", "Give some.", code="no-case")
    return [
        label_pair(t, p, classes, ignore=ignore_label, valid=v).confusion
        for t, p, v in zip(truths, guesses, masks, strict=True)
    ]


def _as_images(values: Any) -> list[Any]:
    """One array is one image; a list or tuple of arrays is several."""
    if isinstance(values, list | tuple) and all(hasattr(v, "ndim") and v.ndim for v in values):
        return list(values)
    return [as_labels(values, "labels")]
