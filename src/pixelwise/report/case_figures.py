"""Cases as figures that a page can be put together from, drawn one by one to bound memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pixelwise.core.case import IGNORE
from pixelwise.report.case_dots import case_anchor
from pixelwise.report.case_views import compared_layers, layered_row, picture_row
from pixelwise.report.contact_table import contact_fold
from pixelwise.report.content import GalleryItem
from pixelwise.report.distance_maps import Bins, distance_view
from pixelwise.report.elements import Content, element
from pixelwise.report.pictures import ColouredClass, Labels
from pixelwise.report.volume_gallery import compared_views, volume_views
from pixelwise.report.volume_pictures import VolumeViews
from pixelwise.report.wording import number


@dataclass(frozen=True, slots=True)
class CaseFigure:
    """A case drawn: markup for the page, and what its legend has to explain."""

    case_id: str
    content: Markup
    has_void: bool
    has_distances: bool = False


@dataclass(frozen=True, slots=True)
class ComparedCase:
    """What one of several predictions says of a case: class ids, its map of distances, score.

    Shape: predicted, distances (y, x); of a volume the planes are in `views`.
    """

    predicted: Labels
    score: float | None
    distances: Bins | None = None
    views: VolumeViews | None = None

    @property
    def has_distances(self) -> bool:
        """Whether a map of distances is drawn."""
        views = self.views
        return self.distances is not None or bool(views and views.planes[0].distances is not None)


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
        more = [] if item.distances is None else [distance_view(item.case_id, item.distances)]
        rows = picture_row(item.case_id, cut, classes, most=most, more=more)
    heading = _heading(item, element("span", f"{score_name} {number(item.score)}", class_="score"))
    touching = None if item.contacts is None else contact_fold(item.contacts)
    figure = element(
        "figure", heading, rows, touching, class_="case", id=anchor or case_anchor(item.case_id)
    )
    has_distances = item.distances is not None or (
        item.views is not None and item.views.planes[0].distances is not None
    )
    return CaseFigure(item.case_id, figure, bool((item.truth == IGNORE).any()), has_distances)


def draw_compared(
    item: GalleryItem,
    predictions: Mapping[str, ComparedCase],
    classes: Sequence[ColouredClass],
    score_name: str,
    *,
    most: int,
) -> CaseFigure:
    """All predictions of a case in one figure: image, truth, then errors and distances of each.

    A volume has a row for each of the planes that all predictions were cut along.
    """
    views = {name: own.views for name, own in predictions.items() if own.views is not None}
    if views:
        rows: Content = compared_views(item.case_id, views, classes)
    else:
        cuts = {name: (own.predicted, own.distances) for name, own in predictions.items()}
        layers = compared_layers(item.case_id, item.truth, cuts, classes)
        rows = layered_row(item.case_id, item.image, layers, most=most)
    told = ", ".join(f"{name} {number(own.score)}" for name, own in predictions.items())
    heading = _heading(item, element("span", f"{score_name}: {told}", class_="score"))
    figure = element("figure", heading, rows, class_="case", id=case_anchor(item.case_id))
    has_distances = any(own.has_distances for own in predictions.values())
    return CaseFigure(item.case_id, figure, bool((item.truth == IGNORE).any()), has_distances)


def _heading(item: GalleryItem, score: Markup) -> Markup:
    return element(
        "figcaption",
        element("span", item.caption, class_="tag") if item.caption else None,
        element("strong", item.case_id),
        score,
        element("span", item.pieces, class_="quiet") if item.pieces else None,
    )
