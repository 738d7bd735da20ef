"""Labelling an image window by window against the dense form of the same classifier, in one run."""

from __future__ import annotations

import time
from typing import Any

import torch

from pixelwise.networks import NetworkIO
from pixelwise.networks.dense import to_dense
from pixelwise.networks.sliding_window import WINDOW, label_by_windows, window_classifier

EDGE = 512
COMPUTED = 475
LIMIT = 200
_SAMPLED_ROWS = 2


def measure() -> dict[str, Any]:
    """Seconds for 512 x 512 pixels; window by window from two rows of windows, scaled up."""
    torch.manual_seed(0)
    classifier = window_classifier(NetworkIO(2, 1, 2)).eval()
    dense = to_dense(classifier, (WINDOW, WINDOW))
    image = torch.randn(1, 1, EDGE + WINDOW - 1, EDGE + WINDOW - 1)
    strip = image[..., : WINDOW - 1 + _SAMPLED_ROWS, :]
    with torch.no_grad():
        dense(image[..., :150, :150])
        classifier(torch.randn(64, 1, WINDOW, WINDOW))
        started = time.perf_counter()
        whole = dense(image)
        dense_seconds = time.perf_counter() - started
        started = time.perf_counter()
        rows = label_by_windows(classifier, strip)
        window_seconds = (time.perf_counter() - started) * EDGE / _SAMPLED_ROWS
    factor = window_seconds / dense_seconds
    return {
        "dense_seconds": round(dense_seconds, 2),
        "window_by_window_seconds": round(window_seconds),
        "factor": round(factor),
        "factor_of_multiplications": COMPUTED,
        "largest_difference": float((rows - whole[:, :, :_SAMPLED_ROWS]).abs().max()),
        "kept": {"factor": factor >= LIMIT},
    }
