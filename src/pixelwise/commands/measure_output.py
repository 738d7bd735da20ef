"""Tables of a labelled image: its objects, its classes or regions, and which of them touch."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.contacts import contact_areas
from pixelwise.arrays.region_bits import mask_of_region
from pixelwise.core.files import write_text
from pixelwise.core.image import Array, Header
from pixelwise.core.plan import Plan
from pixelwise.data.objects import OBJECT_COLUMNS, measure_objects
from pixelwise.data.region_table import Scale, measure_regions, scale_of
from pixelwise.report.region_layers import regions_as_classes

OUTSIDE = "outside the image"


def write_measures(
    plan: Plan, header: Header, image: Array, labels: npt.NDArray[np.uint8], out: Path, stem: str
) -> None:
    """Write objects/STEM.csv, regions/STEM.csv and contacts/STEM.csv below `out`.

    labels ([z,] y, x): class ids, or sets of regions, on the grid of image (c, [z,] y, x).
    Columns name their units; the spacing is the file's own, else the plan's.
    """
    scale = scale_of(header, plan.data.spacing, plan.data.unit)
    names = channel_names(plan, header, len(image))
    write_text(out / "objects" / f"{stem}.csv", as_csv(*object_rows(plan, image, labels, scale)))
    masks = class_masks(plan, labels)
    table = measure_regions(masks, image, scale, names)
    write_text(out / "regions" / f"{stem}.csv", as_csv(*table))
    write_text(out / "contacts" / f"{stem}.csv", as_csv(*contact_rows(plan, labels, scale)))


def class_masks(plan: Plan, labels: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.bool_]]:
    """The mask of every class or region by its name; regions may overlap."""
    overlaps = plan.data.labels.holds_regions
    return {
        c.name: mask_of_region(labels, c.id) if overlaps else labels == c.id
        for c in plan.data.classes
    }


def object_rows(
    plan: Plan, image: Array, labels: npt.NDArray[np.uint8], scale: Scale
) -> tuple[Sequence[str], list[tuple[object, ...]]]:
    """Columns and rows of the connected objects of every class but the first, or every region."""
    spacing = None if scale.unit == "px" else scale.spacing
    if not plan.data.labels.holds_regions:
        names = {c.id: c.name for c in plan.data.classes}
        found = measure_objects(labels, image, names, spacing=spacing, unit=scale.unit)
        return OBJECT_COLUMNS, found
    rows: list[tuple[object, ...]] = []
    for name, mask in class_masks(plan, labels).items():
        single = {0: "", 1: name}
        rows += measure_objects(
            mask.astype(np.uint8), image, single, spacing=spacing, unit=scale.unit
        )
    return OBJECT_COLUMNS, rows


def contact_rows(
    plan: Plan, labels: npt.NDArray[np.uint8], scale: Scale
) -> tuple[Sequence[str], list[list[str]]]:
    """Columns and rows of the symmetric matrix of shared boundaries, the rim of the image last.

    Sets of regions that overlap are taken as classes of their own.
    """
    classes: Sequence[str] = [c.name for c in plan.data.classes]
    if plan.data.labels.holds_regions:
        (labels,), found = regions_as_classes([labels], plan.data.classes)
        classes = [c.name for c in found]
    areas = contact_areas(labels, len(classes), scale.spacing)
    unit = f"{scale.unit}{'2' if labels.ndim == 3 else ''}"
    names = [*classes, OUTSIDE]
    rows = [
        [name, *(f"{value:.7g}" for value in row)] for name, row in zip(names, areas, strict=True)
    ]
    return [f"shared_boundary_{unit}", *names], rows


def channel_names(plan: Plan, header: Header, n_channels: int) -> list[str]:
    """What the channels of an image are called: by its files, else by number."""
    names = header.channel_names
    return list(names) if len(names) == n_channels else [str(i) for i in range(n_channels)]


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV text with its heads."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue()
