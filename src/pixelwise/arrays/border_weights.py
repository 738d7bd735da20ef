"""The U-Net paper's weight map: narrow gaps between touching cells count several times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.two_nearest import two_nearest

_NEGLIGIBLE = 1e-3
"""A surplus below this is left out, which bounds how far is looked."""


def border_weights(
    objects: npt.NDArray[np.integer[Any]],
    *,
    peak: float = 10.0,
    sigma: float = 5.0,
    spacing: Sequence[float] | None = None,
    class_weights: tuple[float, float] = (1.0, 1.0),
) -> npt.NDArray[np.float32]:
    """Weight of every pixel: that of its class plus a surplus in the gaps between objects.

    w = w_class + peak exp(-(d1 + d2)^2 / (2 sigma^2)), d1 and d2 the distances to the nearest
    and the second nearest object; the surplus stands on background only.
    Shape: objects ([z,] y, x) of object numbers, 0 is background; gaps in the numbers are fine.
    Units: sigma in that of spacing (pixels if none is given). class_weights: background, objects.
    Empty: with fewer than two objects there is no second distance and no surplus.
    Source: Ronneberger et al. 2015, equation 2 (w0 = 10, sigma about 5 pixels); that the
    surplus is for background only is usual and not said there.
    """
    inside = objects != 0
    weights = np.where(inside, np.float32(class_weights[1]), np.float32(class_weights[0]))
    if peak <= _NEGLIGIBLE:
        return weights
    limit = sigma * math.sqrt(2 * math.log(peak / _NEGLIGIBLE))
    steps = (1.0,) * objects.ndim if spacing is None else spacing
    first, second = two_nearest(objects, steps, limit)
    surplus = np.float32(peak) * np.exp(-np.square(first + second) / np.float32(2 * sigma**2))
    weights[~inside] += surplus[~inside]
    return weights
