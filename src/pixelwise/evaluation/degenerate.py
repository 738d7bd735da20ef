"""What every metric says where something is empty: the table, made by asking the metrics."""

from __future__ import annotations

import math

import numpy as np

from pixelwise.evaluation.tables import TableFormat, write_table
from pixelwise.metrics.choices import choose_metrics
from pixelwise.metrics.pair import label_pair
from pixelwise.metrics.registration import METRICS

SITUATIONS = ("both empty", "only truth", "only prediction", "both full", "all ignored")
_SHAPE = (6, 8)
_REQUIRED = {"tolerance": 1.0}


def degenerate_values() -> dict[str, tuple[float, ...]]:
    """Metric -> its value in each of the SITUATIONS, for an image of 6 x 8 pixels."""
    nothing, everything = np.zeros(_SHAPE, np.uint8), np.ones(_SHAPE, np.uint8)
    spot = nothing.copy()
    spot[2:4, 2:5] = 1
    void = np.full(_SHAPE, 255, np.uint8)
    pairs = ((nothing, nothing), (spot, nothing), (nothing, spot), (everything, everything),
             (void, spot))  # fmt: skip
    masks = [label_pair(*pair, 2, ignore=255).of_class(1) for pair in pairs]
    return {
        choice.key: tuple(choice.of(pair) for pair in masks)
        for choice in choose_metrics(METRICS.names(), _REQUIRED)
    }


def degenerate_table(table_format: TableFormat = "markdown") -> str:
    """The table of degenerate cases: one row a metric, one column a situation."""
    rows = [
        [name, *(_shown(value) for value in values)] for name, values in degenerate_values().items()
    ]
    return write_table(["metric", *SITUATIONS], rows, table_format)


def _shown(value: float) -> str:
    if math.isnan(value):
        return "undefined"
    return "infinite" if math.isinf(value) else f"{value:.3g}"
