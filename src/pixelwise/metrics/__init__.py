"""One family of metrics per file; plain functions of (truth, predicted) arrays."""

from typing import TYPE_CHECKING

from pixelwise.metrics.betti_matching import betti_matching, betti_matching_error
from pixelwise.metrics.boundaries import boundary_f1, boundary_iou
from pixelwise.metrics.calibration import ece, ece_top_label, mce, reliability
from pixelwise.metrics.counts import (
    accuracy,
    balanced_accuracy,
    dice,
    fbeta,
    iou,
    kappa,
    mcc,
    precision,
    sensitivity,
    specificity,
    volume_difference,
    volumetric_similarity,
)
from pixelwise.metrics.distances import asd, assd, hd, hd95, masd, nsd
from pixelwise.metrics.instances import (
    aggregated_jaccard,
    ap_dsb,
    average_precision,
    f1_at_iou,
    instance_errors,
    panoptic_quality,
    recall_by_size,
    seg_score,
)
from pixelwise.metrics.label_maps import (
    confusion_matrix,
    fcn_scores,
    frequency_weighted_iou,
    mean_accuracy,
    mean_dice,
    mean_iou,
    pixel_accuracy,
)
from pixelwise.metrics.lesions import (
    component_merges,
    component_splits,
    lesion_dice,
    lesion_f1,
    lesion_precision,
    lesion_sensitivity,
    per_component,
)
from pixelwise.metrics.measuring import measure
from pixelwise.metrics.other_names import our_name
from pixelwise.metrics.partitions import (
    adapted_rand_error,
    v_info,
    v_rand,
    variation_of_information,
)
from pixelwise.metrics.probabilities import (
    best_threshold,
    brier,
    pr_auc,
    precision_recall_curve,
    roc_auc,
    roc_curve,
)
from pixelwise.metrics.registration import METRICS
from pixelwise.metrics.running import RunningMetric, as_torchmetric
from pixelwise.metrics.shapes import (
    area,
    compactness,
    component_sizes,
    perimeter,
    size_summary,
    surface_area,
)
from pixelwise.metrics.topology import (
    betti_error,
    betti_extra,
    betti_lost,
    betti_numbers,
    cavity_error,
    cldice,
    component_error,
    euler_error,
    euler_number,
    hole_error,
)
from pixelwise.metrics.warping import warping_error

__all__ = [
    "METRICS",
    "RunningMetric",
    "accuracy",
    "adapted_rand_error",
    "aggregated_jaccard",
    "ap_dsb",
    "area",
    "as_torchmetric",
    "asd",
    "assd",
    "average_precision",
    "balanced_accuracy",
    "best_threshold",
    "betti_error",
    "betti_extra",
    "betti_lost",
    "betti_matching",
    "betti_matching_error",
    "betti_numbers",
    "boundary_f1",
    "boundary_iou",
    "brier",
    "cavity_error",
    "cldice",
    "compactness",
    "component_error",
    "component_merges",
    "component_sizes",
    "component_splits",
    "confusion_matrix",
    "dice",
    "ece",
    "ece_top_label",
    "euler_error",
    "euler_number",
    "f1_at_iou",
    "fbeta",
    "fcn_scores",
    "frequency_weighted_iou",
    "hd",
    "hd95",
    "hole_error",
    "instance_errors",
    "iou",
    "kappa",
    "lesion_dice",
    "lesion_f1",
    "lesion_precision",
    "lesion_sensitivity",
    "masd",
    "mcc",
    "mce",
    "mean_accuracy",
    "mean_dice",
    "mean_iou",
    "measure",
    "nsd",
    "panoptic_quality",
    "per_component",
    "perimeter",
    "pixel_accuracy",
    "pr_auc",
    "precision",
    "precision_recall_curve",
    "recall_by_size",
    "reliability",
    "roc_auc",
    "roc_curve",
    "seg_score",
    "sensitivity",
    "size_summary",
    "specificity",
    "surface_area",
    "v_info",
    "v_rand",
    "variation_of_information",
    "volume_difference",
    "volumetric_similarity",
    "warping_error",
]

if not TYPE_CHECKING:  # a type checker should go on finding names that are not there

    def __getattr__(name: str) -> object:
        """Answer a name that other tools use with ours."""
        own = our_name(name)
        hint = f"; it is called {own} here" if own else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
