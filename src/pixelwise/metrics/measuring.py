"""A whole set of metrics of all classes in one pass over two label arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pixelwise.core.errors import BadData
from pixelwise.metrics.choices import choose_metrics
from pixelwise.metrics.inputs import as_labels
from pixelwise.metrics.pair import label_pair

STANDARD = ("dice", "iou", "sensitivity", "precision", "hd", "hd95", "assd", "betti_error")


def measure(  # noqa: PLR0913 - the public call: two arrays and how to read them
    truth: Any,
    predicted: Any,
    metrics: Sequence[str] = STANDARD,
    *,
    spacing: Sequence[float] | float | None = None,
    n_classes: int | None = None,
    classes: Sequence[int] | None = None,
    ignore: int | None = None,
    valid: Any = None,
    **options: Any,
) -> dict[int, dict[str, float]]:
    """Metrics per class: {class: {metric: value}}, NaN where undefined.

    Shape: truth, predicted ([z,] y, x) class ids (or booleans) on one grid.
    metrics: names, with options as "nsd:tolerance=2"; options given by keyword
    (tolerance=2.0, one_empty="diagonal") go to every metric that knows them.
    n_classes: by default up to the largest id found. classes: by default all but 0.
    ignore: value of void pixels in the truth; valid: where to score at all.
    What metrics share (counts, rims, distances, components) is computed once.
    Raises BadData, ShapeMismatch, BadPlan.
    """
    truth, predicted = as_labels(truth, "truth"), as_labels(predicted, "predicted")
    n_classes = n_classes or _count_classes(truth, predicted, ignore)
    wanted = list(range(1, n_classes)) if classes is None else [int(k) for k in classes]
    outside = [k for k in wanted if not 0 <= k < n_classes]
    if outside:
        raise BadData(
            f"class {outside[0]} was asked for",
            f"classes 0 to {n_classes - 1}",
            "Raise n_classes or leave it out.",
            code="unknown-class",
        )
    choices = choose_metrics(metrics, options)
    pair = label_pair(
        truth, predicted, n_classes, spacing=spacing, ignore=ignore, valid=valid, classes=wanted
    )
    found = {}
    for class_id in wanted:
        masks = pair.of_class(class_id)
        found[class_id] = {choice.key: choice.of(masks) for choice in choices}
    return found


def _count_classes(truth: Any, predicted: Any, ignore: int | None) -> int:
    highest = 1
    for array in (truth, predicted):
        if array.dtype.kind == "b" or array.size == 0:
            continue
        top = int(array.max())
        if ignore is not None and top == ignore:
            others = array[array != ignore]
            top = int(others.max()) if others.size else 0
        highest = max(highest, top)
    return int(np.int64(highest)) + 1
