"""Tables of a data check: objects, intensities by split, drift, spacing, doubtful labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from markupsafe import Markup

from pixelwise.core.records import Facts
from pixelwise.data.set_exam import ObjectFacts
from pixelwise.data.split_drift import CaseDrift, SplitShift
from pixelwise.report.elements import Column, Content, element, folded, joined, table
from pixelwise.report.wording import SPLIT_ORDER, count, general, number, split_name

_MOST_ROWS = 20


class DoubtRow(Protocol):
    """A doubtful label as the table needs it."""

    @property
    def case(self) -> str: ...

    @property
    def split(self) -> str: ...

    @property
    def labelled(self) -> str: ...

    @property
    def believed(self) -> str: ...

    @property
    def score(self) -> float: ...

    @property
    def n_pixels(self) -> int: ...

    @property
    def corner(self) -> tuple[int, ...]: ...


def object_table(objects: Sequence[ObjectFacts], names: Mapping[int, str], unit: str) -> Markup:
    """How many objects of each class, how large and how thin."""
    if not objects:
        return element("p", "No object is labelled.", class_="quiet")
    rows: list[list[Content]] = [
        [
            names.get(found.class_id, str(found.class_id)),
            count(found.n_cases),
            count(found.n_objects),
            general(found.n_objects / found.n_cases),
            " / ".join(count(size) for size in found.size),
            number(found.thickness, 1),
        ]
        for found in objects
    ]
    columns = (
        Column("Class"),
        Column("In cases", "", True),
        Column("Objects", "connected", True),
        Column("Per case", "where it is", True),
        Column("Size", "pixels: smallest / median / largest", True),
        Column("Thickness", "pixels, median", True),
    )
    note = (
        "Touching objects count as one. Thickness is twice the area by the length of the boundary: "
        "the radius of a disc, the width of a line."
    )
    return joined([table(columns, rows, caption="Objects"), element("p", note, class_="rule")])


def intensity_table(facts: Facts) -> Markup:
    """Mean, spread and range of each channel, split by split."""
    rows: list[Sequence[Content] | str] = []
    for index in range(len(facts.channels)):
        name = facts.channel_names[index] if facts.channel_names else f"Channel {index}"
        rows.append(name)
        for split in SPLIT_ORDER[::-1]:
            cases = [
                case for case in facts.cases if case.split == split and len(case.means) > index
            ]
            if not cases:
                continue
            means = np.array([case.means[index] for case in cases])
            stds = np.array([case.stds[index] for case in cases])
            known = [case.quantiles[index] for case in cases if len(case.quantiles) > index]
            known = [quantiles for quantiles in known if quantiles]
            low = np.median([quantiles[0] for quantiles in known]) if known else np.nan
            high = np.median([quantiles[-1] for quantiles in known]) if known else np.nan
            rows.append(
                [
                    split_name(split).capitalize(),
                    count(len(cases)),
                    general(float(means.mean())),
                    general(float(means.std())),
                    general(float(stds.mean())),
                    f"{general(float(low))} to {general(float(high))}",
                ]
            )
    columns = (
        Column("Split"),
        Column("Cases", "", True),
        Column("Mean", "", True),
        Column("Spread of means", "between images", True),
        Column("Spread", "within images", True),
        Column("Range", "0.5 to 99.5 %, median image", True),
    )
    return table(columns, rows, caption="Intensities of each channel by split")


def drift_tables(drifts: Sequence[CaseDrift], shifts: Sequence[SplitShift]) -> Markup:
    """How far splits are from training, and the images that are farthest."""
    parts: list[Content] = []
    if shifts:
        rows: list[list[Content]] = [
            [split_name(s.split).capitalize(), number(s.share), number(s.p)] for s in shifts
        ]
        columns = (
            Column("Split"),
            Column("Distance", "share of that between training images", True),
            Column("p", "by chance", True),
        )
        parts.append(table(columns, rows, caption="Distance of whole splits from training"))
    if drifts:
        ranked: list[list[Content]] = [
            [d.case, split_name(d.split), number(d.score, 2), d.by, d.nearest]
            for d in drifts[:_MOST_ROWS]
        ]
        heads = (
            Column("Case"),
            Column("Split"),
            Column("Drift", "1: usual for training images", True),
            Column("By"),
            Column("Nearest training image"),
        )
        parts.append(table(heads, ranked, caption="Images, the strangest first"))
    if not parts:
        few = "There are too few training images to say what is usual."
        parts.append(element("p", few, class_="quiet"))
    return joined(parts)


def place_table(facts: Facts) -> Markup | None:
    """Spacings and orientations as the files state them, where they do."""
    found = Counter(
        (case.spacing, case.orientation) for case in facts.cases if case.spacing or case.orientation
    )
    if not found:
        return None
    rows: list[list[Content]] = [
        [
            " x ".join(general(step) for step in spacing) or "not stated",
            orientation or "not stated",
            count(n),
        ]
        for (spacing, orientation), n in found.most_common(_MOST_ROWS)
    ]
    axes = "z, y, x" if facts.n_dims == 3 else "y, x"
    columns = (
        Column("Spacing", f"{facts.unit}; {axes}"),
        Column("Orientation", "stored axes run towards"),
        Column("Cases", "", True),
    )
    return table(columns, rows, caption="Spacing and orientation, the most frequent first")


def doubt_table(doubts: Sequence[DoubtRow]) -> Markup:
    """Every doubtful label: where, what it is labelled, what the run takes it for."""
    rows: list[list[Content]] = [
        [
            doubt.case,
            split_name(doubt.split),
            ", ".join(map(str, reversed(doubt.corner))),
            doubt.labelled,
            doubt.believed,
            count(doubt.n_pixels),
            number(doubt.score, 2),
        ]
        for doubt in doubts
    ]
    columns = (
        Column("Case"),
        Column("Split"),
        Column("Corner", "x, y[, z]"),
        Column("Labelled"),
        Column("Looks like"),
        Column("Pixels", "", True),
        Column("Doubt", "0 to 1", True),
    )
    whole = table(columns, rows, caption="Doubtful labels, the most doubtful first")
    return whole if len(rows) <= _MOST_ROWS else folded(f"All {len(rows)} places", whole)
