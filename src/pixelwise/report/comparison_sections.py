"""Several predictions of the same cases: differences with tests, ranks and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from pixelwise.core.comparisons import Comparison, Difference, MetricComparison
from pixelwise.core.records import Summary
from pixelwise.report.case_dots import COLOURS, Marks, dot_rows
from pixelwise.report.elements import Column, Content, element, folded, joined, swatch, table
from pixelwise.report.scores import metric_keys
from pixelwise.report.wording import (
    count,
    metric_digits,
    metric_direction,
    metric_facts,
    metric_name,
    number,
)

SURE = 0.05
FIRST_CHARTS = 4


def order_table(comparison: Comparison) -> Markup:
    """The predictions from the best mean rank to the worst."""
    rows: list[list[Content]] = [
        [name, number(rank, 2)]
        for name, rank in sorted(comparison.overall_rank.items(), key=lambda item: item[1])
    ]
    columns = [Column("Prediction"), Column("Mean rank", "over metrics and cases; 1 is best", True)]
    return table(columns, rows, caption="Overall order")


def difference_section(comparison: Comparison) -> Markup:
    """Every pair in every metric: means, difference with interval, tests, a reading."""
    parts: list[Content] = [_difference_table(metric) for metric in comparison.metrics]
    if comparison.left_out:
        parts.append(element("h3", "Not compared"))
        parts.append(element("ul", *(element("li", text) for text in comparison.left_out)))
    parts.append(element("p", comparison.rule, class_="rule"))
    parts.append(element("p", f"Intervals: {comparison.interval}.", class_="rule"))
    return joined(parts)


def rank_section(comparison: Comparison) -> Markup:
    """Ranks in every metric, and how often each rank comes out when cases are drawn again."""
    n = len(comparison.names)
    keys = [
        element("li", element("span", class_=f"swatch rank rank-{min(i, 5)}"), f"rank {i + 1}")
        for i in range(n)
    ]
    note = (
        "How often each prediction takes each rank when the cases are drawn again, with "
        "replacement. A bar of one shade is a rank that does not depend on the choice of cases."
    )
    return joined(
        [
            element("p", note, class_="quiet"),
            element("ul", *keys, class_="key"),
            *(_rank_table(metric) for metric in comparison.metrics),
        ]
    )


def paired_charts(
    summaries: Mapping[str, Summary], comparison: Comparison | None, pictured: frozenset[str]
) -> Markup:
    """One chart for each metric and class: a row a prediction, a dot a case, pairs joined."""
    first = next(iter(summaries.values()))
    charts = []
    for class_id in (k for k in range(len(first.class_names)) if k != first.background):
        for key in metric_keys(first):
            rows = {
                name: [(case.id, case.classes[class_id].values.get(key)) for case in summary.cases]
                for name, summary in summaries.items()
            }
            facts = metric_facts(key)
            limits = (0.0, 1.0) if facts.get("best") == 1 and key != "mcc" else None
            direction = metric_direction(key, first.unit)
            title = f"{metric_name(key)} of {first.class_names[class_id]}"
            title += f" ({direction})" if direction else ""
            charts.append(
                dot_rows(rows, title=title, pictured=pictured, limits=limits,
                         marks=_marks(summaries, key, class_id))
            )  # fmt: skip
    head, rest = charts[:FIRST_CHARTS], charts[FIRST_CHARTS:]
    more = folded(count(len(rest), "more chart"), *rest, is_bulk=True) if rest else None
    hint = "Each dot is a case; lines join the same case. The upright line is the mean, the band "
    hint += "its 95 % interval."
    hint += " Select a dot to see the pictures of the case." if pictured else ""
    return joined([element("p", hint, class_="quiet"), *head, more])


def name_key(names: Sequence[str]) -> Markup:
    """Predictions with the colours of their dots."""
    items = [element("li", swatch(COLOURS[i % len(COLOURS)]), name) for i, name in enumerate(names)]
    return element("ul", *items, class_="key")


def _marks(summaries: Mapping[str, Summary], key: str, class_id: int) -> Marks:
    found = {}
    for name, summary in summaries.items():
        for metric in summary.metrics:
            if (metric.metric, metric.class_id) == (key, class_id) and metric.mean is not None:
                found[name] = (metric.mean, metric.low, metric.high)
    return found


def _difference_table(metric: MetricComparison) -> Markup:
    columns = [
        Column("Pair"), Column("Means", "", True), Column("Difference", "95 % interval", True),
        Column("Effect", "in standard deviations", True),
        Column("p", "permutation", True), Column("p", "Holm-corrected", True),
        Column("p", "Wilcoxon, corrected", True), Column("Reading"),
    ]  # fmt: skip
    digits = metric_digits(metric.metric)
    rows: list[list[Content]] = []
    for d in metric.differences:
        interval = None
        if d.low is not None and d.high is not None:
            text = f"{number(d.low, digits)} to {number(d.high, digits)}"
            interval = element("small", text, class_="line")
        means = (number(metric.means[name], digits) for name in (d.first, d.second))
        rows.append(
            [
                f"{d.first} − {d.second}",
                " and ".join(means),
                joined([number(d.mean, digits), interval]),
                "none" if d.effect is None else number(d.effect, 2),
                number(d.p, 4),
                number(d.p_corrected, 4),
                number(d.wilcoxon_corrected, 4),
                _reading(d),
            ]
        )
    direction = "higher" if metric.higher_is_better else "lower"
    left = f", {metric.n_left_out} left out" if metric.n_left_out else ""
    caption = (
        f"{metric_name(metric.metric)} of {metric.class_name} ({direction} is better), "
        f"{count(metric.n_cases, 'case')}{left}"
    )
    return table(columns, rows, caption=caption, class_="wide")


def _reading(d: Difference) -> str:
    if not d.better:
        return "no difference"
    n_better, n_worse = d.n_first_better, d.n_second_better
    if d.better == d.second:
        n_better, n_worse = n_worse, n_better
    sure = "more than chance" if d.p_corrected < SURE else "may be chance"
    return f"{d.better} is better in {n_better}, worse in {n_worse}; {sure}"


def _rank_table(metric: MetricComparison) -> Markup:
    columns = [
        Column("Prediction"), Column("Rank of means", "", True),
        Column("Mean of ranks", "", True), Column("How often it takes each rank"),
    ]  # fmt: skip
    rows: list[list[Content]] = []
    for name, chances in metric.rank_probability.items():
        rows.append(
            [name, number(metric.mean_then_rank[name], 1), number(metric.rank_then_mean[name], 2),
             _rank_bar(chances)]
        )  # fmt: skip
    return table(columns, rows, caption=f"{metric_name(metric.metric)} of {metric.class_name}")


def _rank_bar(chances: Sequence[float]) -> Markup:
    told = [f"{100 * chance:.0f} % rank {i + 1}" for i, chance in enumerate(chances) if chance > 0]
    parts = [
        element("span", class_=f"rank rank-{min(i, 5)}", style=f"width:{100 * chance:.2f}%",
                title=f"rank {i + 1}: {100 * chance:.0f} %")
        for i, chance in enumerate(chances)
        if chance > 0
    ]  # fmt: skip
    bar = element("span", *parts, class_="track ranks", aria_hidden="true")
    return element("span", bar, element("small", ", ".join(told)), class_="rank-bar")
