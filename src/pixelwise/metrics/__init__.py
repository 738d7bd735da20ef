"""One family of metrics per file; plain functions of (truth, predicted) arrays."""

from pixelwise.metrics.boundaries import boundary_f1, boundary_iou
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
)
from pixelwise.metrics.distances import asd, assd, hd, hd95, masd, nsd
from pixelwise.metrics.measuring import measure
from pixelwise.metrics.registration import METRICS
from pixelwise.metrics.topology import (
    betti_error,
    betti_extra,
    betti_lost,
    betti_numbers,
    cldice,
    component_error,
    euler_error,
    euler_number,
)

__all__ = [
    "METRICS",
    "accuracy",
    "asd",
    "assd",
    "balanced_accuracy",
    "betti_error",
    "betti_extra",
    "betti_lost",
    "betti_numbers",
    "boundary_f1",
    "boundary_iou",
    "cldice",
    "component_error",
    "dice",
    "euler_error",
    "euler_number",
    "fbeta",
    "hd",
    "hd95",
    "iou",
    "kappa",
    "masd",
    "mcc",
    "measure",
    "nsd",
    "precision",
    "sensitivity",
    "specificity",
    "volume_difference",
]
