"""Reads the two files of a pair: class ids on one grid, what counts, spacing, numbered objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import IGNORE, LabelMeaning
from pixelwise.core.contents import shown
from pixelwise.core.errors import BadData, Problem, ShapeMismatch, raise_errors
from pixelwise.core.image import Header
from pixelwise.data.annotated_classes import as_annotated
from pixelwise.data.labels import labels_from, read_fov, read_labels
from pixelwise.data.polygons import is_polygon_label
from pixelwise.data.scoring_pairs import ScoringPair
from pixelwise.evaluation.annotators import majority, staple
from pixelwise.evaluation.object_scores import number_components
from pixelwise.readers import open_labels, open_probabilities

Labels = npt.NDArray[np.uint8]
Numbers = npt.NDArray[Any]

SPACING_TOLERANCE = 1e-3
"""Relative difference of two headers' spacings that is still rounding."""

_PLACE_TOLERANCE = 0.5
"""Largest distance of two placements, in the smallest step of the grid."""


@dataclass(frozen=True, slots=True)
class PixelSize:
    """The size of a pixel where files do not say it, or (`overrides`) whatever they say.

    steps: one number per axis ([z,] y, x) in `unit`, None for one pixel.
    """

    steps: tuple[float, ...] | None = None
    unit: str = "px"
    overrides: bool = False


PIXELS = PixelSize()
"""What files say, else pixels."""


@dataclass(frozen=True, slots=True)
class PairLabels:
    """Class ids or sets of regions ([z,] y, x) of both files, 255 = void.

    valid: where to score, None everywhere.

    spacing in `unit`, None for pixels. true_numbers, predicted_numbers: object numbers, 0 is
    none, where files number objects. probabilities (k, [z,] y, x).
    """

    truth: Labels
    predicted: Labels
    valid: npt.NDArray[np.bool_] | None
    spacing: tuple[float, ...] | None
    unit: str
    true_numbers: Numbers | None = None
    predicted_numbers: Numbers | None = None
    probabilities: npt.NDArray[np.floating] | None = None


def read_pair(pair: ScoringPair, objects: str = "", pixel_size: PixelSize = PIXELS) -> PairLabels:
    """Read a pair. objects: the rule by which files number objects, see `object_scores.RULES`.

    Raises ShapeMismatch, naming both sizes or spacings; BadData for values without meaning.
    """
    truth_header, truth = _read(pair.truth, pair.truth_meaning)
    if pair.consensus:
        truth = _consensus(pair, truth)
    probabilities = None
    if pair.probabilities is not None:
        with open_probabilities(pair.probabilities) as source:
            probabilities = source.read()
    if pair.predicted == pair.probabilities and probabilities is not None:
        predicted_header = None
        predicted = _most_likely(probabilities, pair.threshold)
    else:
        predicted_header, predicted = _read(pair.predicted, pair.predicted_meaning)
    overlaps = pair.predicted_meaning.holds_regions
    predicted = as_annotated(predicted, pair.annotated, overlaps=overlaps)
    _check_fit(pair, truth_header, truth.shape, predicted_header, predicted.shape)
    valid = None
    if pair.fov is not None:
        valid = read_fov(pair.fov)
        if valid.shape != truth.shape:
            raise ShapeMismatch([_other_shape(pair.fov, valid.shape, pair.truth, truth.shape)])
    known = next((h for h in (truth_header, predicted_header) if h and h.spacing), None)
    if known is None or pixel_size.overrides:
        spacing, unit = pixel_size.steps, pixel_size.unit
    else:
        spacing, unit = known.spacing, known.unit
    numbers = _numbers(pair, objects, predicted)
    return PairLabels(truth, predicted, valid, spacing, unit, *numbers, probabilities)


def read_truth(pair: ScoringPair) -> Labels:
    """The class ids of the truth, or of the consensus that stands for it."""
    truth = _read(pair.truth, pair.truth_meaning)[1]
    return _consensus(pair, truth) if pair.consensus else truth


def _consensus(pair: ScoringPair, truth: Labels) -> Labels:
    """What the truth and the other annotators agree on; void where the truth is void."""
    every = [truth]
    for path, meaning in pair.others:
        labels = _read(path, meaning)[1]
        if labels.shape != truth.shape:
            raise ShapeMismatch([_other_shape(path, labels.shape, pair.truth, truth.shape)])
        every.append(np.where(labels == IGNORE, truth, labels))
    if len(every) == 1:
        return truth
    if pair.consensus == "staple":
        agreed = staple([labels == 1 for labels in every]).astype(np.uint8)
    else:
        n_classes = 1 + max(int(labels[labels != IGNORE].max(initial=0)) for labels in every)
        agreed = majority(every, n_classes)
    return np.where(truth == IGNORE, np.uint8(IGNORE), agreed)


