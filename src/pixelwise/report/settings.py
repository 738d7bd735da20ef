"""The plan with its reasons, the facts of the data, and the machine, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pixelwise.core.plan import Plan
from pixelwise.core.records import CaseFacts, Choice, Facts
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

GIVEN_BY_USER = "given with --"
"""How the fact of a choice begins that a person made, not the planner."""

MAX_SHAPES = 6
SECTION_NAMES = {
    "task": "Task",
    "data": "Data",
    "intensity": "Intensities",
    "network": "Network",
    "loss": "Loss",
    "sampling": "Patches",
    "augmentation": "Augmentation",
    "optimizer": "Optimizer",
    "training": "Training",
    "inference": "Prediction",
}


def plan_rows(plan: Plan) -> dict[str, list[tuple[str, str, Choice | None]]]:
    """Every setting by section: (field, value in words, the choice that set it or None)."""
    content = plan.model_dump(mode="json")
    chosen = {choice.field: choice for choice in plan.reasons}
    rows: dict[str, list[tuple[str, str, Choice | None]]] = {}
    for section in SECTION_NAMES:
        rows[section] = [
            (path, _setting_text(path, value, content), chosen.pop(path, None))
            for path, value in _leaves(section, content[section])
        ]
    for field, choice in chosen.items():
        section = field.partition(".")[0]
        if section in rows:
            rows[section].insert(0, (field, choice.value, choice))
    return rows


def is_changed(choice: Choice | None) -> bool:
    """Whether a person set this field."""
    return choice is not None and choice.fact.startswith(GIVEN_BY_USER)


def plan_table(plan: Plan) -> Markup:
    """The plan by section, each choice with its fact and reason; changed fields are marked."""
    columns = (Column("Setting"), Column("Value"), Column("Because"))
    tables = []
    for section, rows in plan_rows(plan).items():
        explained = [row for row in rows if row[2] is not None]
        others = [row for row in rows if row[2] is None]
        parts: list[Content] = [element("h3", SECTION_NAMES[section])]
        if explained:
            caption = f"{SECTION_NAMES[section]}: chosen for this data and machine"
            cells = [_plan_row(section, *row) for row in explained]
            parts.append(table(columns, cells, caption=caption, class_="plan"))
        if others:
            caption = f"{SECTION_NAMES[section]}: left at the default"
            plain = [_plan_row(section, *row)[:2] for row in others]
            rest = table(columns[:2], plain, caption=caption, class_="plan")
            parts.append(folded(f"{count(len(others), 'setting')} left at the default", rest))
        tables.append(element("div", *parts, class_="plan-section"))
    return joined(tables)


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


def environment_table(environment: Mapping[str, str]) -> Markup:
    """Versions and machine."""
    if not environment:
        return element("p", "Nothing was recorded about the machine.", class_="quiet")
    columns = (Column("What"), Column("Which"))
    return table(columns, environment.items(), caption="Versions and machine")


def value_text(value: Any) -> str:
    """A setting in words: yes and no, lists with ×, "not set" for nothing."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return general(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {value_text(v)}" for key, v in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(value_text(item) for item in value) or "none"
    return str(value)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    is_whole = path in ("data.splits", "data.labels.to_class")
    if isinstance(value, dict) and value and not is_whole:
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}", inner)
    elif value != {}:
        yield path, value


def _setting_text(path: str, value: Any, content: Mapping[str, Any]) -> str:
    field = path.rpartition(".")[2]
    if path == "data.classes":
        return ", ".join(f"{entry['id']} {entry['name']}" for entry in value)
    if path == "data.splits":
        return ", ".join(f"{split_name(split)} {len(ids)}" for split, ids in value.items())
    if path == "data.labels.to_class":
        names = {entry["id"]: entry["name"] for entry in content["data"]["classes"]}
        return ", ".join(f"{key} → {names.get(k, 'void')}" for key, k in value.items())
    if path == "data.labels.palette" and value is not None:
        return count(len(value), "colour")
    if field in ("patch", "tile", "halo") and isinstance(value, list):
        return shape_text(value) + " pixels"
    if field == "mirror_axes":
        names_of_axes = ("z", "y", "x")[-content["data"]["n_dims"] :]
        return ", ".join(names_of_axes[axis] for axis in value) or "none"
    if field == "pace":
        return f"fitted {count(len(value), 'time')}" if value else "never fitted"
    return value_text(value)


def _plan_row(section: str, path: str, text: str, choice: Choice | None) -> list[Content]:
    name = path.removeprefix(f"{section}.").removeprefix("options.").replace("_", " ")
    mark = element("span", "set by you", class_="tag you") if is_changed(choice) else None
    why: list[Content] = []
    if choice is not None:
        fact = choice.fact[:1].upper() + choice.fact[1:]
        why = [choice.reason, element("small", fact) if fact else None]
    head = element("span", name, mark, title=path)
    return [head, element("span", text, class_="value"), joined(why)]


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
    low, high = min(shapes, key=_extent), max(shapes, key=_extent)
    return shape_text(low) if low == high else f"{shape_text(low)} to {shape_text(high)}"


def _extent(shape: Sequence[int]) -> int:
    product = 1
    for length in shape:
        product *= length
    return product


def _class_shares(facts: Facts, colours: Colours) -> Markup:
    splits = [s for s in SPLIT_ORDER[::-1] if any(case.split == s for case in facts.cases)]
    columns = [Column("Class"), Column("Share of labelled pixels"), Column("In cases", "", True)]
    columns += [Column(split_name(s).capitalize(), "share there", True) for s in splits]
    rows: list[list[Content]] = []
    for entry in facts.classes:
        colour = colours.get(entry.id, PLAIN_COLOUR)
        cells: list[Content] = [
            joined([swatch(colour), entry.name]),
            bar(entry.share, share(entry.share), colour),
            f"{entry.n_cases} of {len(facts.cases)}",
        ]
        rows.append([*cells, *(_split_share(facts.cases, s, entry.id) for s in splits)])
    ignored = sum(case.n_ignored for case in facts.cases)
    total = ignored + sum(sum(case.class_pixels) for case in facts.cases)
    note = f"Void or outside the field of view: {share(ignored / total)} of all pixels."
    return joined(
        [
            table(columns, rows, caption="Classes"),
            element("p", note, class_="quiet") if total and ignored else None,
        ]
    )


def _split_share(cases: Sequence[CaseFacts], split: str, class_id: int) -> str:
    counts = [case.class_pixels for case in cases if case.split == split]
    total = sum(sum(c) for c in counts)
    found = sum(c[class_id] for c in counts if class_id < len(c))
    return share(found / total) if total else "no labels"


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
        rows.append([f"Channel {i}", *(_intensity(value) for value in numbers)])
    heads = ("Lowest", "0.5 %", "Mean", "Standard deviation", "99.5 %", "Highest")
    columns = [Column("Channel"), *(Column(head, "", True) for head in heads)]
    return table(columns, rows, caption="Stored intensities of the training images")


def _intensity(value: float) -> str:
    return number(value, 1) if 1 <= abs(value) < 1e6 else general(value)
