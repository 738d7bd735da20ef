"""A prediction beside people: the same metrics between annotators, and the difference."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from pixelwise.core.comparisons import Comparison, Difference
from pixelwise.core.records import MetricSummary, Summary
from pixelwise.report.elements import Column, Content, element, joined, table
from pixelwise.report.scores import metric_keys, undefined
from pixelwise.report.wording import (
    metric_digits,
    metric_direction,
    metric_name,
    number,
)

SURE = 0.05


def human_section(
    summary: Summary, humans: Mapping[str, Summary], comparisons: Mapping[str, Comparison]
) -> Markup:
    """One table a class: every metric of the prediction and of every pair of people.

    comparisons: by the name of a person, prediction (first) against that person, both
    against the truth on the cases that both have.
    """
    tables = [
        _class_table(summary, humans, comparisons, k)
        for k in range(len(summary.class_names))
        if k != summary.background
    ]
    cases = ", ".join(f"{name} {other.n_cases}" for name, other in humans.items())
    note = (
        "People are scored exactly as the prediction is, against the truth or against each other. "
        f"Cases: prediction {summary.n_cases}, {cases}. Below each person: prediction minus "
        "person on the cases that both have, with a 95 % interval, and whether it is more than "
        "chance."
    )
    rule = next((element("p", c.rule, class_="rule") for c in comparisons.values()), None)
    return joined([element("p", note, class_="quiet"), *tables, rule])


def _class_table(
    summary: Summary,
    humans: Mapping[str, Summary],
    comparisons: Mapping[str, Comparison],
    class_id: int,
) -> Markup:
    columns = [Column("Metric"), Column("Prediction", "mean over its cases", True)]
    columns += [Column(name, "mean over their cases", True) for name in humans]
    rows = []
    for key in metric_keys(summary):
        own = _find(summary, key, class_id)
        if own is None or all(_find(other, key, class_id) is None for other in humans.values()):
            continue
        direction = metric_direction(key, summary.unit)
        head = joined([metric_name(key), element("small", direction) if direction else None])
        cells: list[Content] = [head, _mean(own)]
        for name, other in humans.items():
            difference = _difference(comparisons.get(name), key, class_id)
            cells.append(joined([_mean(_find(other, key, class_id)), _told(difference, key)]))
        rows.append(cells)
    name = summary.class_names[class_id]
    return table(columns, rows, caption=f"{name}: prediction beside people")


def _find(summary: Summary, key: str, class_id: int) -> MetricSummary | None:
    return next((m for m in summary.metrics if m.metric == key and m.class_id == class_id), None)


def _mean(metric: MetricSummary | None) -> Content:
    if metric is None or metric.mean is None:
        return undefined("no mean")
    digits = metric_digits(metric.metric)
    if metric.low is None or metric.high is None:
        return number(metric.mean, digits)
    bounds = f"{number(metric.low, digits)} to {number(metric.high, digits)}"
    return joined([number(metric.mean, digits), element("small", bounds, class_="line")])


def _difference(comparison: Comparison | None, key: str, class_id: int) -> Difference | None:
    if comparison is None:
        return None
    for metric in comparison.metrics:
        if metric.metric == key and metric.class_id == class_id:
            return metric.differences[0]
    return None


def _told(difference: Difference | None, key: str) -> Markup | None:
    if difference is None:
        return None
    digits = metric_digits(key)
    sign = "+" if difference.mean > 0 else ""
    text = f"prediction {sign}{number(difference.mean, digits)}"
    if difference.low is not None and difference.high is not None:
        text += f" ({number(difference.low, digits)} to {number(difference.high, digits)})"
    text += ", more than chance" if difference.p_corrected < SURE else ", may be chance"
    return element("small", text, class_="line")
