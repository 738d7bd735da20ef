"""How large the classes of scored volumes are, in truth and prediction, with units."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from pixelwise.core.records import CaseScores, Summary
from pixelwise.report.elements import Column, Content, table
from pixelwise.report.scores import Colours, class_cell
from pixelwise.report.wording import share, size_text


@dataclass(frozen=True, slots=True)
class ClassSize:
    """Mean volumes of a class over the cases, and the mean absolute relative difference.

    Units: volumes in the cube of the summary's unit. difference is None where no truth has
    the class; void voxels count nowhere.
    """

    class_id: int
    true: float
    predicted: float
    difference: float | None


def class_sizes(summary: Summary) -> tuple[ClassSize, ...]:
    """The sizes of every class but the background; () where the cases are no volumes."""
    if not summary.cases or any(len(case.spacing) != 3 for case in summary.cases):
        return ()
    found = []
    for class_id in range(len(summary.class_names)):
        if class_id == summary.background:
            continue
        pairs = [_sizes(case, class_id) for case in summary.cases]
        ratios = [abs(p - t) / t for t, p in pairs if t > 0]
        found.append(
            ClassSize(
                class_id,
                sum(t for t, _ in pairs) / len(pairs),
                sum(p for _, p in pairs) / len(pairs),
                sum(ratios) / len(ratios) if ratios else None,
            )
        )
    return tuple(found)


def size_lines(summary: Summary) -> list[str]:
    """The sizes as lines for a terminal: "core: 12.3 mL in truth, 11.9 mL predicted …"."""
    lines = []
    for found in class_sizes(summary):
        off = "" if found.difference is None else f", off by {share(found.difference)} a case"
        lines.append(
            f"{summary.class_names[found.class_id]}: {size_text(found.true, summary.unit, 3)} in "
            f"truth, {size_text(found.predicted, summary.unit, 3)} predicted (means){off}"
        )
    return lines


def size_table(summary: Summary, colours: Colours) -> Markup | None:
    """The sizes as a table, None where the cases are no volumes."""
    sizes = class_sizes(summary)
    if not sizes:
        return None
    rows: list[list[Content]] = [
        [
            class_cell(summary, found.class_id, colours),
            size_text(found.true, summary.unit, 3),
            size_text(found.predicted, summary.unit, 3),
            "no truth" if found.difference is None else share(found.difference),
        ]
        for found in sizes
    ]
    columns = [
        Column("Class"),
        Column("True volume", "mean over cases", True),
        Column("Predicted volume", "mean over cases", True),
        Column("Difference", "mean of |predicted - true| / true", True),
    ]
    return table(columns, rows, caption="Volumes")


def _sizes(case: CaseScores, class_id: int) -> tuple[float, float]:
    own, voxel = case.classes[class_id], math.prod(case.spacing)
    return (own.tp + own.fn) * voxel, (own.tp + own.fp) * voxel
