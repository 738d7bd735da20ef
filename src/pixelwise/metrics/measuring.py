"""A whole set of metrics of all classes in one pass over two label arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.errors import BadData, BadPlan
from pixelwise.metrics.choices import choose_metrics
from pixelwise.metrics.inputs import as_labels, check_number_of_classes
from pixelwise.metrics.pair import check_abstaining, label_pair

STANDARD = ("dice", "iou", "sensitivity", "precision", "hd", "hd95", "assd", "betti_error")


def measure(  # noqa: PLR0913 - the public call: two arrays and how to read them
    truth: Any,
    predicted: Any,
    metrics: Sequence[str] = STANDARD,
    *,
    spacing: Sequence[float] | float | None = None,
    classes: int | Sequence[int] | None = None,
    include_background: bool = False,
    ignore_label: int | None = None,
    valid: Any = None,
    **options: Any,
) -> dict[int, dict[str, float]]:
    """Metrics per class: {class: {metric: value}}, NaN where undefined.

    Shape: truth, predicted ([z,] y, x) class ids (or booleans) on one grid.
    metrics: names, with options as "nsd:tolerance=2"; options given by keyword
    (tolerance=2.0, convention="monai", one_empty="diagonal") go to every metric that has
    them.
    classes: how many there are (ids 0 to classes-1, others are an error), or which ids to
    score; by default up to the largest id found. Class 0 is scored if include_background,
    or if it is listed.
    ignore_label: value of void pixels in the truth; valid: where to score at all.
    What metrics share (counts, surfaces, distances, components) is computed once.
    Raises BadData, ShapeMismatch, BadPlan (metrics and options, all at once).
    """
    is_list = not isinstance(metrics, str) and _is_list(metrics)
    choices = choose_metrics(metrics if is_list else (metrics,), options)
    unused = [k for k in options if not any(k in choice.entry.options for choice in choices)]
    if unused:
        raise BadPlan(
            f"the option {unused[0]!r} belongs to none of {', '.join(c.key for c in choices)}",
            "options of the metrics asked for", "Leave it out.", code="unknown-option",
        )  # fmt: skip
    truth, predicted = as_labels(truth, "truth"), as_labels(predicted, "predicted")
    n_classes, wanted = _find_classes(truth, predicted, classes, include_background, ignore_label)
    pair = label_pair(
        truth, predicted, n_classes, spacing=spacing, ignore=ignore_label, valid=valid,
        classes=wanted,
    )  # fmt: skip
    if ignore_label is not None:
        check_abstaining(pair)
    found = {}
    for class_id in wanted:
        masks = pair.of_class(class_id)
        found[class_id] = {choice.key: choice.of(masks) for choice in choices}
    return found


def _find_classes(
    truth: npt.NDArray[Any],
    predicted: npt.NDArray[Any],
    classes: int | Sequence[int] | None,
    include_background: bool,
    ignore_label: int | None,
) -> tuple[int, list[int]]:
    """(number of classes, ids to score)."""
    first = 0 if include_background else 1
    if not isinstance(ignore_label, int | np.integer | None):
        raise BadData(
            f"ignore_label is {ignore_label!r}", "a whole number",
            "Give the value of void pixels in the truth.", code="bad-option",
        )  # fmt: skip
    if isinstance(classes, int | np.integer):
        check_number_of_classes(int(classes))
        return int(classes), list(range(first, int(classes)))
    if not (classes is None or _is_list(classes)) or isinstance(classes, str):
        raise BadData(
            f"classes is {classes!r}", "how many there are, or a list of class ids",
            "Write classes=3 or classes=[1, 2].", code="unknown-class",
        )  # fmt: skip
    n_found = _count_classes(truth, predicted, ignore_label)
    check_number_of_classes(n_found)
    if classes is None:
        return n_found, list(range(first, n_found))
    listed = [int(k) for k in classes]
    negative = [k for k in listed if k < 0]
    if negative:
        raise BadData(
            f"class {negative[0]} was asked for",
            "class ids of at least 0",
            "List the ids that the arrays hold, or give their number.",
            code="unknown-class",
        )
    return max([n_found, *(k + 1 for k in listed)]), listed


def _is_list(values: object) -> bool:
    return isinstance(values, Iterable)


def _count_classes(
    truth: npt.NDArray[Any], predicted: npt.NDArray[Any], ignore_label: int | None
) -> int:
    highest = 1
    for array in (truth, predicted):
        if array.dtype.kind == "b" or array.size == 0:
            continue
        top = int(array.max())
        if ignore_label is not None and top == ignore_label:
            others = array[array != ignore_label]
            top = int(others.max()) if others.size else 0
        highest = max(highest, top)
    return highest + 1
