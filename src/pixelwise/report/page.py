"""One self-contained HTML page: the shell that all pages share, and the report of a run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pixelwise.core.files import write_text
from pixelwise.core.plan import Plan
from pixelwise.core.records import Summary
from pixelwise.report.case_scores import case_strips, case_table
from pixelwise.report.content import GalleryItem, ReportContent
from pixelwise.report.data_facts import facts_tables, label_table
from pixelwise.report.diagnosis import diagnose
from pixelwise.report.elements import Content, element, folded, joined
from pixelwise.report.engine_table import engine_section
from pixelwise.report.gallery import gallery
from pixelwise.report.overview import (
    headline,
    key_facts,
    next_steps,
    note_list,
    problem_list,
    repeat_steps,
)
from pixelwise.report.pictures import ColouredClass
from pixelwise.report.region_layers import legend_of_regions
from pixelwise.report.scores import (
    Colours,
    class_table,
    confusion_table,
    leading_metric,
    metric_keys,
    metrics_table,
    overall_table,
)
from pixelwise.report.settings import environment_table, plan_table
from pixelwise.report.size_table import size_table
from pixelwise.report.training_curves import training_curves
from pixelwise.report.wording import SPLIT_ORDER, count, metric_name, split_name

__all__ = ["GalleryItem", "ReportContent", "Section", "render_page", "write_report"]

NO_PICTURES = (
    "Pictures are left out: this page was made with --no-thumbnails, so it holds no pixel of "
    "the data. Names of cases and files, and all numbers, are still in it."
)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: its anchor, its heading, and what stands below it."""

    anchor: str
    title: str
    content: Content


def write_report(path: Path, content: ReportContent, *, with_thumbnails: bool = True) -> None:
    """Write the report of a run as one HTML file without any outside reference.

    with_thumbnails=False leaves out every picture made from the data and says so.
    Raises BadOutput if the place cannot be written.
    """
    write_text(path, render_report(content, with_thumbnails=with_thumbnails))


def render_report(content: ReportContent, *, with_thumbnails: bool = True) -> str:
    """The report of a run as HTML text."""
    colours = {entry.id: entry.colour for entry in content.plan.data.classes}
    problems = [*content.problems, *diagnose(content.history, content.summaries)]
    pictured = frozenset(item.case_id for item in content.gallery if with_thumbnails)
    sections = [
        Section("summary", "Summary", joined([headline(content), key_facts(content)])),
        Section(
            "problems",
            "Warnings and notes",
            joined([note_list(content.notes), problem_list(problems)]),
        ),
        Section("next", "What to do next", next_steps(content)),
        Section("training", "Training", training_curves(content.history, content.plan)),
        *(
            score_section(
                content.summaries[split],
                split,
                colours,
                is_main=i == 0,
                pictured=pictured if split == content.gallery_split else frozenset(),
            )
            for i, split in enumerate(_splits_in_order(content))
        ),
        _gallery_section(content, with_thumbnails),
        Section("plan", "The plan and its reasons", plan_table(content.plan)),
        *_engine_sections(content),
        Section(
            "data",
            "The data",
            joined([label_table(content.plan), facts_tables(content.facts, colours)]),
        ),
        Section(
            "machine",
            "Machine, and how to repeat the run",
            joined([repeat_steps(content), environment_table(content.environment)]),
        ),
    ]
    return render_page(
        content.title,
        sections,
        created=content.created,
        version=content.plan.package_version,
        note="" if with_thumbnails else NO_PICTURES,
    )


