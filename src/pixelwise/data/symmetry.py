"""Whether a data set has an up and a down, a left and a right: measured on its label maps."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import IGNORE
from pixelwise.data.mirrored_pairs import find_pairs
from pixelwise.data.object_sizes import measure_classes

_CELLS = 8
_FEWEST_CASES = 4

_CHANCE = math.sqrt(0.5)
"""Two halves differ by chance this much more than the mean of all from its mirror image."""


def measure_asymmetry(
    label_maps: Iterable[npt.NDArray[np.uint8]], n_classes: int
) -> tuple[float, ...]:
    """Per axis, how much the class that is least like its mirror image differs from it.

    Each map is reduced to class shares on an 8-cell grid per axis, and averaged over cases.
    A class differs by the sum over cells of |share - mirrored share|, relative to the sum of
    both: 0 (symmetric) to 1 (never in the same place), however small the class is. The
    commonest class is left out: it only fills what the others leave. What chance gives with
    so few cases is subtracted, as the halves of the sample differ: even and odd cases, or
    first and last ones, which are further apart where neighbours in the order are alike.
    An axis on which two classes are each other's mirror image (left and right) has 1.
    """
    grids, objects = [], []
    for labels in label_maps:
        grid = _class_shares(labels, n_classes)
        if grid is not None:
            grids.append(grid)
            objects.append(measure_classes({k: labels == k for k in range(1, n_classes)}))
    if not grids:
        return ()
    stack = np.stack(grids)
    mean = stack.mean(axis=0)
    totals = mean.reshape(n_classes, -1).sum(axis=1)
    others = np.flatnonzero(totals > 0)
    others = others[others != np.argmax(totals)]
    if not len(others):
        return (0.0,) * (stack.ndim - 2)
    noise = _CHANCE * _halves_apart(stack)
    sided = {pair.axis for pair in find_pairs(objects, ())}
    return tuple(
        1.0
        if axis - 1 in sided
        else float(np.maximum(0.0, _distance(mean, np.flip(mean, axis)) - noise)[others].max())
        for axis in range(1, mean.ndim)
    )


def _halves_apart(stack: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(k,) how far two halves of the cases are apart; 0 where there are too few to tell."""
    if len(stack) < _FEWEST_CASES:
        return np.zeros(stack.shape[1])
    middle = len(stack) // 2
    alternate = _distance(stack[::2].mean(axis=0), stack[1::2].mean(axis=0))
    return np.maximum(alternate, _distance(stack[:middle].mean(0), stack[middle:].mean(0)))


def _distance(
    first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """(k,) difference of two grids (k, …) per class, relative to what they hold."""
    cells = tuple(range(1, first.ndim))
    found = np.abs(first - second).sum(axis=cells)
    return np.asarray(found / np.maximum((first + second).sum(axis=cells), 1e-12))


def _class_shares(labels: npt.NDArray[np.uint8], n_classes: int) -> npt.NDArray[np.float64] | None:
    """(k, 8, …, 8) share of each class per grid cell; None for maps smaller than the grid."""
    if min(labels.shape) < _CELLS:
        return None
    edges = [np.linspace(0, length, _CELLS + 1).astype(int)[:-1] for length in labels.shape]
    shares = []
    for class_id in range(n_classes):
        counts = (labels == class_id).astype(np.float64)
        for axis, starts in enumerate(edges):
            counts = np.add.reduceat(counts, starts, axis=axis)
        shares.append(counts)
    known = (labels != IGNORE).astype(np.float64)
    for axis, starts in enumerate(edges):
        known = np.add.reduceat(known, starts, axis=axis)
    return np.asarray(np.stack(shares) / np.maximum(known, 1.0))
