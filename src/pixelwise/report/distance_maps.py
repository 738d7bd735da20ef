"""Maps of surface distances: every boundary pixel coloured by how far the other boundary is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from scipy import ndimage

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
    steps = np.ones(truth.ndim) if spacing is None else np.asarray(spacing, dtype=float)
    bins = np.zeros(truth.shape, dtype=np.uint8)
    is_scored = truth != IGNORE
    for class_id in classes:
        masks = [(labels == class_id) & is_scored for labels in (truth, predicted)]
        rims = [mask & ~ndimage.binary_erosion(mask) for mask in masks]
        if not (rims[0].any() or rims[1].any()):
            continue
        for rim, other in (rims, rims[::-1]):
            found = _bins_of(rim, other, steps)
            np.maximum(bins, found, out=bins)
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


def _bins_of(
    rim: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_], steps: npt.NDArray[np.float64]
) -> Bins:
    bins = np.zeros(rim.shape, dtype=np.uint8)
    if not other.any():
        bins[rim] = len(COLOURS)
        return bins
    box = ndimage.find_objects((rim | other).astype(np.uint8))[0]
    inner = rim[box]
    distance = ndimage.distance_transform_edt(~other[box], sampling=steps)[inner]
    ends = np.asarray(STEPS) * steps.min()
    found = bins[box]
    found[inner] = 1 + np.searchsorted(ends, distance * (1 - 1e-9), side="left")
    return bins
