"""How much each class counts: weights from how often the classes occur."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

SCHEMES = ("none", "inverse", "median-frequency")

Counts = npt.NDArray[np.integer[Any]]


def class_weights(scheme: str, class_pixels: Counts, n_counted: Counts) -> tuple[float, ...]:
    """One weight per class from the pixels of the training cases; () for "none".

    inverse: N / (K n_k) over all pixels N and the K classes that occur, so that each class
    counts alike and the mean weight of a pixel is 1.
    median-frequency: the median share over the share of the class; shares are of the pixels
    of those cases in which the class occurs.
    Shape: class_pixels (n_cases, k); n_counted (n_cases,) pixels that count in each case.
    Empty: a class that never appears has weight 1; it is nowhere applied.
    Source: Badrinarayanan et al. 2017, section 4 (median frequency; Eigen and Fergus 2015).
    """
    if scheme == "none":
        return ()
    pixels = np.asarray(class_pixels, dtype=np.float64)
    totals = pixels.sum(axis=0)
    occurs = totals > 0
    weights = np.ones(len(totals))
    if not occurs.any():
        return tuple(weights.tolist())
    if scheme == "inverse":
        weights[occurs] = np.sum(n_counted) / (occurs.sum() * totals[occurs])
    else:
        around = np.where(pixels > 0, np.asarray(n_counted)[:, None], 0).sum(axis=0)
        shares = totals[occurs] / around[occurs]
        weights[occurs] = np.median(shares) / shares
    return tuple(float(weight) for weight in weights)
