"""Other tools for objects, topology and probabilities, by the names of our functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.peers.tools import Ask


def stardist() -> dict[str, Ask]:
    """StarDist's matching: at least the threshold, so 0.5 itself counts."""
    from stardist.matching import matching

    def of(name: str, threshold: float) -> Ask:
        def ask(t: np.ndarray, p: np.ndarray, _s: tuple[float, ...]) -> float:
            return float(getattr(matching(t, p, thresh=threshold), name))

        return ask

    return {
        f"{name}@iou={threshold:g}": of(theirs, threshold)
        for name, theirs in (("pq", "panoptic_quality"), ("f1", "f1"), ("ap", "accuracy"))
        for threshold in (0.5, 0.7)
    }


def monai() -> dict[str, Ask]:
    """MONAI: panoptic quality, strictly above the threshold, 1e-6 added below."""
    import torch
    from monai.metrics import compute_panoptic_quality

    def of(name: str, threshold: float) -> Ask:
        def ask(t: np.ndarray, p: np.ndarray, _s: tuple[float, ...]) -> float:
            both = (torch.from_numpy(np.asarray(x, np.int64)) for x in (p, t))
            return float(compute_panoptic_quality(*both, name, match_iou_threshold=threshold))

        return ask

    return {
        f"{name}@iou={threshold:g}": of(name, threshold)
        for name in ("pq", "sq", "rq")
        for threshold in (0.5, 0.7)
    }


def scikit_image() -> dict[str, Ask]:
    """scikit-image: partitions, with and without the pixels of label 0."""
    from skimage.metrics import adapted_rand_error, variation_of_information

    return {
        "adapted_rand": lambda t, p, _s: float(adapted_rand_error(t, p, ignore_labels=())[0]),
        "adapted_rand@ignore_labels=0": lambda t, p, _s: float(adapted_rand_error(t, p)[0]),
        "voi_split": lambda t, p, _s: float(variation_of_information(t, p)[0]),
        "voi_merge": lambda t, p, _s: float(variation_of_information(t, p)[1]),
        "voi_split@ignore_labels=0": lambda t, p, _s: float(
            variation_of_information(t, p, ignore_labels=(0,))[0]
        ),
        "voi_merge@ignore_labels=0": lambda t, p, _s: float(
            variation_of_information(t, p, ignore_labels=(0,))[1]
        ),
    }


def gudhi() -> dict[str, Ask]:
    """gudhi: Betti numbers of the prediction as a cubical complex, both connectivities."""
    import gudhi as g

    def of(dimension: int, cells: str) -> Ask:
        def ask(_t: np.ndarray, p: np.ndarray, _s: tuple[float, ...]) -> float:
            height = np.pad(1.0 - p, 1, constant_values=1.0)
            cubes = g.CubicalComplex(**{cells: height})
            cubes.compute_persistence(min_persistence=0.5)
            numbers = cubes.persistent_betti_numbers(0.0, 0.5)
            return float(([*list(numbers), 0, 0, 0])[dimension])

        return ask

    return {
        f"betti_{k}@connectivity={name}": of(k, cells)
        for k in range(3)
        for name, cells in (("full", "top_dimensional_cells"), ("face", "vertices"))
    }


def torchmetrics() -> dict[str, Ask]:
    """torchmetrics: calibration of binary probabilities, double precision."""
    import torch
    from torchmetrics.functional.classification import binary_calibration_error

    def of(norm: str, bins: int) -> Ask:
        def ask(t: np.ndarray, p: np.ndarray, _s: tuple[float, ...]) -> float:
            both = torch.from_numpy(p.ravel()), torch.from_numpy(t.ravel().astype(np.int64))
            return float(binary_calibration_error(*both, n_bins=bins, norm=norm))

        return ask

    return {
        f"{name}@bins={bins}": of(norm, bins)
        for name, norm in (("ece", "l1"), ("mce", "max"))
        for bins in (10, 15)
    }


def scikit_learn() -> dict[str, Ask]:
    """scikit-learn: areas under curves, Brier."""
    from sklearn import metrics as m

    def of(call: Callable[..., Any]) -> Ask:
        return lambda t, p, _s: float(call(t.ravel(), p.ravel()))

    return {
        "roc_auc": of(m.roc_auc_score),
        "pr_auc": of(m.average_precision_score),
        "brier": of(m.brier_score_loss),
    }


OBJECT_TOOLS: Mapping[str, tuple[str, str, Callable[[], dict[str, Ask]]]] = {
    "stardist": ("stardist", "stardist", stardist),
    "monai": ("monai", "monai", monai),
    "scikit-image": ("skimage", "scikit-image", scikit_image),
}
TOPOLOGY_TOOLS: Mapping[str, tuple[str, str, Callable[[], dict[str, Ask]]]] = {
    "gudhi": ("gudhi", "gudhi", gudhi),
}
PROBABILITY_TOOLS: Mapping[str, tuple[str, str, Callable[[], dict[str, Ask]]]] = {
    "torchmetrics": ("torchmetrics", "torchmetrics", torchmetrics),
    "scikit-learn": ("sklearn", "scikit-learn", scikit_learn),
}
