"""Answers judged on images in which only some classes were annotated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import IGNORE

Labels = npt.NDArray[np.uint8]


def as_annotated(predicted: Labels, annotated: Sequence[int], *, overlaps: bool) -> Labels:
    """Predicted labels as an annotator of these classes alone would have drawn them.

    annotated: ids of the classes, () for all. A class that was not looked for becomes background
    (or no region), so that it is neither right nor wrong there, but wrong on an annotated class.
    overlaps: labels are sets of regions.
    """
    if not annotated:
        return predicted
    if overlaps:
        return predicted & np.uint8(sum(1 << region for region in annotated))
    kept = np.isin(predicted, [*annotated, IGNORE])
    found: Labels = np.where(kept, predicted, np.uint8(0))
    return found
