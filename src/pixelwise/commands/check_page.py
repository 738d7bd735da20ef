"""The page of a check: findings with pictures, what the set holds, and how it was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from markupsafe import Markup

from pixelwise.commands.check_pictures import draw_doubts, draw_symptom
from pixelwise.commands.doubtful_labels import Doubt
from pixelwise.core.case import DataSet
from pixelwise.core.errors import Problem
from pixelwise.core.files import write_text
from pixelwise.core.records import Facts
from pixelwise.core.runtime import package_version
from pixelwise.data.set_exam import Examination
from pixelwise.report.check_tables import (
    doubt_table,
    drift_tables,
    intensity_table,
    object_table,
    place_table,
)
from pixelwise.report.data_facts import facts_tables
from pixelwise.report.elements import Content, element, joined
from pixelwise.report.page import Section, render_page
from pixelwise.report.symptom_list import Thumbnail, findings, thumbnail_row
from pixelwise.report.wording import count


class Checked(Protocol):
    """What the page is made from; `CheckResult` fits."""

    @property
    def root(self) -> Path: ...

    @property
    def dataset(self) -> DataSet | None: ...

    @property
    def facts(self) -> Facts | None: ...

    @property
    def problems(self) -> tuple[Problem, ...]: ...

    @property
    def examination(self) -> Examination | None: ...

    @property
    def doubts(self) -> tuple[Doubt, ...]: ...

    @property
    def is_usable(self) -> bool: ...


def write_check_page(path: Path, checked: Checked) -> None:
    """Write a check as one self-contained HTML page. Raises BadOutput."""
    sections = [
        Section("summary", "Summary", _summary(checked)),
        Section("findings", "What was found", _findings(checked)),
        *_doubts(checked),
        *_data(checked),
    ]
    name = checked.dataset.name if checked.dataset is not None else checked.root.name
    page = render_page(
        name, sections, created=datetime.now(UTC), version=package_version(), kind="Data check"
    )
    write_text(path, page)


def _summary(checked: Checked) -> Markup:
    counts = {
        severity: sum(p.severity == severity for p in checked.problems)
        for severity in ("error", "warning", "note")
    }
    verdict = "can be trained on" if checked.is_usable else "cannot be trained on as it is"
    said = (
        f"This data {verdict}: {count(counts['error'], 'error')}, "
        f"{count(counts['warning'], 'warning')}, {count(counts['note'], 'note')}."
    )
    facts: list[tuple[str, str]] = []
    if checked.dataset is not None:
        facts += [
            ("Cases", count(len(checked.dataset.cases))),
            ("Masks", checked.dataset.meaning.sentence),
            ("Splits", checked.dataset.split_rule or "none"),
        ]
    if checked.examination is not None:
        facts.append(("Looked at closely", count(checked.examination.n_examined, "case")))
    rows = [element("div", element("dt", head), element("dd", text)) for head, text in facts]
    return joined(
        [
            element("p", said, class_="verdict"),
            element("dl", *rows, class_="facts") if rows else None,
        ]
    )


def _findings(checked: Checked) -> Markup:
    symptoms = checked.examination.symptoms if checked.examination is not None else ()
    of_symptoms = {symptom.problem for symptom in symptoms}
    problems = [problem for problem in checked.problems if problem not in of_symptoms]
    drawn: list[list[Thumbnail]] = []
    if checked.dataset is not None and checked.examination is not None:
        offsets = checked.examination.offsets
        drawn = [draw_symptom(symptom, checked.dataset, offsets) for symptom in symptoms]
    return findings(problems, symptoms, drawn)


def _doubts(checked: Checked) -> list[Section]:
    if not checked.doubts or checked.dataset is None:
        return []
    intro = element(
        "p",
        "Labels that the run disbelieves, the most doubtful first. What it was trained on it may "
        "have learned with its faults.",
    )
    pictures = thumbnail_row(draw_doubts(checked.doubts, checked.dataset))
    content = joined([intro, pictures, doubt_table(checked.doubts)])
    return [Section("doubts", "Labels that are likely wrong", content)]


def _data(checked: Checked) -> list[Section]:
    facts, dataset = checked.facts, checked.dataset
    if facts is None or dataset is None:
        return []
    colours: Mapping[int, str] = {c.id: c.colour for c in dataset.classes}
    names = {c.id: c.name for c in dataset.classes}
    parts: Sequence[Content] = [facts_tables(facts, colours), place_table(facts)]
    sections = [Section("data", "What the set holds", joined(parts))]
    if checked.examination is not None:
        exam = checked.examination
        tables = [object_table(exam.objects, names, facts.unit)]
        sections.append(Section("objects", "Objects", joined(tables)))
        drift = [intensity_table(facts), drift_tables(exam.drifts, exam.shifts)]
        sections.append(Section("drift", "Intensities by split, and drift", joined(drift)))
    return sections
