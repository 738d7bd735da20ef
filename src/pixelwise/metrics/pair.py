"""Truth and prediction side by side: what metrics ask for, computed once and kept."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pixelwise.arrays.counting import count_pairs
from pixelwise.arrays.distances import SurfaceDistances
from pixelwise.arrays.nearest import PointSet
from pixelwise.arrays.object_overlaps import Overlaps, overlap_objects
from pixelwise.arrays.run_topology import Betti, betti_of_runs
from pixelwise.arrays.scanning import Points, Runs, scan_points, scan_runs
from pixelwise.arrays.surfaces import SurfaceRule, surface_distances
from pixelwise.core.case import IGNORE
from pixelwise.core.errors import BadData
from pixelwise.metrics.inputs import (
    Spacing,
    as_labels,
    as_spacing,
    check_not_negative,
    check_number_of_classes,
    check_range,
    check_same_grid,
)

Labels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Connectivity = Literal["full", "face"]

_OUR_SURFACE = SurfaceRule()

logger = logging.getLogger("pixelwise")


@dataclass(frozen=True, slots=True)
class Counts:
    """Pixels of one class: in both, only predicted, only truth, in neither (64-bit)."""

    tp: int
    fp: int
    fn: int
    tn: int


class LabelPair:
    """Two label arrays on one grid, void removed from both, and what was found out so far.

    truth, predicted ([z,] y, x) uint8 class ids, 255 where nothing is scored. Void pixels
    belong to no class in either array; where an object is cut by void, the cut is rim in
    both, so that it adds no distance.
    """

    def __init__(
        self,
        truth: Labels,
        predicted: Labels,
        n_classes: int,
        spacing: Spacing,
        classes: Sequence[int] | None = None,
    ) -> None:
        self.truth = truth
        self.predicted = predicted
        self.n_classes = n_classes
        self.spacing = spacing
        self.classes = tuple(range(n_classes) if classes is None else classes)

    @cached_property
    def confusion(self) -> npt.NDArray[np.int64]:
        """confusion[truth, predicted]: scored pixels, 64-bit."""
        return count_pairs(self.truth, self.predicted, self.n_classes)

    @property
    def n_valid(self) -> int:
        """How many pixels are scored."""
        return int(self.confusion.sum())

    @property
    def n_ignored(self) -> int:
        """How many pixels are void or outside the field of view."""
        return int(self.truth.size) - self.n_valid

    def of_class(self, class_id: int) -> MaskPair:
        """The two masks of one class."""
        return MaskPair(self, class_id)

    @property
    def _wanted(self) -> Mask:
        wanted = np.zeros(256, dtype=bool)
        wanted[list(self.classes)] = True
        return wanted

    @cached_property
    def _points(self) -> tuple[Points, Points]:
        return scan_points(self.truth, self._wanted), scan_points(self.predicted, self._wanted)

    @cached_property
    def _runs(self) -> tuple[Runs, Runs]:
        return scan_runs(self.truth, self._wanted), scan_runs(self.predicted, self._wanted)

    @property
    def grid(self) -> tuple[int, int, int]:
        """The shape as (z, y, x)."""
        shape = (1, 1, *self.truth.shape)[-3:]
        return (shape[0], shape[1], shape[2])

    @cached_property
    def _point_set(self) -> PointSet:
        steps = (1.0, 1.0, *self.spacing)[-3:]
        return PointSet(self.grid, (steps[0], steps[1], steps[2]))

    def distances(self, class_id: int) -> SurfaceDistances:
        """Distances between the rims of a class, both directions, in units of spacing."""
        truth, predicted = (points.of_class(class_id) for points in self._points)
        return SurfaceDistances(
            self._point_set.distances(*truth, *predicted),
            self._point_set.distances(*predicted, *truth),
        )

    def betti(self, class_id: int) -> tuple[Betti, Betti]:
        """Betti numbers of a class in truth and prediction, full connectivity."""
        truth, predicted = (self._betti_of(runs, class_id) for runs in self._runs)
        return truth, predicted

    def _betti_of(self, runs: Runs, class_id: int) -> Betti:
        return betti_of_runs(*runs.of_class(class_id), self.grid, self.truth.ndim == 3)


class MaskPair:
    """The masks of one class in truth and prediction, with everything metrics are made from."""

    def __init__(self, owner: LabelPair, class_id: int) -> None:
        if class_id not in owner.classes:
            owner = LabelPair(
                owner.truth, owner.predicted, owner.n_classes, owner.spacing, [class_id]
            )
        self.owner = owner
        self.class_id = class_id
        self._by_rule: dict[SurfaceRule, SurfaceDistances] = {}
        self._components: dict[str, Overlaps] = {}

    @cached_property
    def counts(self) -> Counts:
        """Pixel counts of the class against all others."""
        return class_counts(self.owner.confusion, self.class_id)

    @property
    def spacing(self) -> Spacing:
        """Size of a pixel per axis, in array order."""
        return self.owner.spacing

    @cached_property
    def truth(self) -> Mask:
        """Where the truth has the class."""
        return np.asarray(self.owner.truth == self.class_id)

    @cached_property
    def predicted(self) -> Mask:
        """Where the prediction has the class."""
        return np.asarray(self.owner.predicted == self.class_id)

    @cached_property
    def distances(self) -> SurfaceDistances:
        """Distances between the rims, both directions; warns of a volume of one slice."""
        _warn_of_one_slice(self.owner.truth.shape)
        return self.owner.distances(self.class_id)

    def distances_by(self, rule: SurfaceRule) -> SurfaceDistances:
        """Distances between surfaces that another rule names."""
        if rule == _OUR_SURFACE:
            return self.distances
        if rule not in self._by_rule:
            found = surface_distances(self.truth, self.predicted, self.spacing, rule)
            self._by_rule[rule] = found
        return self._by_rule[rule]

    @cached_property
    def betti(self) -> tuple[Betti, Betti]:
        """Betti numbers of truth and prediction, full connectivity."""
        return self.owner.betti(self.class_id)

    def components(self, connectivity: Connectivity = "full") -> Overlaps:
        """Components of truth and prediction as objects: their sizes and overlaps."""
        if connectivity not in self._components:
            near = ndimage.generate_binary_structure(
                self.truth.ndim, self.truth.ndim if connectivity == "full" else 1
            )
            numbered = [ndimage.label(mask, near)[0] for mask in (self.truth, self.predicted)]
            self._components[connectivity] = overlap_objects(numbered[0], numbered[1])
        return self._components[connectivity]

    @property
    def diagonal(self) -> float:
        """Length of the image diagonal, shape times spacing."""
        extent = np.asarray(self.owner.truth.shape) * np.asarray(self.spacing)
        return float(np.sqrt((extent**2).sum()))


def class_counts(confusion: npt.NDArray[np.int64], class_id: int) -> Counts:
    """Counts of one class against all others from a confusion matrix [truth, predicted]."""
    tp = int(confusion[class_id, class_id])
    fn = int(confusion[class_id].sum()) - tp
    fp = int(confusion[:, class_id].sum()) - tp
    return Counts(tp, fp, fn, int(confusion.sum()) - tp - fp - fn)


def pair_of(truth: Any, predicted: Any, spacing: Sequence[float] | float | None = None) -> MaskPair:
    """Two masks as a pair; every nonzero pixel belongs to the object.

    Raises BadData for floats, NaN or a bad spacing, ShapeMismatch for different grids.
    """
    truth, predicted = as_labels(truth, "truth"), as_labels(predicted, "predicted")
    check_same_grid(truth, predicted)
    check_not_negative(truth, predicted)
    scale = as_spacing(spacing, truth.ndim)
    return LabelPair(_as_mask(truth), _as_mask(predicted), 2, scale, [1]).of_class(1)


def label_pair(
    truth: Any,
    predicted: Any,
    n_classes: int,
    *,
    spacing: Sequence[float] | float | None = None,
    ignore: int | None = None,
    valid: Any = None,
    classes: Sequence[int] | None = None,
) -> LabelPair:
    """Two arrays of class ids 0..n_classes-1 as a pair; inputs are not changed.

    Pixels with the value `ignore` in the truth, or where `valid` is False, are void.
    Raises BadData for other values, floats or a bad spacing, ShapeMismatch for other grids.
    """
    truth, predicted = as_labels(truth, "truth"), as_labels(predicted, "predicted")
    check_same_grid(truth, predicted)
    check_number_of_classes(n_classes)
    scale = as_spacing(spacing, truth.ndim)
    check_range(truth, "truth", n_classes, ignore)
    check_range(predicted, "predicted", n_classes, ignore)
    void = _void(truth, ignore, valid)
    truth8, predicted8 = _as_class_ids(truth), _as_class_ids(predicted)
    if void is not None:
        truth8 = np.where(void, np.uint8(IGNORE), truth8)
        predicted8 = np.where(void, np.uint8(IGNORE), predicted8)
    return LabelPair(truth8, predicted8, n_classes, scale, classes)


def check_abstaining(pair: LabelPair) -> None:
    """Raise BadData if the prediction is void somewhere where the truth is scored."""
    n_scored = int(np.count_nonzero(pair.truth != IGNORE))
    n_silent = n_scored - pair.n_valid
    if n_silent:
        raise BadData(
            f"the prediction is void at {n_silent} of {n_scored} scored pixels",
            "a class at every pixel that the truth scores",
            "Pixels cannot be left out by the prediction: give them a class, for example "
            "background with --map.",
            code="void-prediction",
        )


@functools.cache
def _warn_of_one_slice(shape: tuple[int, ...]) -> None:
    """A volume of one slice is all surface: true, and seldom meant. Said once per shape."""
    if len(shape) == 3 and 1 in shape:
        logger.warning(
            "A volume of shape %s is one slice thick: every voxel of it is surface. Score the "
            "image (y, x) instead if it is flat.",
            shape,
        )


def _void(truth: npt.NDArray[Any], ignore: int | None, valid: Any) -> Mask | None:
    void: Mask | None = None if ignore is None else np.asarray(truth == ignore)
    void = None if void is None or not void.any() else void
    if valid is None:
        return void
    inside = as_labels(valid, "valid")
    check_same_grid(truth, inside)
    outside = inside == 0
    return np.asarray(outside if void is None else outside | void)


def _as_mask(array: npt.NDArray[Any]) -> Labels:
    mask = array if array.dtype == bool else array != 0
    return np.ascontiguousarray(mask).view(np.uint8)


def _as_class_ids(array: npt.NDArray[Any]) -> Labels:
    narrow = array.view(np.uint8) if array.dtype == bool else array.astype(np.uint8, copy=False)
    return np.ascontiguousarray(narrow)
