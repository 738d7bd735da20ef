"""Cases as pictures inside the page: a photo with thin layers of truth, prediction and errors."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pixelwise.report.case_figures import CaseFigure, draw_case
from pixelwise.report.content import GalleryItem
from pixelwise.report.distance_maps import distance_legend
from pixelwise.report.elements import element, swatch
from pixelwise.report.pictures import (
    FALSE,
    HIT,
    MISSED,
    SWAPPED,
    ColouredClass,
    find_background,
)

MAX_EDGE = 1024
"""Longest side in pixels of a picture in the page; larger ones are thinned out."""


def gallery(
    items: Sequence[GalleryItem], classes: Sequence[ColouredClass], score_name: str
) -> Markup:
    """Every case as four views side by side: image, truth, predicted, errors.

    A volume has three rows of them, planes through its worst error, and a slider over slices.
    """
    figures = [draw_case(item, classes, score_name, most=MAX_EDGE) for item in items]
    return figures_with_legend(figures, classes)


def figures_with_legend(
    figures: Sequence[CaseFigure],
    classes: Sequence[ColouredClass],
    *,
    step: float = 1.0,
    unit: str = "px",
) -> Markup:
    """Drawn cases below what their colours mean; step, unit: the smallest side of a pixel."""
    told = legend(
        classes,
        has_void=any(figure.has_void for figure in figures),
        distances=distance_legend(step, unit) if any(f.has_distances for f in figures) else None,
    )
    return element("div", told, *(figure.content for figure in figures), class_="gallery")


def legend(
    classes: Sequence[ColouredClass], *, has_void: bool, distances: Markup | None = None
) -> Markup:
    """What the colours in all pictures mean; only what occurs in them."""
    background = find_background(classes)
    shown = [entry for entry in classes if entry.id != background]
    entries = [element("li", swatch(entry.colour), entry.name) for entry in shown]
    verdicts = [(HIT, "hit"), (MISSED, "missed"), (FALSE, "false alarm")]
    if background is None:
        verdicts = []
    if len(shown) > 1:
        verdicts.append((SWAPPED, "wrong class"))
    signs = [element("li", swatch(colour), text) for colour, text in verdicts]
    if background is None:
        signs.append(element("li", "unmarked: right class"))
    if has_void:
        void = element("span", class_="swatch void", aria_hidden="true")
        signs.append(element("li", void, "void or outside the field of view: not scored"))
    return element(
        "div",
        element("div", element("strong", "Classes"), element("ul", *entries)),
        element("div", element("strong", "Errors"), element("ul", *signs)),
        distances,
        class_="legend",
    )
