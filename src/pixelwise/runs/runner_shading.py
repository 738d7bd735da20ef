"""The part of a bundle's runner that evens out illumination, with NumPy alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from pixelwise.runs.runner_arrays import Array, Tree


def evened(image: Array, section: Tree) -> Array:
    """(c, …) stored values, float32 with a smooth surface taken out if the plan says so."""
    kind = section.get("shading", "none")
    if kind == "none":
        return image
    n_dims = image.ndim - 1
    cells, per_cell = (32, 8) if n_dims == 2 else (8, 4)
    n = cells * per_cell
    places = [((np.arange(n) + 0.5) * length / n).astype(np.int64) for length in image.shape[1:]]
    sample = image[np.ix_(range(len(image)), *places)].astype(np.float64)
    folded = sample.reshape(len(image), *(cells, per_cell) * n_dims)
    inner = tuple(range(2, 2 + 2 * n_dims, 2))
    moved = np.moveaxis(folded, inner, range(-n_dims, 0))
    medians = np.median(moved.reshape(len(image), cells**n_dims, -1), axis=-1)
    lines = [(2 * p + 1) / length - 1 for p, length in zip(places, image.shape[1:])]
    centres = [line.reshape(cells, per_cell).mean(axis=1) for line in lines]
    grid = np.stack(np.meshgrid(*centres, indexing="ij")).reshape(n_dims, -1)
    powers = [p for p in np.ndindex(*(4,) * n_dims) if sum(p) <= 3]
    basis = np.stack([np.prod([grid[a] ** k for a, k in enumerate(p)], axis=0) for p in powers]).T
    planes = []
    for channel, values in zip(image, medians):
        fitted, level = _fitted(basis, values)
        table = np.zeros((4,) * n_dims)
        for power, number in zip(powers, fitted):
            table[power] = number
        planes.append(_without(channel, table, level, kind))
    return np.stack(planes)


def _fitted(basis: Array, values: Array) -> tuple[Array, Any]:
    """Coefficients and mean level: least squares, outliers weighted down (Tukey's biweight)."""
    kept = np.isfinite(values)
    if kept.any() and values[kept].min() >= 0:
        kept &= values > 0.2 * float(np.median(values[kept]))
    fitted: Array = np.zeros(basis.shape[1])
    if kept.sum() < 2 * basis.shape[1]:
        fitted[0] = float(values[kept].mean()) if kept.any() else 0.0
    else:
        inside, wanted = basis[kept], values[kept]
        weights = np.ones(len(wanted))
        for _ in range(10):
            weighted = inside * weights[:, None]
            normal = inside.T @ weighted + 1e-9 * len(wanted) * np.eye(basis.shape[1])
            fitted = np.linalg.solve(normal, weighted.T @ wanted)
            residual = np.abs(wanted - inside @ fitted)
            width = 4.685 * 1.4826 * float(np.median(residual))
            if width <= 0:
                break
            weights = np.clip(1 - (residual / width) ** 2, 0, None) ** 2
    level = float((basis[kept] @ fitted).mean()) if kept.any() else 0.0
    return fitted, np.float32(level)


def _without(channel: Array, table: Array, level: Any, kind: str) -> Array:
    """A channel without its surface, at its level."""
    ground = table[None]
    for length in channel.shape:
        line = (2 * np.arange(length) + 1) / length - 1
        ground = np.tensordot(ground, np.stack([line**k for k in range(4)]), (1, 0))
    ground = ground[0].astype(np.float32)
    values = channel.astype(np.float32)
    even: Array = values
    if kind == "subtract":
        even = values - (ground - level)
    elif level > 0:
        even = values * (level / np.maximum(ground, np.float32(0.1) * level))
    return even
