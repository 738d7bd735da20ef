"""Metrics written the obvious way: every pixel, every pair, no shared work."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy import ndimage


def rim_points(mask: np.ndarray) -> list[tuple[int, ...]]:
    """Object pixels with a face neighbour outside the object or the frame."""
    points = []
    for place in itertools.product(*(range(n) for n in mask.shape)):
        if not mask[place]:
            continue
        for axis in range(mask.ndim):
            for step in (-1, 1):
                other = list(place)
                other[axis] += step
                inside = 0 <= other[axis] < mask.shape[axis]
                if not inside or not mask[tuple(other)]:
                    points.append(place)
                    break
            else:
                continue
            break
    return points


def directed(one: np.ndarray, other: np.ndarray, spacing: tuple[float, ...]) -> list[float]:
    """From each rim point of one mask the distance to the nearest of the other."""
    targets = rim_points(other)
    return [
        min(
            math.sqrt(sum(((a - b) * s) ** 2 for a, b, s in zip(p, q, spacing, strict=True)))
            for q in targets
        )
        for p in rim_points(one)
    ]


def distance_metrics(
    truth: np.ndarray, predicted: np.ndarray, spacing: tuple[float, ...], tolerance: float
) -> dict[str, float]:
    """hd, hd95, assd, masd, nsd of two masks that are both not empty."""
    a, b = directed(truth, predicted, spacing), directed(predicted, truth, spacing)
    near = sum(x <= tolerance for x in a + b)
    return {
        "hd": max(a + b),
        "hd95": max(float(np.percentile(a, 95)), float(np.percentile(b, 95))),
        "pooled": float(np.percentile(a + b, 95)),
        "assd": sum(a + b) / len(a + b),
        "masd": (sum(a) / len(a) + sum(b) / len(b)) / 2,
        "nsd": near / len(a + b),
    }


def euler_by_cells(mask: np.ndarray) -> int:
    """Vertices - edges + faces - cubes of the union of closed pixels."""
    cells = np.zeros([2 * n + 1 for n in mask.shape], bool)
    for place in zip(*np.nonzero(mask), strict=True):
        cells[tuple(slice(2 * i, 2 * i + 3) for i in place)] = True
    dimension = sum(np.ix_(*[np.arange(n) % 2 for n in cells.shape]))
    return int(((-1.0) ** dimension * cells).sum())


def betti(mask: np.ndarray) -> tuple[int, int, int]:
    """Components, loops, cavities; corners connect the object, faces the background."""
    padded = np.pad(mask, 1)
    components = ndimage.label(padded, np.ones((3,) * mask.ndim))[1]
    background = ndimage.label(~padded)[1] - 1
    if mask.ndim == 2:
        return components, background, 0
    return components, components + background - euler_by_cells(mask), background


def betti_face(mask: np.ndarray) -> tuple[int, int]:
    """2D components and holes where only faces connect the object."""
    padded = np.pad(mask, 1)
    return ndimage.label(padded)[1], ndimage.label(~padded, np.ones((3, 3)))[1] - 1


def confusion(truth: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """One pixel after the other."""
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    for t, p in zip(truth.ravel().tolist(), predicted.ravel().tolist(), strict=True):
        if t < n_classes and p < n_classes:
            counts[t, p] += 1
    return counts