def render_page(
    title: str,
    sections: Sequence[Section],
    *,
    created: datetime,
    version: str,
    note: str = "",
    kind: str = "Segmentation report",
) -> str:
    """A page of sections with contents list, light and dark, zoom and print style.

    Everything is inside the text; a content security policy forbids any request.
    """
    script = _read("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment = Environment(
        loader=PackageLoader("pixelwise.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        title=title,
        kind=kind,
        sections=sections,
        created=created.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=version,
        note=note,
        style=Markup(_read("page.css")),
        script=Markup(script),
        script_hash=f"sha256-{digest}",
    )


def score_tables(summary: Summary, colours: Colours) -> list[Content]:
    """The scores of a set without its single cases: the leading metric, rules, all the rest."""
    key = leading_metric(summary)
    return [
        class_table(summary, key, colours),
        size_table(summary, colours),
        element("p", element("strong", "Empty cases. "), summary.rule, class_="rule"),
        element("p", f"Intervals: {summary.interval}.", class_="rule"),
        *_score_details(summary, key, colours, has_overall=False),
    ]


def score_section(
    summary: Summary,
    split: str,
    colours: Colours,
    *,
    is_main: bool = True,
    pictured: frozenset[str] = frozenset(),
) -> Section:
    """Everything about the scores of one split; of a lesser split the details are folded.

    Cases in `pictured` lead to their pictures.
    """
    key = leading_metric(summary)
    title = f"Scores on {count(summary.n_cases, f'{split_name(split)} case')}"
    if summary.n_cases == 0:
        nothing = element("p", "There is no case with a truth in this split.", class_="quiet")
        return Section(f"scores-{split}", title, nothing)
    rule = element("p", element("strong", "Empty cases. "), summary.rule, class_="rule")
    interval = element("p", f"Intervals: {summary.interval}.", class_="rule")
    details = _score_details(summary, key, colours)
    if not is_main:
        details = [folded("Confusion of classes and all metrics", *details, is_bulk=True)]
    parts: list[Content] = [
        class_table(summary, key, colours),
        size_table(summary, colours),
        rule if is_main else None,
        interval if summary.interval else None,
        element("h3", f"{metric_name(key)} of every case"),
        case_strips(summary, key, colours, pictured),
        case_table(summary, key, f"scores-{split}.json", pictured),
        *details,
    ]
    return Section(f"scores-{split}", title, joined(parts))


def _score_details(
    summary: Summary, key: str, colours: Colours, *, has_overall: bool = True
) -> list[Content]:
    others = [
        element("div", class_table(summary, other, colours))
        for other in metric_keys(summary)
        if other != key
    ]
    confusion: list[Content] = [
        element("h3", "Which classes are taken for which"),
        confusion_table(summary),
    ]
    return [
        *(confusion if not summary.has_regions else ()),
        element("h3", "All metrics"),
        metrics_table(summary, colours),
        overall_table(summary) if has_overall else None,
        folded("Every metric in full, class by class", *others, is_bulk=True) if others else None,
    ]


def _engine_sections(content: ReportContent) -> list[Section]:
    if content.engines is None:
        return []
    return [Section("engines", "Engines for prediction", engine_section(content.engines))]


def _gallery_section(content: ReportContent, with_thumbnails: bool) -> Section:
    title = "Worst, median and best cases"
    summary = content.summaries.get(content.gallery_split)
    if summary is not None and len(content.gallery) == summary.n_cases:
        title = "Every case, the worst first"
    if not with_thumbnails:
        return Section("gallery", title, element("p", NO_PICTURES, class_="quiet"))
    if not content.gallery:
        nothing = element("p", "There is no scored case to show.", class_="quiet")
        return Section("gallery", title, nothing)
    name = metric_name(leading_metric(summary)) if summary else "score"
    of_split = f" All are {split_name(content.gallery_split)} cases." if summary else ""
    intro = (
        "Select a picture to enlarge it; then the arrow keys lead through the views and cases."
        + of_split
    )
    return Section(
        "gallery",
        title,
        joined(
            [
                element("p", intro, class_="quiet screen"),
                gallery(content.gallery, _legend_classes(content.plan), name),
            ]
        ),
    )


def _legend_classes(plan: Plan) -> Sequence[ColouredClass]:
    entries = plan.data.classes
    return legend_of_regions(entries) if plan.data.labels.holds_regions else entries


def _splits_in_order(content: ReportContent) -> list[str]:
    known = [split for split in SPLIT_ORDER if split in content.summaries]
    return known + sorted(set(content.summaries) - set(known))


def _read(name: str) -> str:
    return resources.files("pixelwise.report").joinpath(name).read_text(encoding="utf-8")
