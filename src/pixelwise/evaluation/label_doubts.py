"""Which labels a trained network disbelieves: true objects and missing ones, ranked by doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pixelwise.core.case import IGNORE

_SMALLEST_SHARE = 0.15
"""Places smaller than this share of the median object are borders, not objects."""

_CLEAR = 0.25
"""A place weighs half if it has this share of the median object's size."""

_FEWEST_PIXELS = 4


@dataclass(frozen=True, slots=True)
class DoubtfulPlace:
    """A connected place ([z,] y, x): what it is labelled, what the network takes it for.

    is_object: all of a true object, else a part of it (or of the background).
    disbelief: mean probability that the label is wrong, over its inside. score, 0 to 1:
    disbelief, less for places that are small beside the objects of the set.
    """

    labelled: int
    believed: int
    n_pixels: int
    disbelief: float
    corner: tuple[int, ...]
    size: tuple[int, ...]
    is_object: bool = False
    score: float = 0.0


def find_doubts(
    truth: npt.NDArray[np.uint8], probabilities: npt.NDArray[np.floating], *, background: int = 0
) -> list[DoubtfulPlace]:
    """True objects of every class but the background, and places that the network calls another.

    Shape: truth ([z,] y, x) class ids, 255 void; probabilities (k, [z,] y, x). Every true
    object is listed, also those that nothing speaks against; of the rest, each connected place
    of one label and one other answer. background: -1 if no class is.
    Source: the mean of the label's own probability ranks labels as self-confidence does in
    Northcutt, Jiang, Chuang, JAIR 2021; over connected places instead of images.
    """
    predicted = np.argmax(probabilities, axis=0).astype(np.uint8)
    is_valid = truth != IGNORE
    own = np.take_along_axis(probabilities, np.where(is_valid, truth, 0)[None].astype(int), 0)[0]
    doubt = np.where(is_valid, 1.0 - own, 0.0)
    found = []
    for class_id in np.unique(truth[is_valid]):
        of_class = truth == class_id
        if class_id != background:
            whole = _places(of_class, doubt, int(class_id), predicted)
            found += [replace(place, is_object=True) for place in whole]
        for other in np.unique(predicted[of_class]):
            if other != class_id:
                found += _places(of_class & (predicted == other), doubt, int(class_id), predicted)
    return found


def rank_doubts(places: Sequence[Sequence[DoubtfulPlace]]) -> list[tuple[int, DoubtfulPlace]]:
    """(index of the case, place), the most doubtful first; what is too small is left out.

    places: of each case, from `find_doubts`. Sizes are compared with the median true object
    of all cases; a place inside of a listed one of the same label is not listed again.
    """
    sizes = [place.n_pixels for case in places for place in case if place.is_object]
    typical = float(np.median(sizes)) if sizes else 1.0
    ranked = []
    for index, case in enumerate(places):
        weighed = [
            _weighed(place, typical)
            for place in case
            if place.n_pixels >= max(_FEWEST_PIXELS, _SMALLEST_SHARE * typical)
        ]
        weighed.sort(key=lambda place: -place.score)
        kept: list[DoubtfulPlace] = []
        for place in weighed:
            if not any(_is_within(place, other) for other in kept):
                kept.append(place)
        ranked += [(index, place) for place in kept]
    return sorted(ranked, key=lambda pair: -pair[1].score)


def _places(
    mask: npt.NDArray[np.bool_],
    doubt: npt.NDArray[np.floating],
    class_id: int,
    predicted: npt.NDArray[np.uint8],
) -> list[DoubtfulPlace]:
    numbered, n_objects = ndimage.label(mask, np.ones((3,) * mask.ndim))
    found = []
    for number, box in enumerate(ndimage.find_objects(numbered, n_objects), start=1):
        inside = numbered[box] == number
        n_pixels = int(inside.sum())
        if n_pixels < _FEWEST_PIXELS:
            continue
        core = ndimage.binary_erosion(inside)
        core = core if core.sum() >= _FEWEST_PIXELS else inside
        votes = np.bincount(predicted[box][core])
        found.append(
            DoubtfulPlace(
                class_id,
                int(np.argmax(votes)),
                n_pixels,
                float(doubt[box][core].mean()),
                tuple(part.start for part in box),
                tuple(part.stop - part.start for part in box),
            )
        )
    return found


def _weighed(place: DoubtfulPlace, typical: float) -> DoubtfulPlace:
    weight = place.n_pixels / (place.n_pixels + _CLEAR * typical)
    return replace(place, score=place.disbelief * weight)


def _is_within(place: DoubtfulPlace, other: DoubtfulPlace) -> bool:
    """Whether a place lies in the box of another one of the same label."""
    return place.labelled == other.labelled and all(
        a >= b and a + m <= b + n
        for a, m, b, n in zip(place.corner, place.size, other.corner, other.size, strict=True)
    )
