"""What was known of the data before anything was trained: masks, cases, classes, intensities."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from pixelwise.arrays.region_bits import members
from pixelwise.core.case import IGNORE
from pixelwise.core.plan import ClassEntry, LabelSection, Plan
from pixelwise.core.records import CaseFacts, Facts
from pixelwise.report.charts import bar
from pixelwise.report.elements import Column, Content, element, folded, joined, swatch, table
from pixelwise.report.scores import PLAIN_COLOUR, Colours
from pixelwise.report.wording import (
    SPLIT_ORDER,
    count,
    general,
    number,
    shape_text,
    share,
    split_name,
)

MAX_SHAPES = 6
MAX_VALUES = 16
STORED_NAMES = {
    "values": "Value in the mask",
    "colours": "Colour in the mask",
    "polygons": "Name of the polygon",
}


def facts_tables(facts: Facts, colours: Colours) -> Markup:
    """What was known of the data: cases, sizes, classes, intensities."""
    return joined(
        [
            _cases_table(facts),
            _class_shares(facts, colours),
            _shapes_table(facts.cases),
            _channels_table(facts),
        ]
    )


def label_table(plan: Plan) -> Markup:
    """What the stored values, colours or names of the masks were taken for."""
    labels = plan.data.labels
    entries = {entry.id: entry for entry in plan.data.classes}
    rows: list[list[Content]] = []
    for stored, class_id in labels.to_class.items():
        meaning = element("span", "void: not trained on, not scored", class_="quiet")
        if class_id != IGNORE and labels.holds_regions:
            meaning = _regions_of(class_id, labels, entries)
        elif class_id in entries:
            meaning = joined([swatch(entries[class_id].colour), entries[class_id].name])
        is_colour = labels.kind == "colours"
        rows.append([joined([swatch(stored) if is_colour else None, stored]), meaning])
    if labels.threshold is not None:
        at = general(labels.threshold)
        note = (
            f"Stored values from {at} on were taken for the second class, lower ones for the first."
        )
        return element("p", note, class_="rule")
    columns = (Column(STORED_NAMES[labels.kind]), Column("Class"))
    whole = table(columns, rows, caption="What the masks mean")
    if len(rows) <= MAX_VALUES:
        return whole
    return folded(f"What the {count(len(rows), 'value')} in the masks mean", whole)


def _regions_of(value: int, labels: LabelSection, entries: Mapping[int, ClassEntry]) -> Markup:
    """The regions that a stored value stands for; with a mask each, inside or outside."""
    if labels.folders:
        return element("span", "inside the region" if value else "outside the region")
    found = [entries[region] for region in members(value) if region in entries]
    if not found:
        return element("span", "outside all regions", class_="quiet")
    parts = [joined([swatch(entry.colour), entry.name, " "]) for entry in found]
    return joined(parts)


def _cases_table(facts: Facts) -> Markup:
    splits = [s for s in SPLIT_ORDER[::-1] if facts.n_cases.get(s)]
    splits += [s for s in facts.n_cases if s not in splits and facts.n_cases[s]]
    rows = [
        [split_name(s).capitalize(), count(facts.n_cases[s]), _sizes_of(facts.cases, s)]
        for s in splits
    ]
    columns = (Column("Split"), Column("Cases", "", True), Column("Sizes", "pixels"))
    return table(columns, rows, caption="Cases by split")


def _sizes_of(cases: Sequence[CaseFacts], split: str) -> str:
    shapes = {case.shape for case in cases if case.split == split}
    if not shapes:
        return "not listed"
    low, high = min(shapes, key=math.prod), max(shapes, key=math.prod)
    return shape_text(low) if low == high else f"{shape_text(low)} to {shape_text(high)}"


def _class_shares(facts: Facts, colours: Colours) -> Markup:
    labelled = [case for case in facts.cases if case.n_counted]
    splits = [s for s in SPLIT_ORDER[::-1] if any(case.split == s for case in labelled)]
    columns = [Column("Class"), Column("Share of labelled pixels"), Column("In cases", "", True)]
    columns += [Column(split_name(s).capitalize(), "share there", True) for s in splits]
    rows: list[list[Content]] = []
    for entry in facts.classes:
        colour = colours.get(entry.id, PLAIN_COLOUR)
        whole = _class_share(labelled, entry.id)
        n_cases = sum(case.class_pixels[entry.id] > 0 for case in labelled)
        cells: list[Content] = [
            element("span", swatch(colour), element("span", entry.name), class_="class-name"),
            bar(whole, share(whole), colour),
            f"{n_cases} of {len(labelled)}",
        ]
        parts = ([case for case in labelled if case.split == s] for s in splits)
        rows.append([*cells, *(share(_class_share(part, entry.id)) for part in parts)])
    ignored = sum(case.n_ignored for case in facts.cases)
    total = ignored + sum(case.n_counted for case in facts.cases)
    note = f"Void or outside the field of view: {share(ignored / max(total, 1))} of all pixels."
    return joined(
        [
            table(columns, rows, caption="Classes"),
            element("p", note, class_="rule") if ignored else None,
        ]
    )


def _class_share(cases: Sequence[CaseFacts], class_id: int) -> float:
    total = sum(case.n_counted for case in cases)
    return sum(case.class_pixels[class_id] for case in cases) / max(total, 1)


def _shapes_table(cases: Sequence[CaseFacts]) -> Markup:
    found = Counter((case.shape, case.n_channels, case.dtype) for case in cases)
    rows = [
        [shape_text(shape), str(n_channels), dtype, count(n)]
        for (shape, n_channels, dtype), n in found.most_common(MAX_SHAPES)
    ]
    rest = found.total() - sum(n for _, n in found.most_common(MAX_SHAPES))
    if rest:
        sizes = count(len(found) - MAX_SHAPES, "other size")
        rows.append([sizes, "", "", count(rest)])
    columns = (
        Column("Size", "pixels"),
        Column("Channels", "", True),
        Column("Stored as"),
        Column("Cases", "", True),
    )
    return table(columns, rows, caption="Image sizes, the most frequent first")


def _channels_table(facts: Facts) -> Markup:
    rows = []
    for i, channel in enumerate(facts.channels):
        numbers = (
            channel.minimum,
            channel.percentile_005,
            channel.mean,
            channel.std,
            channel.percentile_995,
            channel.maximum,
        )
        name = facts.channel_names[i] if facts.channel_names else f"Channel {i}"
        rows.append([name, *(_intensity(value) for value in numbers)])
    heads = ("Lowest", "0.5 %", "Mean", "Standard deviation", "99.5 %", "Highest")
    columns = [Column("Channel"), *(Column(head, "", True) for head in heads)]
    return table(columns, rows, caption="Stored intensities of the training images")


def _intensity(value: float) -> str:
    return number(value, 1) if 1 <= abs(value) < 1e6 else general(value)
