"""One family of metrics per file; plain functions of (truth, predicted) arrays."""

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
from pixelwise.metrics.distances import hd95
from pixelwise.metrics.registration import METRICS

__all__ = [
    "METRICS",
    "accuracy",
    "balanced_accuracy",
    "dice",
    "fbeta",
    "hd95",
    "iou",
    "kappa",
    "mcc",
    "precision",
    "sensitivity",
    "specificity",
    "volume_difference",
]
