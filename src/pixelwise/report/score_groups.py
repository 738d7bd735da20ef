"""Scores of groups of cases, and of true objects by size, as tables."""

from __future__ import annotations

from markupsafe import Markup

from pixelwise.core.records import GroupScores, SizeRecall, Summary
from pixelwise.report.charts import bar
from pixelwise.report.elements import Column, Content, element, folded, joined, table
from pixelwise.report.scores import PLAIN_COLOUR, Colours, leading_metric, metric_keys, undefined
from pixelwise.report.wording import (
    count,
    general,
    metric_digits,
    metric_direction,
    metric_facts,
    metric_name,
    number,
    share,
)

MAX_GROUPS = 300


def group_section(summary: Summary) -> Markup:
    """Every group, the worst first, in the leading metric; the others folded."""
    leader = leading_metric(summary)
    others = [_group_table(summary, key) for key in metric_keys(summary) if key != leader]
    groups = {entry.group for entry in summary.groups}
    note = (
        f"{count(len(groups), 'group')} of cases that belong together. Intervals elsewhere on this "
        "page draw whole groups."
    )
    return joined(
        [
            element("p", note, class_="quiet"),
            _group_table(summary, leader),
            folded("Groups in the other metrics", *others, is_bulk=True) if others else None,
        ]
    )


def size_section(summary: Summary, colours: Colours) -> Markup:
    """Of the true objects of every class, by size: how many were touched, and matched."""
    tables = [_size_table(summary, entry, colours) for entry in summary.size_recall]
    note = (
        "True objects are the numbered ones, or the parts of a class that hang together, corners "
        "count. Size classes hold about a quarter of them each. Touched: a predicted object "
        "shares a pixel; matched: with an IoU above 0.5."
    )
    return joined([element("p", note, class_="quiet"), *tables])


def _group_table(summary: Summary, key: str) -> Markup:
    classes = [k for k in range(len(summary.class_names)) if k != summary.background]
    by_group: dict[str, dict[int, GroupScores]] = {}
    for entry in summary.groups:
        if entry.metric == key and entry.class_id in classes:
            by_group.setdefault(entry.group, {})[entry.class_id] = entry
    is_higher = metric_facts(key).get("higher_is_better", True)
    ordered = sorted(by_group.items(), key=lambda item: _worth(item[1], is_higher))
    columns = [Column("Group"), Column("Cases", "", True)]
    columns += [Column(summary.class_names[k], "mean over cases", True) for k in classes]
    rows: list[list[Content]] = []
    for group, own in ordered[:MAX_GROUPS]:
        n_cases = next(iter(own.values())).n_cases
        rows.append([group, str(n_cases), *(_group_cell(own.get(k), key) for k in classes)])
    caption = f"{metric_name(key)} of each group, worst first"
    direction = metric_direction(key, summary.unit)
    if len(ordered) > MAX_GROUPS:
        caption += f"; {len(ordered) - MAX_GROUPS} better ones are in groups.csv"
    return table(columns, rows, caption=f"{caption} ({direction})" if direction else caption)


def _group_cell(entry: GroupScores | None, key: str) -> Content:
    if entry is None or entry.mean is None:
        return undefined("no value in any case")
    digits = metric_digits(key)
    small = []
    if entry.pooled is not None:
        small.append(f"pooled {number(entry.pooled, digits)}")
    if entry.n_undefined:
        small.append(f"{entry.n_undefined} without")
    below = element("small", ", ".join(small), class_="line") if small else None
    return joined([number(entry.mean, digits), below])


def _worth(own: dict[int, GroupScores], is_higher: bool) -> float:
    means = [entry.mean for entry in own.values() if entry.mean is not None]
    if not means:
        return float("inf")
    mean = sum(means) / len(means)
    return mean if is_higher else -mean


def _size_table(summary: Summary, entry: SizeRecall, colours: Colours) -> Markup:
    colour = colours.get(entry.class_id, PLAIN_COLOUR)
    columns = [
        Column("Size in pixels"), Column("True objects", "", True), Column("Touched"),
        Column("Matched", "IoU above 0.5"),
    ]  # fmt: skip
    rows: list[list[Content]] = []
    ends = ["", *(general(edge) for edge in entry.edges), ""]
    for i, n in enumerate(entry.n_objects):
        low, high = ends[i], ends[i + 1]
        size = f"{low} to below {high}" if low and high else f"below {high}" if high else ""
        size = size or (f"{low} and more" if low else "all")
        cells = [_share_bar(k, n, colour) for k in (entry.n_touched[i], entry.n_matched[i])]
        rows.append([size, count(n), *cells])
    return table(columns, rows, caption=f"Objects of {summary.class_names[entry.class_id]}")


def _share_bar(found: int, total: int, colour: str) -> Content:
    if not total:
        return undefined("no such object")
    return bar(found / total, f"{share(found / total)}, {count(found)}", colour)
