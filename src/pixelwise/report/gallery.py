"""Cases as pictures inside the page: a photo with thin layers of truth, prediction and errors."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pixelwise.core.case import IGNORE
from pixelwise.report.case_views import picture_row
from pixelwise.report.content import GalleryItem
from pixelwise.report.elements import element, swatch
from pixelwise.report.pictures import (
    FALSE,
    HIT,
    MISSED,
    SWAPPED,
    ColouredClass,
    find_background,
)
from pixelwise.report.volume_gallery import volume_views
from pixelwise.report.wording import number

MAX_EDGE = 1024
"""Longest side in pixels of a picture in the page; larger ones are thinned out."""


def gallery(
    items: Sequence[GalleryItem], classes: Sequence[ColouredClass], score_name: str
) -> Markup:
    """Every case as four views side by side: image, truth, predicted, errors.

    A volume has three rows of them, planes through its worst error, and a slider over slices.
    """
    figures = [_figure(item, classes, score_name) for item in items]
    return element("div", legend(items, classes), *figures, class_="gallery")


def legend(items: Sequence[GalleryItem], classes: Sequence[ColouredClass]) -> Markup:
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
    if any((item.truth == IGNORE).any() for item in items):
        void = element("span", class_="swatch void", aria_hidden="true")
        signs.append(element("li", void, "void or outside the field of view: not scored"))
    return element(
        "div",
        element("div", element("strong", "Classes"), element("ul", *entries)),
        element("div", element("strong", "Errors"), element("ul", *signs)),
        class_="legend",
    )


def _figure(item: GalleryItem, classes: Sequence[ColouredClass], score_name: str) -> Markup:
    heading = element(
        "figcaption",
        element("span", item.caption, class_="tag") if item.caption else None,
        element("strong", item.case_id),
        element("span", f"{score_name} {number(item.score)}", class_="score"),
        element("span", item.pieces, class_="quiet") if item.pieces else None,
    )
    if item.views is not None:
        rows = volume_views(item.case_id, item.views, classes)
    else:
        cut = (item.image, item.truth, item.predicted)
        rows = picture_row(item.case_id, cut, classes, most=MAX_EDGE)
    return element("figure", heading, rows, class_="case")
