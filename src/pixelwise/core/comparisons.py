"""What a comparison of predictions yields: differences, tests, ranks."""

from __future__ import annotations

from collections.abc import Mapping

from pixelwise.core.records import RECORD_FORMAT, Record


class Difference(Record):
    """One prediction against another in one metric: mean of (first - second) over cases.

    effect: that mean over the standard deviation of the differences (Cohen's d of pairs),
    None if all are equal.
    """

    first: str
    second: str
    mean: float
    low: float | None
    high: float | None
    p: float
    p_corrected: float
    wilcoxon: float | None
    wilcoxon_corrected: float | None
    n_first_better: int
    n_second_better: int
    better: str
    effect: float | None = None


class MetricComparison(Record):
    """All predictions in one metric of one class. rank_probability[name][r] is for rank r + 1."""

    metric: str
    class_id: int
    class_name: str
    higher_is_better: bool
    means: Mapping[str, float | None]
    mean_then_rank: Mapping[str, float]
    rank_then_mean: Mapping[str, float]
    rank_probability: Mapping[str, tuple[float, ...]]
    differences: tuple[Difference, ...]
    n_cases: int
    n_left_out: int


class Comparison(Record):
    """Which prediction is better, in what, and whether it is more than chance.

    left_out: scores that could not be compared, each with the reason, in sentences.
    """

    format_version: int = RECORD_FORMAT
    names: tuple[str, ...]
    metrics: tuple[MetricComparison, ...]
    overall_rank: Mapping[str, float]
    rule: str
    interval: str
    left_out: tuple[str, ...] = ()
