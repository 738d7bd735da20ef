"""Pages of scores alone: one prediction against the truth, or several against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from markupsafe import Markup

from pixelwise.core.case import ClassInfo
from pixelwise.core.comparisons import Comparison, MetricComparison
from pixelwise.core.errors import Problem
from pixelwise.core.files import write_text
from pixelwise.core.records import Summary
from pixelwise.report.case_dots import case_anchor, dot_rows
from pixelwise.report.charts import bar
from pixelwise.report.content import GalleryItem
from pixelwise.report.elements import Column, element, folded, joined, table
from pixelwise.report.gallery import gallery
from pixelwise.report.overview import note_list, problem_list
from pixelwise.report.page import NO_PICTURES, Section, render_page, score_section
from pixelwise.report.scores import metric_keys, overall_table
from pixelwise.report.wording import count, metric_facts, metric_name, number

RANK_COLOUR = "#0072b2"
SURE = 0.05


@dataclass(frozen=True, slots=True)
class EvaluationContent:
    """What a page of scores is made from.

    summaries: name of a prediction -> its scores, all of the same cases. gallery: name ->
    pictures of its cases. comparison and contradictions only where there are several.
    """

    title: str
    summaries: Mapping[str, Summary]
    classes: Sequence[ClassInfo]
    version: str
    gallery: Mapping[str, Sequence[GalleryItem]] = field(default_factory=dict)
    comparison: Comparison | None = None
    contradictions: Sequence[str] = ()
    advice: Sequence[str] = ()
    problems: Sequence[Problem] = ()
    with_thumbnails: bool = True
    created: datetime = field(default_factory=lambda: datetime.now(UTC))


def write_evaluation(path: Path, content: EvaluationContent) -> None:
    """Write the page as one HTML file without any outside reference. Raises BadOutput."""
    write_text(path, render_evaluation(content))


def render_evaluation(content: EvaluationContent) -> str:
    """The page as HTML text."""
    colours = {entry.id: entry.colour for entry in content.classes if entry.colour}
    sections = [Section("summary", "Summary", _overview(content))]
    if content.problems:
        sections.append(Section("problems", "Notes", problem_list(content.problems)))
    if content.comparison is not None:
        sections += _comparison_sections(content, content.comparison)
    if content.advice:
        sections.append(Section("advice", "Which numbers to trust here", note_list(content.advice)))
    sections.append(Section("cases", "Every case", _case_charts(content)))
    for i, (name, summary) in enumerate(content.summaries.items()):
        section = score_section(summary, "test", colours, is_main=i == 0)
        sections.append(
            Section(f"scores-{i}", f"Scores of {name}, {count(summary.n_cases, 'case')}",
                    section.content)
        )  # fmt: skip
    sections.append(Section("gallery", "Cases in pictures", _pictures(content)))
    kind = "Comparison" if content.comparison is not None else "Evaluation"
    return render_page(
        content.title, sections, created=content.created, version=content.version, kind=kind,
        note="" if content.with_thumbnails else NO_PICTURES,
    )  # fmt: skip


def _overview(content: EvaluationContent) -> Markup:
    parts = []
    if content.contradictions:
        parts.append(element("h3", "Numbers that contradict each other"))
        parts.append(element("ul", *(element("li", text) for text in content.contradictions)))
    for name, summary in content.summaries.items():
        dice, iou = summary.overall.get("mean_dice"), summary.overall.get("mean_iou")
        words = (
            f": mean foreground Dice {number(dice)} over cases, mean IoU {number(iou)} pooled over "
            f"pixels, {count(summary.n_cases, 'case')}."
        )
        parts.append(element("p", element("strong", name), words))
    if len(content.summaries) == 1:
        parts.append(overall_table(next(iter(content.summaries.values()))))
    return joined(parts)


def _comparison_sections(content: EvaluationContent, comparison: Comparison) -> list[Section]:
    rows = [
        [name, number(rank, 2)]
        for name, rank in sorted(comparison.overall_rank.items(), key=lambda item: item[1])
    ]
    order = table(
        [Column("Prediction"), Column("Mean rank", "over metrics and cases; 1 is best", True)],
        rows, caption="Overall order",
    )  # fmt: skip
    differences = [_difference_table(metric) for metric in comparison.metrics]
    rule = element("p", comparison.rule, class_="rule")
    interval = element("p", f"Intervals: {comparison.interval}.", class_="rule")
    ranks = joined([order, *(_rank_table(metric) for metric in comparison.metrics)])
    return [
        Section("differences", "Differences", joined([*differences, rule, interval])),
        Section("ranks", "Ranks, and how sure they are", ranks),
    ]


def _difference_table(metric: MetricComparison) -> Markup:
    direction = "higher" if metric.higher_is_better else "lower"
    columns = [
        Column("Pair"), Column("Means", "", True), Column("Difference", "95 % interval", True),
        Column("p", "permutation", True), Column("p", "Holm-corrected", True), Column("Reading"),
    ]  # fmt: skip
    rows = []
    for d in metric.differences:
        interval = (
            element("small", f"{number(d.low)} to {number(d.high)}")
            if d.low is not None and d.high is not None
            else None
        )
        verdict = "no difference"
        if d.better:
            sure = "more than chance" if d.p_corrected < SURE else "may be chance"
            verdict = f"{d.better} is better; {sure}"
        rows.append(
            [
                f"{d.first} - {d.second}",
                f"{number(metric.means[d.first])} and {number(metric.means[d.second])}",
                joined([number(d.mean), interval]),
                number(d.p, 4),
                number(d.p_corrected, 4),
                verdict,
            ]
        )
    caption = (
        f"{metric_name(metric.metric)} of {metric.class_name} ({direction} is better), "
        f"{count(metric.n_cases, 'case')}, {metric.n_left_out} left out"
    )
    return table(columns, rows, caption=caption)


def _rank_table(metric: MetricComparison) -> Markup:
    columns = [Column("Prediction"), Column("Rank of means", "", True),
               Column("Mean of ranks", "", True), Column("Probability of rank 1")]  # fmt: skip
    rows = []
    for name, chances in metric.rank_probability.items():
        chance = bar(chances[0], f"{100 * chances[0]:.0f} %", RANK_COLOUR)
        rows.append(
            [name, number(metric.mean_then_rank[name], 1), number(metric.rank_then_mean[name], 2),
             chance]
        )  # fmt: skip
    return table(columns, rows, caption=f"{metric_name(metric.metric)} of {metric.class_name}")


def _case_charts(content: EvaluationContent) -> Markup:
    first = next(iter(content.summaries.values()))
    pictured = frozenset(item.case_id for items in content.gallery.values() for item in items)
    charts = []
    for class_id in (k for k in range(len(first.class_names)) if k != first.background):
        for key in metric_keys(first):
            rows = {
                name: [(case.id, case.classes[class_id].values.get(key)) for case in summary.cases]
                for name, summary in content.summaries.items()
            }
            limits = (0.0, 1.0) if metric_facts(key).get("best") == 1 else None
            title = f"{metric_name(key)} of {first.class_names[class_id]}"
            charts.append(dot_rows(rows, title=title, pictured=pictured, limits=limits))
    hint = (
        "Each dot is a case; select it to see its picture." if pictured else "Each dot is a case."
    )
    head, rest = charts[:4], charts[4:]
    more = folded(count(len(rest), "more chart"), *rest, is_bulk=True) if rest else None
    return joined([element("p", hint, class_="quiet"), *head, more])


def _pictures(content: EvaluationContent) -> Markup:
    if not content.with_thumbnails:
        return element("p", NO_PICTURES, class_="quiet")
    parts = []
    seen: set[str] = set()
    for name, items in content.gallery.items():
        if len(content.gallery) > 1:
            parts.append(element("h3", name))
        for item in items:
            anchor = None if item.case_id in seen else case_anchor(item.case_id)
            seen.add(item.case_id)
            parts.append(element("div", gallery([item], content.classes, "Dice"), id=anchor))
    return joined(parts) if parts else element("p", "There is no picture.", class_="quiet")