def _read(path: Path, meaning: LabelMeaning) -> tuple[Header | None, Labels]:
    if is_polygon_label(path) or meaning.kind == "polygons":
        return None, read_labels(path, meaning)
    if meaning.folders:
        with open_labels(path) as source:
            return source.header, read_labels(path, meaning)
    with open_labels(path) as source:
        return source.header, labels_from(source, meaning)


def _most_likely(probabilities: npt.NDArray[np.floating], threshold: float | None) -> Labels:
    """The most probable class, or with a threshold class 1 where its probability reaches it."""
    if threshold is None:
        return np.asarray(probabilities.argmax(axis=0), dtype=np.uint8)
    return np.asarray(probabilities[1] >= threshold, dtype=np.uint8)


def _numbers(
    pair: ScoringPair, objects: str, predicted: Labels
) -> tuple[Numbers | None, Numbers | None]:
    if objects not in ("numbered", "numbered-truth"):
        return None, None
    truth = _stored_numbers(pair.truth)
    if objects == "numbered":
        return truth, _stored_numbers(pair.predicted)
    return truth, number_components((predicted > 0) & (predicted != IGNORE))


def _stored_numbers(path: Path) -> Numbers:
    """Object numbers as stored; what is below 0 or void is no object."""
    with open_labels(path) as source:
        stored = source.read()
    if len(stored) != 1 or stored.dtype.kind not in "bui":
        raise BadData(
            f"it holds {len(stored)} channel{'s' if len(stored) != 1 else ''} of {stored.dtype}",
            "one whole number at each pixel, a number for each object",
            "Save object numbers as 8-, 16- or 32-bit whole numbers.",
            path=shown(path),
            code="no-numbers",
        )
    return np.asarray(stored[0])


def _check_fit(
    pair: ScoringPair,
    truth: Header | None,
    truth_shape: tuple[int, ...],
    predicted: Header | None,
    predicted_shape: tuple[int, ...],
) -> None:
    problems = []
    if truth_shape != predicted_shape:
        problems.append(_other_shape(pair.predicted, predicted_shape, pair.truth, truth_shape))
    if truth is not None and predicted is not None:
        problems += _other_spacing(pair, truth, predicted)
        if not problems:
            problems += _other_place(pair, truth, predicted)
    raise_errors(problems, ShapeMismatch)


def _other_spacing(pair: ScoringPair, truth: Header, predicted: Header) -> list[Problem]:
    one, other = truth.spacing, predicted.spacing
    if one is None or other is None or len(one) != len(other):
        return []
    is_alike = all(abs(a / b - 1) <= SPACING_TOLERANCE for a, b in zip(one, other, strict=True))
    if is_alike and truth.unit == predicted.unit:
        return []
    return [
        Problem(
            f"its spacing is {_steps(other)} {predicted.unit}",
            f"{_steps(one)} {truth.unit} as in {shown(pair.truth)}",
            "Correct the header that is wrong, or bring both to one grid.",
            shown(pair.predicted),
            code="other-spacing",
        )
    ]


def _other_place(pair: ScoringPair, truth: Header, predicted: Header) -> list[Problem]:
    one, other = truth.placement, predicted.placement
    if one is None or other is None or not (one.is_anatomical and other.is_anatomical):
        return []
    distance = one.distance_to(other)
    if distance <= _PLACE_TOLERANCE * min(one.spacing):
        return []
    return [
        Problem(
            f"it lies elsewhere in space: its corners are up to {distance:.3g} {truth.unit} away",
            f"the place of {shown(pair.truth)}",
            "Write predictions with the position and orientation of the image.",
            shown(pair.predicted),
            code="other-place",
        )
    ]


def _other_shape(
    path: Path, shape: tuple[int, ...], truth_path: Path, truth_shape: tuple[int, ...]
) -> Problem:
    return Problem(
        f"its size is {_size(shape)}",
        f"{_size(truth_shape)} as in {shown(truth_path)}",
        "Score on the truth's own grid: bring the labels back to it.",
        shown(path),
        code="other-shape",
    )


def _steps(spacing: Sequence[float]) -> str:
    return " x ".join(f"{step:g}" for step in spacing)


def _size(shape: Sequence[int]) -> str:
    axes = {2: " (y, x)", 3: " (z, y, x)"}.get(len(shape), "")
    return " x ".join(str(length) for length in shape) + axes
