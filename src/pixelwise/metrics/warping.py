"""Warping error: what is left of the differences after the truth was bent without tearing it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled, prepare
from pixelwise.core.errors import ShapeMismatch
from pixelwise.metrics.inputs import as_labels, check_same_grid

Bytes = npt.NDArray[np.uint8]


def warping_error(
    truth: Any, predicted: Any, *, connectivity: Literal["full", "face"] = "full"
) -> float:
    """Share of pixels that still differ after the truth was warped towards the prediction.

    Shape: truth, predicted (y, x), nonzero is the object. A warp flips, one after the
    other, pixels whose flip changes no component and no hole (simple points), and only
    where truth and prediction differ; passes in reading order and back until none is left,
    so the value is an upper bound of the best warp: thin walls follow by one pixel, edges
    of regions by any distance. Gaps, bridges, lost and invented pieces cost at least one
    pixel each.
    connectivity: "full" joins object pixels at corners (background 4), "face" the reverse.
    Range 0 to 1. Both empty -> 0. No pixel -> NaN. Raises ShapeMismatch for volumes.
    Source: Jain et al. 2010.
    """
    one, other = as_labels(truth, "truth") != 0, as_labels(predicted, "predicted") != 0
    check_same_grid(one, other)
    if one.ndim != 2:
        raise ShapeMismatch(
            f"the warping error was asked for {one.ndim} dimensions", "an image (y, x)",
            "Take single slices.", code="bad-dimensions",
        )  # fmt: skip
    if one.size == 0:
        return float("nan")
    if connectivity == "face":
        one, other = ~one, ~other
    outside = connectivity == "face"
    warped = np.pad(one, 1, constant_values=outside).astype(np.uint8)
    wanted = np.pad(other, 1, constant_values=outside).astype(np.uint8)
    simple = _simple_table()
    tiny = np.zeros((3, 3), np.uint8)
    prepare("warping loops", lambda: _warp(tiny, tiny, simple))
    _warp(warped, wanted, simple)
    return float(np.count_nonzero(warped != wanted) / one.size)


def _simple_table() -> Bytes:
    """For each of 256 neighbourhoods (clockwise from the upper left) whether a flip is harmless.

    It is if the object has one 8-connected part among the eight neighbours, and the
    background one 4-connected part that touches the pixel by a face.
    """
    table = np.zeros(256, np.uint8)
    for code in range(256):
        ring = [code >> i & 1 for i in range(8)]
        sides = ring[1::2]
        # Yokoi's crossing number of an 8-connected object, counted on the empty neighbours.
        empty = [1 - value for value in ring]
        crossing = sum(
            empty[i] - empty[i] * empty[(i + 1) % 8] * empty[(i + 2) % 8] for i in (1, 3, 5, 7)
        )
        table[code] = crossing == 1 and any(ring) and not all(sides)
    return table


@compiled
def _warp(warped: Bytes, wanted: Bytes, simple: Bytes) -> None:
    height, width = warped.shape
    is_changed = True
    backwards = False
    while is_changed:
        is_changed = False
        for i in range((height - 2) * (width - 2)):
            j = (height - 2) * (width - 2) - 1 - i if backwards else i
            y, x = j // (width - 2) + 1, j % (width - 2) + 1
            if warped[y, x] == wanted[y, x]:
                continue
            code = (
                warped[y - 1, x - 1]
                | warped[y - 1, x] << 1
                | warped[y - 1, x + 1] << 2
                | warped[y, x + 1] << 3
                | warped[y + 1, x + 1] << 4
                | warped[y + 1, x] << 5
                | warped[y + 1, x - 1] << 6
                | warped[y, x - 1] << 7
            )
            if simple[code]:
                warped[y, x] = wanted[y, x]
                is_changed = True
        backwards = not backwards
