"""Pixel counts of label pairs in one pass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def count_pairs(
    truth: npt.NDArray[np.uint8], predicted: npt.NDArray[np.uint8], n_classes: int
) -> npt.NDArray[np.int64]:
    """counts[truth, predicted] of pixels whose two values are class ids below `n_classes`.

    Pixels with any other value in either array are left out.
    """
    joint = truth.ravel().astype(np.uint16) * np.uint16(256) + predicted.ravel()
    counts = np.bincount(joint, minlength=1 << 16).reshape(256, 256)
    return counts[:n_classes, :n_classes].astype(np.int64)
