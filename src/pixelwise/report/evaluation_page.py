"""Pages of scores alone: one prediction against the truth, or several against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from markupsafe import Markup

from pixelwise.core.case import ClassInfo
from pixelwise.core.comparisons import Comparison
from pixelwise.core.errors import Problem
from pixelwise.core.files import write_text
from pixelwise.core.records import Summary
from pixelwise.report.case_figures import CaseFigure
from pixelwise.report.case_scores import case_strips, case_table
from pixelwise.report.comparison_sections import (
    difference_section,
    order_table,
    paired_charts,
    rank_section,
)
from pixelwise.report.elements import Content, element, folded, joined
from pixelwise.report.gallery import figures_with_legend
from pixelwise.report.human_tables import human_section
from pixelwise.report.overview import headline_score, headline_sentence, note_list, problem_list
from pixelwise.report.page import NO_PICTURES, Section, render_page, score_tables
from pixelwise.report.probability_charts import probability_section
from pixelwise.report.region_layers import legend_of_regions
from pixelwise.report.score_groups import group_section, size_section
from pixelwise.report.scores import Colours, leading_metric, metric_keys, overall_table
from pixelwise.report.wording import count, metric_name, number


@dataclass(frozen=True, slots=True)
class EvaluationContent:
    """What a page of scores is made from.

    summaries: name of a prediction -> its scores, all of the same cases. figures: cases as
    they were drawn, worst first; step, unit: the smallest side of their pixels. comparison
    and contradictions only where there are several. humans: people scored on the same
    cases; human_comparisons: the prediction against each of them.
    """

    title: str
    summaries: Mapping[str, Summary]
    classes: Sequence[ClassInfo]
    version: str
    figures: Sequence[CaseFigure] = ()
    step: float = 1.0
    unit: str = "px"
    comparison: Comparison | None = None
    contradictions: Sequence[str] = ()
    advice: Sequence[str] = ()
    problems: Sequence[Problem] = ()
    humans: Mapping[str, Summary] = field(default_factory=dict)
    human_comparisons: Mapping[str, Comparison] = field(default_factory=dict)
    with_thumbnails: bool = True
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def pictured(self) -> frozenset[str]:
        """Cases that have a picture."""
        return frozenset(figure.case_id for figure in self.figures)


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
        sections += _compared_sections(content, content.comparison)
    if content.advice:
        sections.append(Section("advice", "Which numbers to trust here", note_list(content.advice)))
    if content.humans:
        only = next(iter(content.summaries.values()))
        people = human_section(only, content.humans, content.human_comparisons)
        sections.append(Section("people", "Beside people", people))
    for i, (name, summary) in enumerate(content.summaries.items()):
        sections += _score_sections(content, i, name, summary, colours)
    sections.append(Section("gallery", "Cases in pictures", _pictures(content)))
    kind = "Comparison" if content.comparison is not None else "Evaluation"
    return render_page(
        content.title, sections, created=content.created, version=content.version, kind=kind,
        note="" if content.with_thumbnails else NO_PICTURES,
    )  # fmt: skip


def _overview(content: EvaluationContent) -> Markup:
    parts: list[Content] = []
    if content.contradictions:
        warned = [element("li", text) for text in content.contradictions]
        title = element("h3", "Numbers that contradict each other")
        parts.append(element("div", title, element("ul", *warned), class_="contradictions"))
    if content.comparison is not None:
        parts.append(order_table(content.comparison))
        for name, summary in content.summaries.items():
            parts.append(element("p", element("strong", name), ": ", headline_sentence(summary)))
        return joined([*parts, _condition_list(next(iter(content.summaries.values())))])
    only = next(iter(content.summaries.values()))
    score = element(
        "p",
        element("span", f"Mean {metric_name(leading_metric(only))}", class_="score-name"),
        element("span", number(headline_score(only)), class_="score-value"),
        class_="score-line",
    )
    parts.append(element("div", score, element("p", headline_sentence(only), class_="verdict"),
                         class_="headline"))  # fmt: skip
    return joined([*parts, _condition_list(only), overall_table(only)])


def _condition_list(summary: Summary) -> Markup | None:
    return note_list(summary.conditions) if summary.conditions else None


def _compared_sections(content: EvaluationContent, comparison: Comparison) -> list[Section]:
    charts = paired_charts(content.summaries, comparison, content.pictured)
    return [
        Section("cases", "Every case", charts),
        Section("differences", "Differences", difference_section(comparison)),
        Section("ranks", "Ranks, and how sure they are", rank_section(comparison)),
    ]


def _score_sections(
    content: EvaluationContent, index: int, name: str, summary: Summary, colours: Colours
) -> list[Section]:
    """Everything about the scores of one prediction; of several folded, under its name."""
    is_only = len(content.summaries) == 1
    distributions = _distributions(content, summary, colours) if is_only else None
    parts: list[tuple[str, str, Content]] = []
    if distributions is not None:
        parts.append(("cases", "Every case", distributions))
    parts.append(("scores", "Scores in full", joined(score_tables(summary, colours))))
    if summary.size_recall:
        parts.append(("sizes", "Objects found, by size", size_section(summary, colours)))
    if summary.groups:
        parts.append(("groups", "Groups of cases", group_section(summary)))
    if summary.probabilities:
        parts.append(("calibration", "Probabilities", probability_section(summary, colours)))
    if is_only:
        return [Section(anchor, title, inner) for anchor, title, inner in parts]
    folds = [folded(title, inner, is_bulk=True) for _, title, inner in parts]
    title = f"Scores of {name}, {count(summary.n_cases, 'case')}"
    return [Section(f"scores-{index}", title, joined(folds))]


def _distributions(content: EvaluationContent, summary: Summary, colours: Colours) -> Markup:
    """Every metric as a strip of clickable cases, the leading one first, then the table."""
    leader, *others = metric_keys(summary)
    hint = "Each dot is a case. The upright line is the mean, the band its 95 % interval."
    hint += " Select a dot to see the pictures of its case." if content.figures else ""
    strips = [
        joined([element("h3", metric_name(key)),
                case_strips(summary, key, colours, content.pictured)])
        for key in others
    ]  # fmt: skip
    return joined(
        [
            element("p", hint, class_="quiet"),
            element("h3", metric_name(leader)),
            case_strips(summary, leader, colours, content.pictured),
            folded(f"{count(len(others), 'more metric')}", *strips, is_bulk=True)
            if others
            else None,
            case_table(summary, leader, "scores.json", content.pictured),
        ]
    )


def _pictures(content: EvaluationContent) -> Markup:
    if not content.with_thumbnails:
        return element("p", NO_PICTURES, class_="quiet")
    if not content.figures:
        return element("p", "There is no picture.", class_="quiet")
    n_cases = next(iter(content.summaries.values())).n_cases
    n = len(content.figures)
    which = "Every case" if n == n_cases else f"{count(n)} of {count(n_cases, 'case')}"
    note = f"{which}, the worst first. Select a picture to enlarge it; arrow keys lead on."
    has_regions = next(iter(content.summaries.values())).has_regions
    classes = legend_of_regions(content.classes) if has_regions else content.classes
    drawn = figures_with_legend(content.figures, classes, step=content.step, unit=content.unit)
    return joined([element("p", note, class_="quiet"), drawn])
