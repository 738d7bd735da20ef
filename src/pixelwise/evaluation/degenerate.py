"""What every metric says where something is empty: the table, made by asking the metrics."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from pixelwise.core.records import ClassScores
from pixelwise.evaluation.scoring import score_case
from pixelwise.evaluation.tables import TableFormat, write_table
from pixelwise.metrics.choices import choose_metrics
from pixelwise.metrics.pair import label_pair
from pixelwise.metrics.registration import METRICS

SITUATIONS = ("both empty", "only truth", "only prediction", "both full", "all ignored")
Labels = npt.NDArray[np.uint8]
_SHAPE = (6, 8)
_REQUIRED = {"tolerance": 1.0}


def degenerate_values() -> dict[str, tuple[float, ...]]:
    """Metric -> its value in each of the SITUATIONS, for an image of 6 x 8 pixels."""
    masks = [label_pair(*pair, 2, ignore=255).of_class(1) for pair in _pairs()]
    return {
        choice.key: tuple(choice.of(pair) for pair in masks)
        for choice in choose_metrics(METRICS.names(), _REQUIRED)
    }


def counted_values() -> dict[str, tuple[float, ...]]:
    """The same as an evaluation counts them: with our rule for empty cases."""
    texts = {name: name for name in METRICS.names()}
    texts["nsd"] = "nsd:tolerance=1"
    scored = [
        score_case("", *pair, n_classes=2, metrics=list(texts.values())).classes[1]
        for pair in _pairs()
    ]
    return {name: tuple(_value(own, key) for own in scored) for name, key in texts.items()}


def degenerate_table(table_format: TableFormat = "markdown") -> str:
    """The table of degenerate cases: one row a metric, one column a situation.

    Behind an arrow, where it differs: what an evaluation counts.
    """
    counted = counted_values()
    rows = [
        [name, *(_both(*values) for values in zip(found, counted[name], strict=True))]
        for name, found in degenerate_values().items()
    ]
    return write_table(["metric", *SITUATIONS], rows, table_format)


def _pairs() -> list[tuple[Labels, Labels]]:
    nothing, everything = np.zeros(_SHAPE, np.uint8), np.ones(_SHAPE, np.uint8)
    spot = nothing.copy()
    spot[2:4, 2:5] = 1
    void = np.full(_SHAPE, 255, np.uint8)
    return [(nothing, nothing), (spot, nothing), (nothing, spot), (everything, everything),
            (void, spot)]  # fmt: skip


def _value(scores: ClassScores, key: str) -> float:
    value = scores.values[key]
    if value is None:
        return math.inf if key in scores.infinite else math.nan
    return value


def _both(alone: float, counted: float) -> str:
    is_same = alone == counted or (math.isnan(alone) and math.isnan(counted))
    return _shown(alone) if is_same else f"{_shown(alone)} → {_shown(counted)}"


def _shown(value: float) -> str:
    if math.isnan(value):
        return "undefined"
    return "infinite" if math.isinf(value) else f"{value:.3g}"
