"""Several annotators of one image: how far they agree, and what they agree on."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.errors import BadData, MissingExtra
from pixelwise.metrics.measuring import measure
from pixelwise.metrics.pair import pair_of

Labels = npt.NDArray[np.uint8]

SPREAD_PERCENTILE = 95.0
"""So much of the distance between human boundaries is within the tolerance that they give."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A metric between every two annotators (names in order), averaged over classes and cases."""

    metric: str
    pairs: Mapping[tuple[str, str], float]

    @property
    def mean(self) -> float:
        """Mean over the pairs."""
        return float(np.nanmean(list(self.pairs.values())))

    @property
    def spread(self) -> tuple[float, float]:
        """Lowest and highest pair."""
        return float(np.nanmin(list(self.pairs.values()))), float(
            np.nanmax(list(self.pairs.values()))
        )


def pairwise_agreement(
    annotations: Mapping[str, Sequence[Any]], metric: str = "dice", **options: Any
) -> Agreement:
    """A metric between every two annotators of the same cases.

    annotations: annotator -> label arrays, the same cases in the same order. The metric
    should not depend on who comes first. Raises BadData for fewer than two annotators.
    """
    _check(annotations)
    found = {}
    for one, other in itertools.combinations(annotations, 2):
        values = [
            value[metric]
            for a, b in zip(annotations[one], annotations[other], strict=True)
            for value in measure(a, b, [metric], **options).values()
        ]
        defined = [value for value in values if not np.isnan(value)]
        found[(one, other)] = float(np.mean(defined)) if defined else float("nan")
    return Agreement(metric, found)


def majority(annotations: Sequence[Any], n_classes: int) -> Labels:
    """The class that most annotators chose at each pixel; the lower id where votes tie."""
    arrays = [np.asarray(labels) for labels in annotations]
    votes = np.stack([sum((a == k).astype(np.int32) for a in arrays) for k in range(n_classes)])
    return np.asarray(votes.argmax(axis=0), dtype=np.uint8)


def staple(annotations: Sequence[Any], *, threshold: float = 0.5) -> npt.NDArray[np.bool_]:
    """STAPLE's consensus of several masks of one object, from SimpleITK.

    Raises MissingExtra if SimpleITK is not installed. Source: Warfield et al. 2004.
    """
    try:
        itk = importlib.import_module("SimpleITK")
    except ImportError as error:
        raise MissingExtra(
            "STAPLE needs SimpleITK, which is not installed", "the extra 'staple'",
            "Install it with: pip install 'pixelwise[staple]'", code="missing-extra",
        ) from error  # fmt: skip
    images = [itk.GetImageFromArray((np.asarray(a) != 0).astype(np.uint8)) for a in annotations]
    return np.asarray(itk.GetArrayFromImage(itk.STAPLE(images, 1.0)) >= threshold)


def tolerance_from_annotators(
    annotations: Mapping[str, Sequence[Any]],
    *,
    spacing: Sequence[float] | None = None,
    percentile: float = SPREAD_PERCENTILE,
) -> float:
    """A boundary tolerance from human spread: a percentile of all rim distances between pairs.

    annotations: masks, nonzero is the object. Units of spacing. Objects that only one
    annotator drew are left out: they say nothing about where a boundary lies. Raises
    BadData if no object was drawn by two.
    """
    _check(annotations)
    cases = zip(*annotations.values(), strict=True)
    masks = [[np.asarray(array) != 0 for array in case] for case in cases]
    found = [boundary_spread(case, classes=(1,), spacing=spacing) for case in masks]
    return spread_percentile(found, percentile)


def boundary_spread(
    annotations: Sequence[npt.NDArray[Any]],
    *,
    classes: Sequence[int],
    spacing: Sequence[float] | None = None,
) -> npt.NDArray[np.float32]:
    """Distances between the rims of every two annotations of one case, classes put together.

    annotations ([z,] y, x) class ids on one grid. Classes that only one drew are left out.
    """
    found = []
    for class_id in classes:
        masks = [np.asarray(labels == class_id) for labels in annotations]
        for one, other in itertools.combinations(masks, 2):
            distances = pair_of(one, other, spacing).distances
            if not distances.n_empty:
                found += [distances.truth_to_predicted, distances.predicted_to_truth]
    nothing = np.zeros(0, dtype=np.float32)
    return np.concatenate(found).astype(np.float32) if found else nothing


def spread_percentile(
    distances: Sequence[npt.NDArray[np.float32]], percentile: float = SPREAD_PERCENTILE
) -> float:
    """The percentile of the distances of all cases. Raises BadData if there is none."""
    every = np.concatenate([np.zeros(0, dtype=np.float32), *distances])
    if every.size == 0:
        raise BadData(
            "no object was drawn by two annotators", "overlapping annotations",
            "Give the tolerance yourself.", code="no-spread",
        )  # fmt: skip
    return float(np.percentile(every, percentile))


def _check(annotations: Mapping[str, Sequence[Any]]) -> None:
    counts = {name: len(arrays) for name, arrays in annotations.items()}
    if len(counts) < 2 or len(set(counts.values())) != 1:
        raise BadData(
            f"there are {counts} annotations", "two or more annotators of the same cases",
            "Give every annotator's arrays in the same order.", code="bad-annotators",
        )  # fmt: skip
