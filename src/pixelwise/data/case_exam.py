"""A closer look at one case: does its mask lie on its image, what is in it, what does it show."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.region_bits import mask_of_region
from pixelwise.core.case import IGNORE, Case, LabelMeaning
from pixelwise.core.image import Array, Region, Source
from pixelwise.data.case_store import read_training_labels
from pixelwise.data.mask_alignment import Alignment, measure_alignment
from pixelwise.data.near_duplicates import Signature, signature
from pixelwise.data.object_sizes import ClassObjects, measure_classes
from pixelwise.data.shading import ShadingFacts, measure_shading
from pixelwise.readers.stacked import open_images

_MOST_PIXELS = 1 << 24
"""Objects are counted in the middle part of this many pixels of larger images."""

_SHOWN_EDGE = 1024
_N_ALIGNED = 8
"""Slices of a volume, those with the longest outlines, whose offsets give its own."""

_N_PLANES = 3


@dataclass(frozen=True, slots=True)
class CaseExam:
    """What the closer look saw of one case.

    objects: of each class that is there (of regions, where labels are sets of them); counted in
    the middle of very large images (is_part). alignment of a volume: the median of its
    slices with the longest outlines; None where there is too little to tell.
    """

    id: str
    split: str
    objects: tuple[ClassObjects, ...]
    is_part: bool
    alignment: Alignment | None
    signature: Signature
    shading: ShadingFacts | None


def examine_case(case: Case, meaning: LabelMeaning, n_classes: int) -> CaseExam:
    """Read a case once more, as a whole or, if it is very large, its middle.

    Raises UserError where a file cannot be read.
    """
    with open_images(case.images) as source:
        shape = source.header.shape
        region = _middle_region(shape)
        pixels = source.read(region)
        plane = pixels if len(shape) == 2 else pixels[:, pixels.shape[1] // 2]
        overview = plane if region == _all_of(shape) else _thinned(source)
    labels = None if case.label is None else read_training_labels(case, meaning, region)
    found = None if labels is None else _best_alignment(pixels, labels)
    return CaseExam(
        id=case.id,
        split=str(case.split),
        objects=() if labels is None else measure_classes(class_masks(labels, meaning, n_classes)),
        is_part=region != _all_of(shape),
        alignment=found,
        signature=signature(overview),
        shading=None if labels is None else measure_shading(pixels, labels),
    )


def class_masks(
    labels: npt.NDArray[np.uint8], meaning: LabelMeaning, n_classes: int
) -> dict[int, npt.NDArray[np.bool_]]:
    """Class id -> where it is; of regions, each by itself; without the class of the background."""
    if meaning.holds_regions:
        return {k: mask_of_region(labels, k) & (labels != IGNORE) for k in range(n_classes)}
    return {k: labels == k for k in range(1, n_classes)}


def _best_alignment(pixels: Array, labels: npt.NDArray[np.uint8]) -> Alignment | None:
    if labels.ndim == 2:
        return measure_alignment(pixels, labels)
    changes = np.array([_outline_length(plane) for plane in labels])
    if not changes.any():
        return None
    slices = np.argsort(-changes, kind="stable")[:_N_ALIGNED]
    found = [measure_alignment(pixels[:, z], labels[z]) for z in slices if changes[z]]
    known = [alignment for alignment in found if alignment is not None]
    if not known:
        return None
    middle = np.median([alignment.offset for alignment in known], axis=0)
    return Alignment(
        (round(float(middle[0])), round(float(middle[1]))),
        float(np.mean([alignment.agreement for alignment in known])),
        float(np.median([alignment.gain for alignment in known])),
        Counter(alignment.mirrored for alignment in known).most_common(1)[0][0],
        float(np.median([alignment.mirrored_gain for alignment in known])),
    )


def _outline_length(plane: npt.NDArray[np.uint8]) -> int:
    return int((plane[1:] != plane[:-1]).sum() + (plane[:, 1:] != plane[:, :-1]).sum())


def _middle_region(shape: tuple[int, ...]) -> Region:
    """All of an image, or its middle: whole planes of a volume, a square of a picture."""
    if math.prod(shape) <= _MOST_PIXELS:
        return _all_of(shape)
    if len(shape) == 2:
        edge = math.isqrt(_MOST_PIXELS)
        return tuple(_middle(length, edge) for length in shape)
    n_planes = max(_N_PLANES, _MOST_PIXELS // math.prod(shape[1:]))
    return (_middle(shape[0], n_planes), *_all_of(shape[1:]))


def _middle(length: int, wanted: int) -> slice:
    start = max(0, (length - wanted) // 2)
    return slice(start, start + min(length, wanted))


def _all_of(shape: tuple[int, ...]) -> Region:
    return tuple(slice(0, length) for length in shape)


def _thinned(source: Source) -> Array:
    """An overview (c, y, x) of a picture, or of a volume's middle slice, of bounded size."""
    *depth, height, width = source.header.shape
    step = max(1, max(height, width) // _SHOWN_EDGE)
    rows = []
    middle = tuple(slice(n // 2, n // 2 + 1) for n in depth)
    for y in range(0, height, step):
        band = source.read((*middle, slice(y, y + 1), slice(0, width)))
        rows.append(band.reshape(len(band), 1, width)[:, :, ::step])
    return np.concatenate(rows, axis=1)
