"""Summaries and comparisons as Markdown, LaTeX and CSV tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Literal

from pixelwise.core.comparisons import Comparison
from pixelwise.core.records import MetricSummary, Summary

TableFormat = Literal["markdown", "latex", "csv"]


def summary_table(summary: Summary, table_format: TableFormat = "markdown") -> str:
    """One row per class and metric: mean over cases, interval, pooled, counts of empty cases."""
    head = ["class", "metric", "mean over cases", "95 % interval", "pooled", "cases",
            "undefined", "both empty", "all void", "missed", "false alarms"]  # fmt: skip
    rows = [
        [
            summary.class_names[m.class_id],
            m.metric,
            _shown_mean(m),
            "" if m.low is None or m.high is None else f"{m.low:.4f} to {m.high:.4f}",
            _shown(m.pooled),
            str(m.n_cases),
            str(m.n_undefined),
            str(m.n_both_empty),
            str(m.n_all_ignored),
            str(m.n_missed),
            str(m.n_false_alarm),
        ]
        for m in summary.metrics
    ]
    return write_table(head, rows, table_format)


def group_table(summary: Summary, table_format: TableFormat = "markdown") -> str:
    """One row per group, class and metric: mean over its cases, pooled, counts."""
    head = ["group", "class", "metric", "mean over cases", "pooled", "cases", "undefined"]
    rows = [
        [g.group, summary.class_names[g.class_id], g.metric, _shown(g.mean), _shown(g.pooled),
         str(g.n_cases), str(g.n_undefined)]
        for g in summary.groups
    ]  # fmt: skip
    return write_table(head, rows, table_format)


def size_table(summary: Summary, table_format: TableFormat = "markdown") -> str:
    """One row per class and size class of true objects: how many, touched, matched."""
    head = ["class", "size in pixels", "true objects", "touched", "matched (IoU > 0.5)"]
    rows = []
    for found in summary.size_recall:
        bounds = ["", *(f"{edge:g}" for edge in found.edges), ""]
        for i, n in enumerate(found.n_objects):
            low, high = bounds[i], bounds[i + 1]
            size = f"{low} and more" if not high else f"below {high}" if not low else ""
            counts = [str(n), str(found.n_touched[i]), str(found.n_matched[i])]
            name = summary.class_names[found.class_id]
            size = size if low or high else "all"
            rows.append([name, size or f"{low} to {high}", *counts])
    return write_table(head, rows, table_format)


def probability_table(summary: Summary, table_format: TableFormat = "markdown") -> str:
    """One row per class, all pixels pooled: areas, Brier, calibration, thresholds."""
    head = ["class", "ROC AUC", "PR AUC", "Brier", "ECE", "MCE", "Dice at 0.5",
            "best threshold", "its Dice", "pixels"]  # fmt: skip
    rows = [
        [
            summary.class_names[p.class_id], _shown(p.roc_auc), _shown(p.pr_auc), _shown(p.brier),
            _shown(p.ece), _shown(p.mce), _shown(p.dice_at_half),
            "not searched" if p.best_threshold is None else f"{p.best_threshold:.4g}",
            "" if p.best_dice is None else _shown(p.best_dice), str(p.n_pixels),
        ]
        for p in summary.probabilities
    ]  # fmt: skip
    return write_table(head, rows, table_format)


def comparison_table(comparison: Comparison, table_format: TableFormat = "markdown") -> str:
    """One row per class, metric and pair: means, difference with interval, p, who is better."""
    head = ["class", "metric", "first", "second", "mean of first", "mean of second",
            "difference", "95 % interval", "p", "p (Holm)", "better"]  # fmt: skip
    rows = [
        [
            m.class_name, m.metric, d.first, d.second, _shown(m.means[d.first]),
            _shown(m.means[d.second]), f"{d.mean:+.4f}",
            "" if d.low is None or d.high is None else f"{d.low:+.4f} to {d.high:+.4f}",
            f"{d.p:.4f}", f"{d.p_corrected:.4f}", d.better,
        ]
        for m in comparison.metrics
        for d in m.differences
    ]  # fmt: skip
    return write_table(head, rows, table_format)


def ranking_table(comparison: Comparison, table_format: TableFormat = "markdown") -> str:
    """One row per metric and prediction: mean, both ranks, probability of being first."""
    head = ["class", "metric", "prediction", "mean", "rank of means", "mean of ranks",
            "probability of rank 1"]  # fmt: skip
    rows = [
        [
            m.class_name, m.metric, name, _shown(m.means[name]), f"{m.mean_then_rank[name]:g}",
            f"{m.rank_then_mean[name]:.2f}", f"{m.rank_probability[name][0]:.3f}",
        ]
        for m in comparison.metrics
        for name in comparison.names
    ]  # fmt: skip
    return write_table(head, rows, table_format)


def write_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], table_format: TableFormat
) -> str:
    """A table in one of the formats; cells are escaped for it."""
    if table_format == "csv":
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows([head, *rows])
        return stream.getvalue()
    if table_format == "latex":
        lines = [" & ".join(_for_latex(cell) for cell in row) + r" \\" for row in [head, *rows]]
        body = [lines[0], r"\hline", *lines[1:]]
        return "\n".join([rf"\begin{{tabular}}{{{'l' * len(head)}}}", *body, r"\end{tabular}", ""])
    cells = [[cell.replace("|", r"\|") for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    padded = [[c.ljust(w) for c, w in zip(row, widths, strict=True)] for row in cells]
    rule = ["-" * width for width in widths]
    return "\n".join("| " + " | ".join(row) + " |" for row in [padded[0], rule, *padded[1:]]) + "\n"


def _shown_mean(metric: MetricSummary) -> str:
    if metric.mean is None and metric.n_infinite:
        return f"infinite ({metric.n_infinite} cases)"
    return _shown(metric.mean)


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _for_latex(cell: str) -> str:
    for letter in "&%_#$":
        cell = cell.replace(letter, "\\" + letter)
    return cell
