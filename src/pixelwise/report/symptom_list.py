"""Findings of the closer look on a page: what, where, how bad, what to do, and pictures of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pixelwise.core.errors import Problem
from pixelwise.data.symptoms import Place, Symptom
from pixelwise.report.case_views import photo_url
from pixelwise.report.elements import Column, Content, element, folded, joined, table
from pixelwise.report.overview import MARKS, problem_list
from pixelwise.report.pictures import Picture
from pixelwise.report.wording import count, number

SMALLEST = 150
"""Smaller pictures are shown enlarged to this width."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture (y, x, 3) uint8 of a case, and what it shows."""

    picture: Picture
    case: str
    text: str


def thumbnail_row(thumbnails: Sequence[Thumbnail]) -> Markup | None:
    """Pictures side by side, each with its case and what it shows."""
    if not thumbnails:
        return None
    return element("div", *(_figure(thumbnail) for thumbnail in thumbnails), class_="thumbnails")


def symptom_items(symptoms: Sequence[Symptom], thumbnails: Sequence[Sequence[Thumbnail]]) -> Markup:
    """Each finding with its pictures, and all of its places in a table that opens."""
    items = [
        element(
            "li",
            element("span", MARKS[symptom.problem.severity], class_="tag"),
            element(
                "div",
                _said(symptom.problem),
                thumbnail_row(drawn),
                _all_places(symptom.places),
            ),
            class_=symptom.problem.severity,
        )
        for symptom, drawn in zip(symptoms, thumbnails, strict=True)
    ]
    return element("ul", *items, class_="problems")


def findings(
    problems: Sequence[Problem],
    symptoms: Sequence[Symptom],
    thumbnails: Sequence[Sequence[Thumbnail]],
) -> Markup:
    """Everything that is wrong: of the files, then of the set as a whole."""
    parts: list[Content] = []
    if problems:
        parts += [element("h3", "Files, masks and splits"), problem_list(problems)]
    if symptoms:
        parts += [
            element("h3", "Compared with each other and with their masks"),
            symptom_items(symptoms, thumbnails),
        ]
    if not parts:
        parts.append(element("p", "Nothing was found."))
    return joined(parts)


def _said(problem: Problem) -> Markup:
    what = problem.what[:1].upper() + problem.what[1:].rstrip(".") + "."
    advice = f"Expected: {problem.expected.rstrip('.')}. " if problem.expected else ""
    return joined(
        [
            element("p", what),
            element("p", advice + problem.remedy, class_="quiet") if problem.remedy else None,
        ]
    )


def _all_places(places: Sequence[Place]) -> Markup | None:
    if not places:
        return None
    rows: list[list[Content]] = [
        [
            place.case + (f", {place.other}" if place.other else ""),
            place.text,
            number(place.score),
            joined(element("div", element("code", path)) for path in place.files),
        ]
        for place in places
    ]
    columns = (Column("Case"), Column("What"), Column("How bad", "", True), Column("Files"))
    whole = table(columns, rows, caption="Places, the worst first")
    return folded(f"{count(len(places), 'place')} and the files", whole, is_bulk=True)


def _figure(thumbnail: Thumbnail) -> Markup:
    height, width = thumbnail.picture.shape[:2]
    url = photo_url(thumbnail.picture, (width, height))
    shown = max(width, SMALLEST)
    text = f"{thumbnail.case}: {thumbnail.text}"
    return element(
        "figure",
        element("img", src=url, alt=text, width=shown, height=round(height * shown / width)),
        element("figcaption", element("strong", thumbnail.case), " ", thumbnail.text),
    )
