"""Scores as files: everything as JSON, a line per case as CSV, the means as tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from pixelwise.core.files import write_json, write_text
from pixelwise.core.records import Summary
from pixelwise.evaluation.tables import group_table, probability_table, size_table, summary_table

ADVICE_TITLE = "Which numbers to trust here"


def write_scores(summary: Summary, folder: Path, advice: Sequence[str] = ()) -> tuple[Path, ...]:
    """Write scores.json (everything), scores.csv (a line per case and class), .md and .tex.

    With groups also groups.csv. Raises BadOutput.
    """
    paths = [folder / f"scores.{suffix}" for suffix in ("json", "csv", "md", "tex")]
    write_json(paths[0], summary.model_dump(mode="json"))
    write_text(paths[1], scores_as_csv(summary))
    write_text(paths[2], scores_as_markdown(summary, advice))
    write_text(paths[3], summary_table(summary, "latex"))
    if summary.groups:
        paths.append(folder / "groups.csv")
        write_text(paths[-1], group_table(summary, "csv"))
    return tuple(paths)


def scores_as_csv(summary: Summary) -> str:
    """A line per case and class; undefined values are empty, infinite ones 'inf'."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    classes = summary.cases[0].classes if summary.cases else ()
    keys = list(dict.fromkeys(key for own in classes for key in own.values))
    writer.writerow(["case", "group", "class", "status", "tp", "fp", "fn", "tn", *keys])
    for case in summary.cases:
        for scores in case.classes:
            cells = [
                "inf" if key in scores.infinite else "" if value is None else repr(value)
                for key, value in ((key, scores.values.get(key)) for key in keys)
            ]
            name = summary.class_names[scores.class_id]
            counts = [scores.tp, scores.fp, scores.fn, scores.tn]
            writer.writerow([case.id, case.group, name, scores.status, *counts, *cells])
    return stream.getvalue()


def scores_as_markdown(summary: Summary, advice: Sequence[str] = ()) -> str:
    """The means with intervals and counts, groups, sizes, probabilities, rules and advice."""
    parts = [f"# Scores of {summary.n_cases} cases", summary_table(summary)]
    if summary.groups:
        parts += ["## Groups", group_table(summary)]
    if summary.size_recall:
        parts += ["## True objects found, by size", size_table(summary)]
    if summary.probabilities:
        parts += ["## Probabilities", probability_table(summary)]
    parts += [*summary.conditions, summary.rule, f"Intervals: {summary.interval}."]
    if advice:
        parts += [f"## {ADVICE_TITLE}", "\n".join(f"- {sentence}" for sentence in advice)]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def scores_in_format(summary: Summary, table_format: str) -> str:
    """The scores as text: "csv" (a line per case and class), "markdown" or "latex"."""
    if table_format == "csv":
        return scores_as_csv(summary).rstrip()
    if table_format == "latex":
        return summary_table(summary, "latex").rstrip()
    return scores_as_markdown(summary).rstrip()
