"""Cases as figures that a page can be put together from, drawn one by one to bound memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from pixelwise.core.case import IGNORE
from pixelwise.report.case_dots import case_anchor
from pixelwise.report.case_views import Layer, layered_row, picture_row, verdict
from pixelwise.report.contact_table import contact_fold
from pixelwise.report.content import GalleryItem
from pixelwise.report.distance_maps import Bins, distance_layer
from pixelwise.report.elements import Content, element
from pixelwise.report.pictures import ColouredClass, Labels, class_layer, error_layer
from pixelwise.report.volume_gallery import volume_views
from pixelwise.report.wording import number


@dataclass(frozen=True, slots=True)
class CaseFigure:
    """A case drawn: markup for the page, and what its legend has to explain."""

    case_id: str
    content: Markup
    has_void: bool
    has_distances: bool = False


def draw_case(
    item: GalleryItem,
    classes: Sequence[ColouredClass],
    score_name: str,
    *,
    most: int,
    anchor: str | None = None,
) -> CaseFigure:
    """One prediction of a case: image, truth, predicted, errors, and the map of distances.

    most: longest side in pixels. anchor: where links to the case lead; by default its own.
    """
    classes = item.classes or classes
    if item.views is not None:
        rows: Content = volume_views(item.case_id, item.views, classes)
    else:
        cut = (item.image, item.truth, item.predicted)
        more = [] if item.distances is None else [_distance_view(item.case_id, item.distances)]
        rows = picture_row(item.case_id, cut, classes, most=most, more=more)
    heading = _heading(item, element("span", f"{score_name} {number(item.score)}", class_="score"))
    touching = None if item.contacts is None else contact_fold(item.contacts)
    figure = element(
        "figure", heading, rows, touching, class_="case", id=anchor or case_anchor(item.case_id)
    )
    return CaseFigure(
        item.case_id, figure, bool((item.truth == IGNORE).any()), item.distances is not None
    )


def draw_compared(
    item: GalleryItem,
    predictions: Mapping[str, tuple[Labels, Bins | None, float | None]],
    classes: Sequence[ColouredClass],
    score_name: str,
    *,
    most: int,
) -> CaseFigure:
    """All predictions of a case in one figure: image, truth, then errors and distances of each.

    predictions: name -> class ids (y, x), distance bins, score.
    """
    truth = item.truth
    layers: list[Layer] = [
        ("Truth", class_layer(truth, classes), f"Truth of {item.case_id}"),
    ]
    for name, (predicted, bins, _) in predictions.items():
        text = f"Errors of {name} in {item.case_id}: {verdict(truth, predicted)}"
        layers.append((f"{name}: errors", error_layer(truth, predicted, classes), text))
        if bins is not None:
            text = f"Distances between the boundaries of {name} and the truth of {item.case_id}"
            layers.append((f"{name}: distances", distance_layer(bins), text))
    rows = layered_row(item.case_id, item.image, layers, most=most)
    told = ", ".join(f"{name} {number(score)}" for name, (_, _, score) in predictions.items())
    heading = _heading(item, element("span", f"{score_name}: {told}", class_="score"))
    figure = element("figure", heading, rows, class_="case", id=case_anchor(item.case_id))
    has_distances = any(bins is not None for _, bins, _ in predictions.values())
    return CaseFigure(item.case_id, figure, bool((truth == IGNORE).any()), has_distances)


def _heading(item: GalleryItem, score: Markup) -> Markup:
    return element(
        "figcaption",
        element("span", item.caption, class_="tag") if item.caption else None,
        element("strong", item.case_id),
        score,
        element("span", item.pieces, class_="quiet") if item.pieces else None,
    )


def _distance_view(name: str, bins: Bins) -> Layer:
    n_far = int(np.count_nonzero(bins == bins.max())) if bins.any() else 0
    text = f"Distances between the boundaries of {name}"
    return "Distances", distance_layer(bins), f"{text}: {n_far} pixels of the farthest colour"
