"""The plan with its reasons, and the machine, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from pixelwise.core.plan import Plan
from pixelwise.core.records import Choice
from pixelwise.report.elements import Column, Content, element, folded, joined, table
from pixelwise.report.wording import (
    count,
    general,
    shape_text,
    split_name,
)

GIVEN_BY_USER = "given with --"
"""How the fact of a choice begins that a person made, not the planner."""

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
    """What was chosen, with fact and reason; what a person set is marked; the rest to unfold."""
    columns = (Column("Setting"), Column("Value"), Column("Because"))
    chosen: list[list[Content] | str] = []
    others: list[list[Content] | str] = []
    for section, rows in plan_rows(plan).items():
        explained = [_plan_row(section, *row) for row in rows if row[2] is not None]
        plain = [_plan_row(section, *row)[:2] for row in rows if row[2] is None]
        chosen += [SECTION_NAMES[section], *explained] if explained else []
        others += [SECTION_NAMES[section], *plain] if plain else []
    rest = table(columns[:2], others, caption="Settings that needed no decision", class_="plan")
    n_others = sum(not isinstance(row, str) for row in others)
    if not chosen:
        return joined([element("p", "The plan holds no reasons.", class_="quiet"), rest])
    caption = "Chosen for this data and this machine"
    return joined(
        [
            table(columns, chosen, caption=caption, class_="plan"),
            folded(f"The other {count(n_others, 'setting')}", rest, is_bulk=True),
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
