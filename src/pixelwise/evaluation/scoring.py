"""One case: truth and prediction become counts and metrics per class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pixelwise.core.case import IGNORE
from pixelwise.core.records import CaseScores, CaseStatus, ClassScores
from pixelwise.evaluation.empty_rules import choose_for_evaluation, value_where_empty
from pixelwise.metrics.choices import MetricChoice
from pixelwise.metrics.pair import Counts, LabelPair, check_abstaining, label_pair

DEFAULT_METRICS = (
    "dice", "iou", "accuracy", "sensitivity", "specificity", "precision", "hd95",
)  # fmt: skip


def score_case(  # noqa: PLR0913 - the public call: two arrays and how to read them
    case_id: str,
    truth: Any,
    predicted: Any,
    *,
    n_classes: int,
    valid: Any = None,
    spacing: Sequence[float] | None = None,
    metrics: Sequence[str] = DEFAULT_METRICS,
    group: str = "",
    ignore: int | None = IGNORE,
) -> CaseScores:
    """Score one case, every class.

    Shape: truth, predicted ([z,] y, x) class ids 0..n_classes-1 on one grid; `ignore` in
    the truth, and pixels where `valid` is False, are scored nowhere.
    Units: distances in those of spacing (None: pixels). A distance where only one of the
    masks has the class is the image diagonal; undefined metrics are None.
    Raises BadData, also if the prediction is void where the truth is scored; ShapeMismatch;
    BadPlan (metrics that do not exist).
    """
    choices = choose_for_evaluation(metrics)
    pair = label_pair(truth, predicted, n_classes, spacing=spacing, ignore=ignore, valid=valid)
    return score_pair(case_id, pair, choices, group=group)


def score_pair(
    case_id: str, pair: LabelPair, choices: Sequence[MetricChoice], *, group: str = ""
) -> CaseScores:
    """Score a checked pair of label arrays with chosen metrics."""
    check_abstaining(pair)
    return CaseScores(
        id=case_id,
        group=group,
        n_valid=pair.n_valid,
        n_ignored=pair.n_ignored,
        confusion=tuple(tuple(int(n) for n in row) for row in pair.confusion),
        classes=tuple(score_class(pair, k, choices) for k in range(pair.n_classes)),
        spacing=pair.spacing,
    )


def score_class(pair: LabelPair, class_id: int, choices: Sequence[MetricChoice]) -> ClassScores:
    """Counts and chosen metrics of one class of a checked pair."""
    masks = pair.of_class(class_id)
    counts = masks.counts
    status = _status(counts, pair.n_valid)
    numbers = {choice.key: choice.of(masks) for choice in choices}
    if status != "present":
        numbers = {
            choice.key: value_where_empty(choice, status, numbers[choice.key]) for choice in choices
        }
    return ClassScores(
        class_id=class_id,
        status=status,
        tp=counts.tp,
        fp=counts.fp,
        fn=counts.fn,
        tn=counts.tn,
        values={key: x if math.isfinite(x) else None for key, x in numbers.items()},
        infinite=tuple(key for key, x in numbers.items() if math.isinf(x)),
    )


def _status(counts: Counts, n_valid: int) -> CaseStatus:
    if n_valid == 0:
        return "all-ignored"
    has_truth, has_predicted = counts.tp + counts.fn > 0, counts.tp + counts.fp > 0
    if has_truth:
        return "present" if has_predicted else "only-truth"
    return "only-predicted" if has_predicted else "both-empty"
