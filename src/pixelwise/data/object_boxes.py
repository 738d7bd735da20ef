"""How large images are without the zeros that were left around a cut-out object."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pixelwise.core.case import Case
from pixelwise.core.image import Source
from pixelwise.core.progress import SILENT, Listener
from pixelwise.data.mask_scan import N_THREADS, bands
from pixelwise.readers.stacked import open_images


def measure_boxes(
    cases: Sequence[Case], listener: Listener = SILENT
) -> list[tuple[tuple[int, ...], float]]:
    """For each case the shape ([z,] y, x) of what is not 0 in every channel, and its share.

    The shape is that of the smallest box around it, the share that of the box in the whole
    image. An image that is 0 everywhere keeps its shape.
    """
    found = []
    with ThreadPoolExecutor(N_THREADS) as pool:
        for result in pool.map(_measure, cases):
            found.append(result)
            listener.advance(len(found), len(cases), "cutting off zeros")
    return found


def _measure(case: Case) -> tuple[tuple[int, ...], float]:
    with open_images(case.images) as source:
        shape = source.header.shape
        box = _box(source)
    return box, math.prod(box) / math.prod(shape)


def _box(source: Source) -> tuple[int, ...]:
    shape = source.header.shape
    low, high = list(shape), [0] * len(shape)
    for region in bands(source.header):
        filled = (source.read(region) != 0).any(axis=0)
        for axis, part in enumerate(region):
            others = tuple(other for other in range(len(shape)) if other != axis)
            places = np.flatnonzero(filled.any(axis=others))
            if len(places):
                low[axis] = min(low[axis], part.start + int(places[0]))
                high[axis] = max(high[axis], part.start + int(places[-1]) + 1)
        if _is_everything(low, high, shape):
            return shape
    if any(a >= b for a, b in zip(low, high, strict=True)):
        return shape
    return tuple(b - a for a, b in zip(low, high, strict=True))


def _is_everything(low: Iterable[int], high: Iterable[int], shape: tuple[int, ...]) -> bool:
    return not any(low) and tuple(high) == shape
