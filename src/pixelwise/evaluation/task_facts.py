"""Facts of a task measured on its truths: how rare, small, thin and many the objects are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pixelwise.arrays.centre_lines import skeleton
from pixelwise.evaluation.advice import TaskFacts

Labels = npt.NDArray[np.uint8]


class TaskMeter:
    """Takes in truths one by one and tells the facts of every class at the end."""

    def __init__(self, classes: Sequence[int], *, has_spacing: bool = False) -> None:
        self.classes = tuple(classes)
        self.has_spacing = has_spacing
        self._n_dims = 2
        self._n_cases = 0
        self._sizes: dict[int, list[npt.NDArray[np.int64]]] = {k: [] for k in self.classes}
        self._pixels = dict.fromkeys(self.classes, 0)
        self._lengths: dict[int, list[npt.NDArray[np.int64]]] = {k: [] for k in self.classes}
        self._scored = 0

    def add(self, truth: Labels, *, void: int = 255) -> None:
        """Take in a truth of class ids ([z,] y, x)."""
        self._n_dims = truth.ndim
        self._n_cases += 1
        self._scored += int(np.count_nonzero(truth != void))
        for class_id in self.classes:
            mask = truth == class_id
            labels, n = ndimage.label(mask, np.ones((3,) * truth.ndim))
            sizes = np.bincount(labels.ravel(), minlength=n + 1)[1:]
            self._sizes[class_id].append(sizes.astype(np.int64))
            self._pixels[class_id] += int(sizes.sum())
            if truth.ndim == 2:
                lengths = np.bincount(labels[skeleton(mask)], minlength=n + 1)[1:]
                self._lengths[class_id].append(lengths.astype(np.int64))

    def facts(self, annotator_spread: float | None = None) -> dict[int, TaskFacts]:
        """The facts of every class; widths and elongations are only known in 2D."""
        return {k: self._of_class(k, annotator_spread) for k in self.classes}

    def _of_class(self, class_id: int, spread: float | None) -> TaskFacts:
        per_case = self._sizes[class_id]
        sizes = np.concatenate(per_case) if per_case else np.zeros(0, dtype=np.int64)
        present = [s for s in per_case if s.size]
        low, high = np.percentile(sizes, [5, 95]) if sizes.size else (1.0, 1.0)
        lengths = np.concatenate(self._lengths[class_id] or [np.zeros(0, dtype=np.int64)])
        length = int(lengths.sum())
        return TaskFacts(
            n_dims=self._n_dims,
            share=self._pixels[class_id] / self._scored if self._scored else 0.0,
            n_objects=float(np.median([s.size for s in present])) if present else 0.0,
            median_size=float(np.median(sizes)) if sizes.size else float("inf"),
            mean_width=self._pixels[class_id] / length if length else float("inf"),
            size_spread=float(high / max(low, 1.0)),
            n_empty=sum(s.size == 0 for s in per_case),
            n_cases=self._n_cases,
            has_spacing=self.has_spacing,
            annotator_spread=spread,
            elongation=_elongation(lengths, sizes) if lengths.size else 0.0,
        )


def _elongation(lengths: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> float:
    """Squared length over size of the object that the median pixel lies in."""
    ratios = lengths**2 / sizes
    order = np.argsort(ratios)
    place = np.searchsorted(np.cumsum(sizes[order]), sizes.sum() / 2)
    return float(ratios[order][place])


def measure_task(truths: Iterable[Labels], classes: Sequence[int]) -> dict[int, TaskFacts]:
    """The facts of some classes over all truths of a set."""
    meter = TaskMeter(classes)
    for truth in truths:
        meter.add(truth)
    return meter.facts()
