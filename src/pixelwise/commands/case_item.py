"""One case as a picture for a page: flat or a volume, classes or regions that overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.region_bits import mask_of_region
from pixelwise.core.case import IGNORE
from pixelwise.core.image import Array, Header
from pixelwise.report.contact_table import measure_contacts
from pixelwise.report.content import GalleryItem
from pixelwise.report.distance_maps import distance_bins
from pixelwise.report.pictures import ColouredClass, find_background, viewable_rgb
from pixelwise.report.region_layers import regions_as_classes
from pixelwise.report.volume_pictures import VolumeSpace, size_texts, view_volume

Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class CaseArrays:
    """An image (c, [z,] y, x), and truth and predicted ([z,] y, x) on its grid, 255 = void."""

    image: Array
    truth: Labels
    predicted: Labels


@dataclass(frozen=True, slots=True)
class Showing:
    """What labels stand for, and how large and in which place pixels are.

    overlaps: labels are sets of regions. is_anatomical: axes run towards superior, posterior
    and left, so that heads can be shown upright.
    """

    classes: Sequence[ColouredClass]
    overlaps: bool = False
    spacing: tuple[float, ...] | None = None
    unit: str = "px"
    is_anatomical: bool = False
    channel_names: tuple[str, ...] = ()


def showing_of(
    classes: Sequence[ColouredClass],
    header: Header | None,
    *,
    overlaps: bool = False,
    spacing: tuple[float, ...] | None = None,
    unit: str = "px",
) -> Showing:
    """How the image of a header is shown; spacing and unit where the file itself says none."""
    if header is None:
        return Showing(classes, overlaps, spacing, unit)
    known = header.spacing is not None
    placed = header.placement
    return Showing(
        classes,
        overlaps,
        header.spacing if known else spacing,
        header.unit if known else unit,
        placed is not None and placed.is_anatomical,
        header.channel_names,
    )


def draw_item(
    arrays: CaseArrays,
    showing: Showing,
    item: GalleryItem,
    *,
    most: int,
    with_distances: bool = False,
    place: tuple[int, ...] | None = None,
) -> GalleryItem:
    """`item`, which says what the case is called and why it is shown, with its pictures.

    Regions become classes, one for each set of them that occurs. A volume is shown by three
    planes through its worst error, or through `place`, and a stack of slices, its sizes in
    words; flat pictures are thinned out to `most` pixels a side. with_distances: planes have
    a map of surface distances.
    """
    truth, predicted, classes = arrays.truth, arrays.predicted, tuple(showing.classes)
    counted = count_labels(arrays, showing)
    if showing.overlaps:
        (truth, predicted), classes = regions_as_classes([truth, predicted], showing.classes)
    contacts = measure_contacts(truth, predicted, classes, showing.spacing, showing.unit)
    if truth.ndim == 2:
        step = max(1, -(-max(truth.shape) // most))
        picture = viewable_rgb(arrays.image)
        return replace(
            item,
            image=np.ascontiguousarray(picture[::step, ::step]),
            truth=truth[::step, ::step],
            predicted=predicted[::step, ::step],
            classes=classes,
            contacts=contacts,
        )
    background = find_background(classes)
    wanted = [entry.id for entry in classes if entry.id != background]
    views = view_volume(
        arrays.image,
        truth,
        predicted,
        VolumeSpace(showing.spacing, showing.unit, showing.is_anatomical, showing.channel_names),
        distances=distance_bins(truth, predicted, classes=wanted, spacing=showing.spacing)
        if with_distances
        else None,
        place=place,
    )
    views = replace(views, sizes=size_texts(counted, showing.spacing, showing.unit))
    plane = views.planes[0]
    return replace(
        item,
        image=plane.image,
        truth=plane.truth,
        predicted=plane.predicted,
        classes=classes,
        contacts=contacts,
        views=views,
    )


def count_labels(arrays: CaseArrays, showing: Showing) -> list[tuple[str, int, int]]:
    """(name, true voxels, predicted voxels) of every class but the background, or region."""
    valid = arrays.truth != IGNORE
    background = None if showing.overlaps else find_background(showing.classes)
    found = []
    for entry in showing.classes:
        if entry.id == background:
            continue
        masks = (
            mask_of_region(labels, entry.id) if showing.overlaps else labels == entry.id
            for labels in (arrays.truth, arrays.predicted)
        )
        true, predicted = (int(np.count_nonzero(mask & valid)) for mask in masks)
        found.append((entry.name, true, predicted))
    return found


def blank_item(case_id: str, caption: str, score: float | None) -> GalleryItem:
    """An item whose pictures are still to be drawn."""
    nothing = np.zeros((0, 0), np.uint8)
    return GalleryItem(case_id, caption, score, np.zeros((0, 0, 3), np.uint8), nothing, nothing)
