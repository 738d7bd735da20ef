"""The same questions put to other tools: each call computes a part of the whole set.

Inputs in each tool's natural form are made outside the clock.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from benchmarks.speed.metric_pairs import Pair

Call = Callable[[], Any]

TOLERANCE = 2.0
VERSIONS = (
    "mikan-rs", "monai", "medpy", "surface-distance", "connected-components-3d", "stardist",
    "edt", "opencv-python-headless", "scikit-image", "numpy", "scipy", "numba", "torch",
)  # fmt: skip


def has(*modules: str) -> bool:
    """Whether peers are installed."""
    return all(importlib.util.find_spec(module) is not None for module in modules)


def n_classes(pair: Pair) -> int:
    """One more than the largest id, and at least two: an object is looked for in any case."""
    return max(2, int(max(pair[0].max(), pair[1].max())) + 1)


def mikan(pair: Pair) -> Call:
    """mikan-rs: counts, hd, hd95, assd, masd of all labels that both have, all cores."""
    import mikan as peer

    shape = (1, *pair[0].shape)[-3:]
    volumes = [np.ascontiguousarray(labels.reshape(shape)) for labels in pair]
    shared = sorted((set(np.unique(pair[0])) & set(np.unique(pair[1]))) - {0})
    labels = [int(k) for k in shared]
    wanted = ["dice", "iou", "hd", "hd95", "assd", "masd"]
    return lambda: peer.ArrayEvaluator(*volumes, (1.0, 1.0, 1.0)).labels(labels).metrics(wanted)


def monai_nsd(pair: Pair) -> Call:
    """MONAI: surface Dice of all classes but 0, one thread."""
    import torch
    from monai.metrics import compute_surface_dice

    torch.set_num_threads(1)
    n = n_classes(pair)
    hot = [torch.from_numpy(np.stack([labels == k for k in range(n)])[None]) for labels in pair]
    return lambda: compute_surface_dice(hot[1], hot[0], [TOLERANCE] * (n - 1))


def medpy_counts(pair: Pair) -> Call:
    """MedPy: Dice and Jaccard of all classes but 0."""
    from medpy.metric import binary

    masks = _masks(pair)
    return lambda: [(binary.dc(p, t), binary.jc(p, t)) for t, p in masks]


def deepmind_surfaces(pair: Pair) -> Call:
    """surface-distance: hd, hd95, mean distances and surface Dice from shared distances."""
    import surface_distance as peer

    masks = [pair for pair in _masks(pair) if pair[0].any() and pair[1].any()]
    spacing = (1.0,) * pair[0].ndim

    def call() -> None:
        for truth, predicted in masks:
            found = peer.compute_surface_distances(truth, predicted, spacing)
            peer.compute_robust_hausdorff(found, 100)
            peer.compute_robust_hausdorff(found, 95)
            peer.compute_average_surface_distance(found)
            peer.compute_surface_dice_at_tolerance(found, TOLERANCE)

    return call


def cc3d_components(pair: Pair) -> Call:
    """cc3d: components of every class and of its background, in both maps."""
    import cc3d

    full, face = (8, 4) if pair[0].ndim == 2 else (26, 6)

    def call() -> None:
        for labels in pair:
            for k in range(1, n_classes(pair)):
                mask = labels == k
                cc3d.connected_components(mask, connectivity=full, return_N=True)
                cc3d.connected_components(np.pad(~mask, 1, constant_values=True),
                                          connectivity=face, return_N=True)  # fmt: skip

    return call


def opencv_components(pair: Pair) -> Call:
    """OpenCV: components of every class and of its background, in both images."""
    import cv2

    def call() -> None:
        for labels in pair:
            for k in range(1, n_classes(pair)):
                mask = (labels == k).view(np.uint8)
                cv2.connectedComponents(mask, connectivity=8)
                cv2.connectedComponents(np.pad(1 - mask, 1, constant_values=1), connectivity=4)

    return call


def assembled_counts(pair: Pair) -> Call:
    """NumPy: a confusion matrix; of two classes three counts."""
    n = n_classes(pair)
    if n == 2:
        one, other = (labels.view(bool) for labels in pair)
        return lambda: (np.count_nonzero(one & other), np.count_nonzero(one),
                        np.count_nonzero(other))  # fmt: skip
    return lambda: np.bincount((pair[0].astype(np.int32) * n + pair[1]).ravel(), minlength=n * n)


def tree_distances(pair: Pair) -> Call:
    """Rims on the crop of both masks, nearest neighbours by SciPy's k-d tree."""

    def call() -> None:
        for rims in _cropped_rims(pair):
            points = [np.argwhere(rim) for rim in rims]
            if all(len(p) for p in points):
                for i in range(2):
                    _summarise(cKDTree(points[1 - i]).query(points[i])[0])

    return call


def opencv_distances(pair: Pair) -> Call:
    """Rims on the crop of both masks, OpenCV's precise distance transform (images)."""
    import cv2

    def call() -> None:
        for rims in _cropped_rims(pair):
            for rim, other in (rims, rims[::-1]):
                if rim.any() and other.any():
                    far = (~other).view(np.uint8)
                    _summarise(cv2.distanceTransform(far, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[rim])

    return call


def edt_distances(pair: Pair) -> Call:
    """Rims on the crop of both masks, the package edt's distance transform, one thread."""
    import edt

    def call() -> None:
        for rims in _cropped_rims(pair):
            for rim, other in (rims, rims[::-1]):
                if rim.any() and other.any():
                    _summarise(edt.edt(~other, parallel=1)[rim])

    return call


def _masks(pair: Pair) -> list[tuple[Any, Any]]:
    return [(pair[0] == k, pair[1] == k) for k in range(1, n_classes(pair))]


def _cropped_rims(pair: Pair) -> list[tuple[Any, Any]]:
    found = []
    for truth, predicted in _masks(pair):
        boxes = ndimage.find_objects((truth | predicted).view(np.uint8))
        if boxes:
            crops = [np.pad(mask[boxes[0]], 1) for mask in (truth, predicted)]
            found.append(tuple(crop & ~ndimage.binary_erosion(crop) for crop in crops))
    return found  # type: ignore[return-value]


def _summarise(side: Any) -> None:
    """hd, hd95, assd and nsd from the distances of one direction."""
    _ = side.max(), np.percentile(side, 95), side.mean(), np.count_nonzero(side <= TOLERANCE)
