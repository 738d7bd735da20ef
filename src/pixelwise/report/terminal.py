"""The same numbers for a terminal: scores, the plan with its reasons, problems, as rich tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from pixelwise.core.errors import Problem
from pixelwise.core.plan import Plan
from pixelwise.core.records import MetricSummary, Summary
from pixelwise.report.overview import headline_sentence
from pixelwise.report.scores import leading_metric, metric_keys
from pixelwise.report.settings import SECTION_NAMES, is_changed, plan_rows
from pixelwise.report.wording import metric_direction, metric_name, number

MANY_METRICS = 8
"""With more metrics than this each has a row instead of a column."""

STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def summary_table(summary: Summary, split: str) -> Table:
    """Every metric of every class: mean over cases, pooled behind it, empty cases counted.

    The caption is the headline as a sentence; what is undefined is called so.
    """
    keys = metric_keys(summary)
    made = Table(box=SIMPLE_HEAD, caption=Text(headline_sentence(summary, split)))
    made.caption_justify = "left"
    if len(keys) > MANY_METRICS:
        return _long_table(made, summary)
    made.add_column("class")
    for key in keys:
        sign = "↓" if "lower" in metric_direction(key, summary.unit) else "↑"
        made.add_column(Text(f"{metric_name(key)} {sign}"), justify="right")
    for head in ("counted", "empty", "missed", "false alarm"):
        made.add_column(head, justify="right")
    leader = leading_metric(summary)
    by_place = {(m.class_id, m.metric): m for m in summary.metrics}
    for class_id, name in enumerate(summary.class_names):
        found = [by_place.get((class_id, key)) for key in keys]
        lead = by_place.get((class_id, leader))
        made.add_row(Text(name), *(_cell(m) for m in found), *_counts(lead))
    return made


def _long_table(made: Table, summary: Summary) -> Table:
    """A row for every metric of every class, where a column each would not fit."""
    for head in ("class", "metric"):
        made.add_column(head)
    for head in ("mean", "95 % interval", "pooled", "counted", "empty", "missed", "false alarm"):
        made.add_column(head, justify="right")
    order = metric_keys(summary)
    rows = sorted(summary.metrics, key=lambda m: (m.class_id, order.index(m.metric)))
    for m in rows:
        sign = "↓" if "lower" in metric_direction(m.metric, summary.unit) else "↑"
        bounds = "" if m.low is None or m.high is None else f"{number(m.low)} to {number(m.high)}"
        made.add_row(
            Text(summary.class_names[m.class_id]),
            Text(f"{metric_name(m.metric)} {sign}"),
            number(m.mean),
            bounds,
            "" if m.pooled is None else number(m.pooled),
            *_counts(m),
        )
    return made


def plan_table(plan: Plan, *, whole: bool = False) -> Table:
    """The settings that were chosen, each with its reason; `whole` lists the others too."""
    made = Table(box=SIMPLE_HEAD)
    made.add_column("setting")
    made.add_column("value", overflow="fold")
    made.add_column("because", overflow="fold")
    for section, rows in plan_rows(plan).items():
        shown = [row for row in rows if whole or row[2] is not None]
        if not shown:
            continue
        made.add_section()
        made.add_row(Text(SECTION_NAMES[section], style="bold"))
        for field, value, choice in shown:
            why = Text("default", style="dim")
            if choice is not None:
                fact = f" ({choice.fact})" if choice.fact else ""
                why = Text(choice.reason + fact, style="cyan" if is_changed(choice) else "")
            made.add_row(Text(f"  {field}"), Text(value), why)
    return made


def problems_table(problems: Sequence[Problem]) -> Table:
    """Problems, errors first: how bad, which file, what is wrong, what to do."""
    made = Table(box=SIMPLE_HEAD, show_header=bool(problems))
    for head in ("", "what is wrong", "what to do"):
        made.add_column(head, overflow="fold")
    order = list(STYLES)
    for problem in sorted(problems, key=lambda p: order.index(p.severity)):
        what = f"{problem.path}: {problem.what}" if problem.path else problem.what
        expected = f"Expected {problem.expected}. " if problem.expected else ""
        made.add_row(
            Text(problem.severity, style=STYLES[problem.severity]),
            Text(what),
            Text(expected + problem.remedy),
        )
    return made


def _cell(metric: MetricSummary | None) -> Text:
    if metric is None:
        return Text("not computed", style="dim")
    if metric.mean is None:
        return Text("undefined", style="dim")
    text = Text(number(metric.mean))
    if metric.pooled is not None:
        text.append(f" ({number(metric.pooled)})", style="dim")
    return text


def _counts(metric: MetricSummary | None) -> tuple[str, str, str, str]:
    if metric is None:
        return "0", "0", "0", "0"
    counted = f"{metric.n_cases - metric.n_undefined} of {metric.n_cases}"
    return counted, str(metric.n_undefined), str(metric.n_missed), str(metric.n_false_alarm)
