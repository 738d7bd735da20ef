"""Thumbnails of findings: the image with its mask's outline, as it lies and as it would fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixelwise.commands.doubtful_labels import Doubt
from pixelwise.core.case import IGNORE, Case, DataSet
from pixelwise.core.errors import UserError
from pixelwise.core.image import Array
from pixelwise.data.case_store import read_training_labels
from pixelwise.data.symptoms import Place, Symptom
from pixelwise.readers.stacked import open_images
from pixelwise.report.pictures import Picture, channel_limits, find_edges, viewable_rgb
from pixelwise.report.symptom_list import Thumbnail

EDGE = 300
"""Longest side of a thumbnail in pixels."""

PER_SYMPTOM = 3
MOST_DOUBTS = 24

_AS_IT_LIES, _AS_IT_FITS = (232, 80, 10), (31, 155, 209)
_MARGIN = 0.75
"""Around a doubtful place so much of its size is shown, on each side."""

_LEAST_SHOWN = 48
_MOST_PIXELS = 1 << 24

_WITH_MASK = frozenset(
    {"shifted-mask", "turned-mask", "swapped-sides", "class-not-in-training", "class-in-one-case"}
)


@dataclass(frozen=True, slots=True)
class _Cut:
    """A plane of a case: image (c, y, x), labels (y, x) or None."""

    image: Array
    labels: npt.NDArray[np.uint8] | None


def draw_symptom(
    symptom: Symptom, dataset: DataSet, offsets: Mapping[str, tuple[int, int]]
) -> list[Thumbnail]:
    """Up to three places of a symptom; files that cannot be drawn are left out.

    offsets: case -> (dy, dx) that its mask would have to move.
    """
    by_id = {case.id: case for case in dataset.cases}
    drawn = []
    for place in symptom.places[:PER_SYMPTOM]:
        for name in filter(None, (place.case, place.other)):
            try:
                drawn.append(_draw(by_id[name], place, symptom.code, dataset, offsets))
            except (UserError, KeyError):
                continue
    return drawn


def draw_doubts(doubts: Sequence[Doubt], dataset: DataSet) -> list[Thumbnail]:
    """The most doubtful places, cut out with some of what lies around them."""
    by_id = {case.id: case for case in dataset.cases}
    drawn = []
    for doubt in doubts[:MOST_DOUBTS]:
        try:
            drawn.append(_draw_doubt(doubt, by_id[doubt.case], dataset))
        except (UserError, KeyError):
            continue
    return drawn


def _draw(
    case: Case,
    place: Place,
    code: str,
    dataset: DataSet,
    offsets: Mapping[str, tuple[int, int]],
) -> Thumbnail:
    cut = _read(case, dataset, with_labels=code in _WITH_MASK)
    step = max(1, -(-max(cut.image.shape[1:]) // EDGE))
    picture = viewable_rgb(cut.image)
    said = place.text if case.id == place.case else f"beside {place.case}"
    if code == "shifted-mask" and cut.labels is not None:
        middle = _busiest(cut.labels, EDGE)
        picture, labels = picture[middle], cut.labels
        moved = _moved(labels, offsets.get(case.id, (0, 0)))
        picture = _outlined(picture, labels[middle], _AS_IT_LIES)
        picture = _outlined(picture, moved[middle], _AS_IT_FITS)
        return Thumbnail(np.ascontiguousarray(picture), case.id, f"{said} (blue: where it fits)")
    picture = np.ascontiguousarray(picture[::step, ::step])
    if cut.labels is not None:
        picture = _outlined(picture, cut.labels[::step, ::step], _AS_IT_LIES)
    return Thumbnail(picture, case.id, f"{case.split}; {said}" if said else str(case.split))


def _draw_doubt(doubt: Doubt, case: Case, dataset: DataSet) -> Thumbnail:
    plane = doubt.corner[0] + doubt.size[0] // 2 if len(doubt.corner) == 3 else None
    cut = _read(case, dataset, with_labels=True, plane=plane)
    corner, size = doubt.corner[-2:], doubt.size[-2:]
    window = tuple(
        _around(start, length, whole)
        for start, length, whole in zip(corner, size, cut.image.shape[1:], strict=True)
    )
    limits = [channel_limits(channel) for channel in cut.image]
    part = viewable_rgb(cut.image[(slice(None), *window)], limits)
    step = max(1, -(-max(part.shape[:2]) // EDGE))
    picture = np.ascontiguousarray(part[::step, ::step])
    if cut.labels is not None:
        picture = _outlined(picture, cut.labels[window][::step, ::step], _AS_IT_LIES)
    said = f"labelled {doubt.labelled}, looks like {doubt.believed} ({doubt.score:.2f})"
    return Thumbnail(picture, doubt.case, said)


def _read(case: Case, dataset: DataSet, *, with_labels: bool, plane: int | None = None) -> _Cut:
    """A picture, or one plane of a volume: the given one, or that with most labelled objects."""
    with open_images(case.images) as source:
        shape = source.header.shape
        labels = None
        if with_labels and case.label is not None:
            labels = read_training_labels(case, dataset.meaning)
        if len(shape) == 2:
            rows = slice(0, min(shape[0], max(1, _MOST_PIXELS // shape[1])))
            image = source.read((rows, slice(0, shape[1])))
            return _Cut(image, None if labels is None else labels[rows])
        z = shape[0] // 2 if plane is None else plane
        if plane is None and labels is not None:
            z = int(np.argmax([((p > 0) & (p != IGNORE)).sum() for p in labels]))
        image = source.read((slice(z, z + 1), *(slice(0, n) for n in shape[1:])))[:, 0]
        return _Cut(image, None if labels is None else labels[z])


def _outlined(
    picture: Picture, labels: npt.NDArray[np.uint8], colour: tuple[int, int, int]
) -> Picture:
    found = picture.copy()
    found[find_edges(labels)] = colour
    return found


def _moved(labels: npt.NDArray[np.uint8], offset: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Labels moved by (dy, dx); what comes in repeats the border."""
    rows, columns = (
        np.clip(np.arange(n) - step, 0, n - 1) for n, step in zip(labels.shape, offset, strict=True)
    )
    found: npt.NDArray[np.uint8] = labels[np.ix_(rows, columns)]
    return found


def _busiest(labels: npt.NDArray[np.uint8], edge: int) -> tuple[slice, slice]:
    """The window of at most `edge` pixels a side around most of the outlines."""
    edges = find_edges(labels)
    window = []
    for axis, length in enumerate(labels.shape):
        counts = edges.sum(axis=1 - axis)
        centre = int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))
        start = min(max(0, centre - edge // 2), max(0, length - edge))
        window.append(slice(start, start + min(edge, length)))
    return window[0], window[1]


def _around(start: int, length: int, whole: int) -> slice:
    reach = max(round(_MARGIN * length), (_LEAST_SHOWN - length) // 2)
    return slice(max(0, start - reach), min(whole, start + length + reach))
