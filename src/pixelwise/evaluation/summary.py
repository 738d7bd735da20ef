"""Many cases become one summary: averaged over cases, and pooled over pixels, named apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pixelwise.core.background import find_background
from pixelwise.core.records import CaseScores, ClassScores, MetricSummary, Summary
from pixelwise.evaluation.bootstrap import N_DRAWS, Interval, bootstrap_means
from pixelwise.evaluation.empty_rules import rule_text
from pixelwise.evaluation.group_scores import pooled_masks, score_groups
from pixelwise.evaluation.score_columns import ScoreColumn, columns_of
from pixelwise.metrics.label_maps import fcn_scores
from pixelwise.metrics.pair import MaskPair

Matrix = npt.NDArray[np.float64]
Pooled = Mapping[tuple[int, str], float | None]
"""(class, key) -> value of the whole set, for scores that pixel counts do not give."""


def summarise(
    scores: Sequence[CaseScores],
    class_names: Sequence[str],
    *,
    background: int | None = -1,
    unit: str = "px",
    n_draws: int = N_DRAWS,
    seed: int = 0,
    pooled: Pooled | None = None,
) -> Summary:
    """Summarise cases per class and overall.

    background: the class that foreground means leave out; by default class 0 if its name
    says so ("background") or if there are only two classes, else none. Intervals are 95 %
    bootstrap intervals over cases, or over groups where cases have one.
    Overall: mean_dice is averaged over cases, then over foreground classes;
    mean_dice_pooled the same from summed counts; mean_iou, frequency_weighted_iou,
    mean_accuracy and pixel_accuracy are of summed counts over all classes present in
    truth or prediction, as in the FCN paper (Long et al. 2015); mean_iou_over_cases is
    averaged over cases first. Regions that overlap (cases without a confusion) have no
    background, and only the means of Dice and IoU, over regions.
    pooled: values over the whole set of scores that are no function of pixel counts.
    """
    n_classes = len(class_names)
    overlaps = bool(scores) and not scores[0].confusion
    left_out = find_background(class_names) if background == -1 else background
    left_out = None if overlaps else left_out
    confusion = np.zeros((0, 0) if overlaps else (n_classes, n_classes), dtype=np.int64)
    for case in scores:
        confusion += np.asarray(case.confusion, dtype=np.int64).reshape(confusion.shape)
    summed = [pooled_masks(scores, confusion, k) for k in range(n_classes)]
    rows = [
        (class_id, column)
        for class_id in range(n_classes)
        for column in columns_of(scores)
        if column.key in scores[0].classes[class_id].values
    ]
    table = _value_table(scores, rows)
    interval = bootstrap_means(table, [case.group for case in scores], n_draws=n_draws, seed=seed)
    of_set = {(k, column.key): column.pooled(summed[k]) for k, column in rows} | dict(pooled or {})
    metrics = tuple(
        _summarise_metric(
            [case.classes[k] for case in scores], column, table[:, i], of_set[k, column.key],
            (interval.low[i], interval.high[i]),
        )
        for i, (k, column) in enumerate(rows)
    )  # fmt: skip
    return Summary(
        n_cases=len(scores),
        class_names=tuple(class_names),
        metrics=metrics,
        overall=_overall(metrics, confusion, left_out, summed),
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
        rule=rule_text([c.choice for c in columns_of(scores) if c.choice is not None]),
        cases=tuple(scores),
        background=left_out,
        interval=_describe_interval(scores, interval, n_draws, seed),
        unit=unit,
        groups=score_groups(scores, rows, table),
    )


def _mean_iou(pooled: Sequence[MaskPair]) -> float:
    """Mean over the regions that occur."""
    counts = [masks.counts for masks in pooled]
    return _mean_of([c.tp / (c.tp + c.fp + c.fn) for c in counts if c.tp + c.fp + c.fn])


def _value_table(scores: Sequence[CaseScores], rows: Sequence[tuple[int, ScoreColumn]]) -> Matrix:
    table = np.full((len(scores), len(rows)), np.nan)
    for i, case in enumerate(scores):
        for j, (class_id, column) in enumerate(rows):
            value = case.classes[class_id].values[column.key]
            if value is not None:
                table[i, j] = value
    return table


def _summarise_metric(
    scores: Sequence[ClassScores],
    column: ScoreColumn,
    values: Matrix,
    pooled: float | None,
    bounds: tuple[float, float],
) -> MetricSummary:
    defined = values[np.isfinite(values)]
    statuses = [own.status for own in scores]
    n_infinite = sum(column.key in own.infinite for own in scores)
    present = values[[status == "present" for status in statuses]] if statuses else values
    is_finite = defined.size > 0 and n_infinite == 0
    return MetricSummary(
        class_id=scores[0].class_id,
        metric=column.key,
        mean=float(defined.mean()) if is_finite else None,
        std=float(defined.std(ddof=1)) if is_finite and defined.size > 1 else None,
        minimum=float(defined.min()) if defined.size else None,
        median=float(np.median(defined)) if is_finite else None,
        maximum=float(defined.max()) if is_finite else None,
        pooled=None if pooled is None else _finite(pooled),
        n_cases=len(scores),
        n_undefined=len(scores) - defined.size - n_infinite,
        n_missed=statuses.count("only-truth"),
        n_false_alarm=statuses.count("only-predicted"),
        n_infinite=n_infinite,
        mean_present=_mean(present),
        low=_finite(bounds[0]) if is_finite else None,
        high=_finite(bounds[1]) if is_finite else None,
        n_both_empty=statuses.count("both-empty"),
        n_all_ignored=statuses.count("all-ignored"),
    )


def _overall(
    metrics: Sequence[MetricSummary],
    confusion: npt.NDArray[np.int64],
    background: int | None,
    pooled: Sequence[MaskPair],
) -> dict[str, float | None]:
    numbers = fcn_scores(confusion) if confusion.size else {"mean_iou": _mean_iou(pooled)}
    foreground = [m for m in metrics if m.class_id != background]

    def first_of(name: str) -> str:
        """The key of a metric, which carries options behind its name."""
        return next((m.metric for m in metrics if m.metric.partition(":")[0] == name), name)

    dice = [m for m in foreground if m.metric == first_of("dice")]
    numbers["mean_dice"] = _mean_of([m.mean for m in dice])
    numbers["mean_dice_pooled"] = _mean_of([m.pooled for m in dice])
    numbers["mean_iou_over_cases"] = _mean_of(
        [m.mean for m in metrics if m.metric == first_of("iou")]
    )
    return {key: _finite(value) for key, value in numbers.items()}


def _describe_interval(
    scores: Sequence[CaseScores], interval: Interval, n_draws: int, seed: int
) -> str:
    if interval.method == "none":
        return "no interval: there is one independent case only"
    has_groups = any(case.group for case in scores)
    unit = "groups of cases" if has_groups else "cases"
    method = "bias-corrected and accelerated" if interval.method == "bca" else "percentile"
    return f"95 %, {method} bootstrap over {unit}, {n_draws} draws, seed {seed}"


def _mean(values: Matrix) -> float | None:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if defined.size else None


def _mean_of(values: Sequence[float | None]) -> float:
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else math.nan


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
