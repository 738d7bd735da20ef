"""Every case of a scoring: as dots on a line, and as a table with the worst first."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pixelwise.core.records import CaseScores, MetricSummary, Summary
from pixelwise.report.case_dots import case_anchor, drawn_cases
from pixelwise.report.charts import Dot, strip, strip_axis
from pixelwise.report.elements import Column, Content, element, folded, joined, table
from pixelwise.report.scores import PLAIN_COLOUR, Colours, undefined
from pixelwise.report.wording import count, metric_digits, metric_facts, metric_name, number

MAX_LISTED_CASES = 400
MAX_PRINTED_CASES = 40

EMPTY_REASONS = {
    "both-empty": "in neither",
    "all-ignored": "all void",
    "only-truth": "missed",
    "only-predicted": "false alarm",
    "present": "undefined here",
}


def case_strips(
    summary: Summary, key: str, colours: Colours, pictured: frozenset[str] = frozenset()
) -> Markup:
    """Every case as a dot, one line a class; the mean as a line, its interval shaded.

    Dots of cases in `pictured` lead to their pictures. Of very many cases the pictured ones
    and evenly many of the others are drawn.
    """
    values = [v for m in range(len(summary.class_names)) for v in _values(summary, m, key)]
    if not values:
        return element("p", f"No case has a {metric_name(key)} value.", class_="quiet")
    facts = metric_facts(key)
    is_share = facts.get("best") == 1 and min(v for _, v in values) >= 0
    limits = (0.0, 1.0) if is_share else (0.0, max(v for _, v in values) or 1.0)
    rows = []
    for metric in summary.metrics:
        if metric.metric != key or metric.class_id == summary.background:
            continue
        rows.append(_strip_row(summary, metric, limits, colours, pictured))
    axis = element("div", element("span"), strip_axis(limits), element("span"), class_="strip-row")
    return element("div", *rows, axis, class_="strips")


def case_table(
    summary: Summary, key: str, file_name: str, pictured: frozenset[str] = frozenset()
) -> Markup:
    """Every case with its score per class, the worst first, as far as a page can hold.

    file_name: where all of them are. Names of cases in `pictured` lead to their pictures.
    """
    classes = [i for i in range(len(summary.class_names)) if i != summary.background]
    ordered = sorted(summary.cases, key=lambda case: _sort_key(case, key, classes))
    shown = ordered[:MAX_LISTED_CASES]
    columns = [Column("Case"), *(Column(summary.class_names[i], "", True) for i in classes)]
    has_confidence = any(case.confidence is not None for case in shown)
    if has_confidence:
        columns.append(Column("Confidence", "of the network itself", True))
    rows = []
    for case in shown:
        name: Content = case.id
        if case.id in pictured:
            name = element("a", case.id, href=f"#{case_anchor(case.id)}")
        cells: list[Content] = [name, *(_case_cell(case, i, key) for i in classes)]
        if has_confidence:
            is_known = case.confidence is not None
            cells.append(number(case.confidence) if is_known else undefined("not recorded"))
        rows.append(cells)
    rest = len(ordered) - len(shown)
    note = None
    if rest:
        note = element("p", f"{count(rest, 'better case')} not listed; see {file_name}.")
    whole = table(columns, rows, caption=f"{metric_name(key)} of each case, lowest first")
    title = f"All {count(len(ordered), 'case')} as a table"
    return folded(title, whole, note, is_bulk=len(shown) > MAX_PRINTED_CASES)


def case_score(case: CaseScores, key: str, classes: Sequence[int]) -> float | None:
    """The mean of one metric over some classes of a case, None if it has no value in any."""
    found = [case.classes[i].values.get(key) for i in classes]
    values = [value for value in found if value is not None]
    return sum(values) / len(values) if values else None


def _strip_row(
    summary: Summary,
    metric: MetricSummary,
    limits: tuple[float, float],
    colours: Colours,
    pictured: frozenset[str],
) -> Markup:
    key, name = metric.metric, summary.class_names[metric.class_id]
    values = _values(summary, metric.class_id, key)
    dots = [
        Dot(
            value,
            f"{case}: {number(value, metric_digits(key))}",
            f"#{case_anchor(case)}" if case in pictured else "",
        )
        for case, value in drawn_cases(values, pictured)
    ]
    interval = None
    if metric.low is not None and metric.high is not None:
        interval = (metric.low, metric.high)
    lowest = min(values, key=lambda item: item[1], default=None)
    told = [f"{count(len(values), 'case')} with a value"]
    if lowest is not None:
        told.append(f"lowest {number(lowest[1], metric_digits(key))} ({lowest[0]})")
    drawing = strip(
        dots,
        limits=limits,
        colour=colours.get(metric.class_id, PLAIN_COLOUR),
        label=f"{metric_name(key)} of {name}: {', '.join(told)}",
        mean=metric.mean,
        interval=interval,
    )
    mean = number(metric.mean, metric_digits(key))
    return element(
        "div",
        element("span", name, class_="strip-name"),
        drawing,
        element("span", mean, class_="strip-mean"),
        class_="strip-row",
    )


def _values(summary: Summary, class_id: int, key: str) -> list[tuple[str, float]]:
    found = [(case.id, case.classes[class_id].values.get(key)) for case in summary.cases]
    return [(case_id, value) for case_id, value in found if value is not None]


def _sort_key(case: CaseScores, key: str, classes: Sequence[int]) -> float:
    score = case_score(case, key, classes)
    if score is None:
        return float("inf")
    return score if metric_facts(key).get("higher_is_better", True) else -score


def _case_cell(case: CaseScores, class_id: int, key: str) -> Content:
    scores = case.classes[class_id]
    value = scores.values.get(key)
    reason = EMPTY_REASONS[scores.status]
    if value is None and key in scores.infinite:
        return joined(["infinite", element("small", reason)])
    if value is None:
        return undefined(reason)
    if scores.status in ("only-truth", "only-predicted"):
        return joined([number(value, metric_digits(key)), element("small", reason)])
    return number(value, metric_digits(key))
