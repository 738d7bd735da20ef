"""Whether a data set has an up and a down, a left and a right: measured on its label maps."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import IGNORE

_CELLS = 8


def measure_asymmetry(
    label_maps: Iterable[npt.NDArray[np.uint8]], n_classes: int
) -> tuple[float, ...]:
    """Per axis, how much the mean class map differs from its mirror image along that axis.

    Each map is reduced to class shares on an 8-cell grid per axis, and averaged over cases.
    Result: the mean over grid cells of the total variation distance between the shares there
    and at the mirrored cell, 0 (symmetric) to 1. What chance alone gives with so few cases
    is subtracted: the mean distance between each case and its own half of the sample.
    """
    shares = (_class_shares(labels, n_classes) for labels in label_maps)
    grids = [grid for grid in shares if grid is not None]
    if not grids:
        return ()
    stack = np.stack(grids)
    n_dims = stack.ndim - 2
    noise = _distance(stack[::2].mean(0), stack[1::2].mean(0)) if len(stack) > 3 else 0.0
    mean = stack.mean(axis=0)
    found = [_distance(mean, np.flip(mean, axis=axis + 1)) for axis in range(n_dims)]
    return tuple(float(max(0.0, value - noise / 2)) for value in found)


def _distance(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    return float(0.5 * np.abs(first - second).sum(axis=0).mean())


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
