"""Maps of surface distances: every boundary pixel coloured by how far the other boundary is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from pixelwise.arrays.nearest import PointSet
from pixelwise.arrays.scanning import scan_points
from pixelwise.core.case import IGNORE
from pixelwise.report.elements import element, swatch
from pixelwise.report.pictures import Labels, Picture
from pixelwise.report.wording import general

STEPS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Upper ends of the colours, in units of the smallest side of a pixel; beyond is the last."""

COLOURS = ("#8f8cf5", "#b968d8", "#e0559b", "#f3755a", "#fbab3a", "#f4f24a")
"""Near to far: lightness rises all the way, so that the order is seen without colour vision."""

DIMMED = (12, 12, 16, 165)
"""What lies over the picture outside of boundaries, so that they stand out."""

Bins = npt.NDArray[np.uint8]


def distance_bins(
    truth: Labels,
    predicted: Labels,
    *,
    classes: Sequence[int],
    spacing: Sequence[float] | None = None,
) -> Bins:
    """The step that every boundary pixel falls into: 1 nearest … 6 farthest, 0 elsewhere.

    Shape: ([z,] y, x) class ids, 255 in the truth is void. The boundary of a class is what
    metrics measure from: object pixels with a face neighbour outside, the frame is outside.
    A pixel of both boundaries is near; of several classes the farther counts. Where only
    one side has a class, its boundary is farthest.
    """
    bins = np.zeros(truth.shape, dtype=np.uint8)
    if not classes or truth.size == 0:
        return bins
    steps = (1.0,) * truth.ndim if spacing is None else tuple(float(step) for step in spacing)
    wanted = np.zeros(256, dtype=bool)
    wanted[list(classes)] = True
    is_void = truth == IGNORE
    rims = [
        scan_points(np.where(is_void, IGNORE, labels).astype(np.uint8), wanted)
        for labels in (truth, predicted)
    ]
    depth, height, width = (1, 1, *truth.shape)[-3:]
    z_step, y_step, x_step = (1.0, 1.0, *steps)[-3:]
    places = PointSet((depth, height, width), (z_step, y_step, x_step))
    flat = bins.reshape(-1)
    for class_id in classes:
        sides = [rim.of_class(class_id) for rim in rims]
        for one, other in (sides, sides[::-1]):
            found = _steps_of(places.distances(*one, *other), min(steps))
            at = one[0].astype(np.int64) * width + one[1]
            flat[at] = np.maximum(flat[at], found)
    return bins


def distance_layer(bins: Bins) -> Picture:
    """The map as a layer ([z,] y, x, 4): colours on boundaries, all else dimmed."""
    table = np.zeros((len(COLOURS) + 1, 4), dtype=np.uint8)
    table[0] = DIMMED
    for i, colour in enumerate(COLOURS, start=1):
        # Farther is more opaque by a trace, so that it is what stays when lines are thinned out.
        table[i] = (*(int(colour[k : k + 2], 16) for k in (1, 3, 5)), 249 + i)
    return table[bins]


def distance_legend(step: float = 1.0, unit: str = "px") -> Markup:
    """What the colours of a map mean; step: the smallest side of a pixel in `unit`."""
    ends = [f"{general(end * step)} {unit}" for end in STEPS]
    texts = [f"up to {ends[0]}", *(f"to {end}" for end in ends[1:]), "farther, or no counterpart"]
    items = [
        element("li", swatch(colour), text) for colour, text in zip(COLOURS, texts, strict=True)
    ]
    return element("div", element("strong", "Distances"), element("ul", *items))


def _steps_of(distances: npt.NDArray[np.float64], step: float) -> Bins:
    """1 nearest … 6 farthest; nothing to measure to is farthest. A trace of rounding is near."""
    ends = np.asarray(STEPS) * step
    found = 1 + np.searchsorted(ends, distances * (1 - 1e-9), side="left")
    return found.astype(np.uint8)


def distance_view(name: str, bins: Bins) -> tuple[str, Picture, str]:
    """The map of one cut (y, x) as a view: its title, its layer, and what it shows in words."""
    n_far = int(np.count_nonzero(bins == bins.max())) if bins.any() else 0
    text = f"Distances between the boundaries of {name}"
    return "Distances", distance_layer(bins), f"{text}: {n_far} pixels of the farthest colour"
