"""Writes docs/metrics.md: every metric with its definition, conventions, and degenerate cases.

python docs/make_metrics_page.py
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pixelwise import metrics
from pixelwise.evaluation.degenerate import degenerate_table
from pixelwise.evaluation.empty_rules import RULE
from pixelwise.evaluation.tables import write_table
from pixelwise.metrics import METRICS
from pixelwise.metrics.conventions import COUNT_EMPTIES, DISTANCE_RULES, UNDEFINED_COUNTS, Empties

PAGE = Path(__file__).with_name("metrics.md")

OTHERS = {
    "Label maps and averages": (
        "confusion_matrix", "mean_iou", "mean_dice", "pixel_accuracy", "mean_accuracy",
        "frequency_weighted_iou",
    ),
    "Numbered objects": (
        "panoptic_quality", "average_precision", "ap_dsb", "f1_at_iou", "seg_score",
        "aggregated_jaccard", "instance_errors", "recall_by_size", "per_component",
    ),
    "Partitions": ("v_rand", "v_info", "adapted_rand_error", "variation_of_information",
                   "warping_error"),
    "Topology and shape of masks": (
        "betti_numbers", "euler_number", "betti_matching", "betti_matching_error", "area",
        "perimeter", "surface_area", "compactness", "component_sizes", "size_summary",
    ),
    "Probabilities": (
        "roc_curve", "roc_auc", "precision_recall_curve", "pr_auc", "brier", "reliability", "ece",
        "mce", "ece_top_label", "best_threshold",
    ),
    "Sets and loops": ("measure", "as_torchmetric"),
}  # fmt: skip
"""Functions of `pixelwise.metrics` that take something else than two masks."""


def render() -> str:
    """The page as text."""
    parts = [
        "# Metrics",
        "<!-- written by docs/make_metrics_page.py from the code; do not edit -->",
        "Order is always (truth, predicted). Each of these is a function of two masks in "
        "`pixelwise.metrics`, a name for `measure` and for `pixelwise evaluate`, and takes the "
        'options in its signature (`measure(truth, predicted, ["nsd:tolerance=2"])`).',
    ]
    for name in METRICS.names():
        entry = METRICS.find(name)
        options = ", ".join(
            option.name if option.is_required else f"{option.name}={option.default!r}"
            for option in entry.options.values()
        )
        parts += [f"### {name}({options})", inspect.getdoc(entry.part) or ""]
    for family, names in OTHERS.items():
        parts.append(f"## {family}")
        for name in names:
            call = getattr(metrics, name)
            parts += [f"### {name}({signature(call)})", inspect.getdoc(call) or ""]
    parts += [
        "## What other tools mean",
        "By `convention`, for the distances. Only what differs from ours is said about empty "
        "masks: only truth / only prediction / both empty. Where a tool stops with an error, our "
        "value is taken. Rows are compared with what the tools themselves answer "
        "(`benchmarks/peers`); that of MetricsReloaded, which the package index does not have, "
        "follows its source.",
        distance_conventions(),
        "And for counts:",
        count_conventions(),
        "## Where something is empty",
        "Single values, for an image of 6 x 8 pixels; behind an arrow what `pixelwise evaluate` "
        "counts where that differs, so that a missed structure never improves a mean (a distance "
        "to nothing is then the image diagonal, here 10).",
        degenerate_table().rstrip(),
        RULE,
    ]
    return "\n\n".join(parts) + "\n"


def signature(call: Callable[..., Any]) -> str:
    """Parameters with their defaults, without types."""
    return ", ".join(
        name if p.default is inspect.Parameter.empty else f"{name}={p.default!r}"
        for name, p in inspect.signature(call).parameters.items()
    )


def distance_conventions() -> str:
    """One row a tool."""
    rows = []
    for tool, rules in DISTANCE_RULES.items():
        where = {
            "voxels": f"rim by {rules.surface.connectivity}"
            + ("" if rules.surface.frame_is_outside else ", frame is no outside"),
            "mesh": "outline on the corner grid",
            "region": "all pixels of the object",
        }[rules.surface.kind]
        rows.append(
            [tool, where, rules.pooling, rules.percentile,
             "mean of all" if rules.assd == "pooled" else "mean of two means",
             "; ".join(f"{name} {shown(e)}" for name, e in rules.empties.items()) or "as ours"]
        )  # fmt: skip
    header = ["convention", "surface", "hd95 of directions", "percentile", "assd", "empty masks"]
    return write_table(header, rows, "markdown").rstrip()


def count_conventions() -> str:
    """One row a tool that says something of its own."""
    tools = sorted({*COUNT_EMPTIES, *UNDEFINED_COUNTS})
    rows = [
        [tool,
         "; ".join(f"{name} {shown(e)}" for name, e in COUNT_EMPTIES.get(tool, {}).items())
         or "as ours",
         "; ".join(f"{name} {number(v)}" for name, v in UNDEFINED_COUNTS.get(tool, {}).items())
         or "as ours"]
        for tool in tools
    ]  # fmt: skip
    return write_table(
        ["convention", "empty masks", "a rate divided by nothing"], rows, "markdown"
    ).rstrip()


def shown(empties: Empties) -> str:
    """The three values."""
    values = empties.only_truth, empties.only_predicted, empties.both_empty
    return " / ".join(number(value) for value in values)


def number(value: float) -> str:
    """A number as the tables write it."""
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    return f"{value:.3g}"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
