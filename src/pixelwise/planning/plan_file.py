"""Plans as files: read, changed with `--set`, checked with all problems at once, written."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from pixelwise.core.errors import BadPlan, Problem, raise_errors
from pixelwise.core.files import read_json, write_json
from pixelwise.core.plan import PLAN_FORMAT, Plan, network_input
from pixelwise.core.records import Choice
from pixelwise.core.registry import Registry, suggest
from pixelwise.losses import LOSSES
from pixelwise.networks import NETWORKS
from pixelwise.planning.loss_checks import check_loss
from pixelwise.planning.pins import Pins
from pixelwise.tasks import TASKS

REGISTRIES: Mapping[str, Registry[Any]] = {"network": NETWORKS, "loss": LOSSES, "task": TASKS}


def load_plan(path: Path) -> Plan:
    """Read and check a plan file. Raises BadPlan with everything that is wrong in it."""
    content = read_json(path)
    if not isinstance(content, dict) or "network" not in content:
        raise BadPlan(
            "it is not a plan",
            "a file that `pixelwise plan --out FILE` or a run wrote",
            "Make one with `pixelwise plan DATA --out FILE`.",
            path=path,
            code="no-plan",
        )
    version = content.get("format_version")
    if isinstance(version, int) and version > PLAN_FORMAT:
        raise BadPlan(
            f"its format is {version}",
            f"format {PLAN_FORMAT}",
            "It was made by a newer version: update pixelwise.",
            path=path,
            code="newer-plan",
        )
    return check_plan(content, str(path))


def save_plan(path: Path, plan: Plan) -> None:
    """Write a plan, whole or not at all."""
    write_json(path, plan.model_dump(mode="json"))


def change_plan(plan: Plan, settings: Iterable[str]) -> Plan:
    """A plan with `a.b=c` settings applied, checked as a whole.

    A setting that the planner has met already keeps the planner's own reason.

    Values are JSON (`true`, `12`, `[256, 256]`, `null`) or plain text. Raises BadPlan with
    every unknown field (with suggestions) and every impossible value.
    """
    content = plan.model_dump(mode="json")
    changed, problems = _parse_settings(settings)
    before = copy.deepcopy(content)
    for key, value in changed.items():
        problems += _put(content, key.split("."), value, key)
    if problems:
        try:
            check_plan(content, "")
        except BadPlan as error:
            problems += error.problems
        raise BadPlan(problems)
    explained = {choice["field"] for choice in content["reasons"]}
    moved = {
        key: value
        for key, value in changed.items()
        if key not in explained or _look_up(before, key) != value
    }
    kept = [c for c in content["reasons"] if c["field"] not in moved]
    content["reasons"] = kept + [
        Choice(
            field=key, value=json.dumps(value), fact="given with --set", reason="You asked for it."
        ).model_dump()
        for key, value in moved.items()
    ]
    return check_plan(content, "")


def read_pins(settings: Iterable[str]) -> Pins:
    """`a.b=c` settings as fields with values, not yet compared with any plan.

    Raises BadPlan with every setting that cannot be read.
    """
    values, problems = _parse_settings(settings)
    raise_errors(problems, BadPlan)
    return Pins(values)


def _parse_settings(settings: Iterable[str]) -> tuple[dict[str, Any], list[Problem]]:
    values: dict[str, Any] = {}
    problems = []
    for setting in settings:
        key, equals, text = setting.partition("=")
        if equals and key.strip():
            values[key.strip()] = _parse_value(text)
            continue
        problems.append(
            Problem(
                f"the setting {setting!r} cannot be read",
                "section.field=value, for example training.steps=200",
                "Write it without spaces around the equals sign.",
                code="bad-setting",
            )
        )
    return values, problems


def check_plan(content: Mapping[str, Any], path: str) -> Plan:
    """Build a plan from its stored form. Raises BadPlan with all problems at once."""
    problems: list[Problem] = []
    plan = None
    try:
        plan = Plan.model_validate(content)
    except ValidationError as error:
        problems += [_as_problem(entry, path) for entry in error.errors()]
    for section, registry in REGISTRIES.items():
        part = content.get(section)
        if isinstance(part, Mapping) and isinstance(part.get("name"), str):
            options = part.get("options") or {}
            found = registry.check(part["name"], options if isinstance(options, Mapping) else {})
            problems += [Problem(p.what, p.expected, p.remedy, path, code=p.code) for p in found]
    if plan is not None:
        problems += _check_dimensions(plan, path) + _check_targets(plan, path)
        problems += check_loss(plan, path)
    if problems or plan is None:
        raise BadPlan(problems)
    return plan


def _check_targets(plan: Plan, path: str) -> list[Problem]:
    """Whether labels, task and loss speak of the same: classes, or regions that may overlap."""
    kinds = {True: "regions", False: "classes"}
    wanted = kinds[plan.data.labels.holds_regions]
    problems = []
    for section, name in (("task", plan.task.name), ("loss", plan.loss.name)):
        registry = REGISTRIES[section]
        if name not in registry.names():
            continue
        given = _target_of(registry, name)
        if given != wanted:
            fitting = [n for n in registry.names() if _target_of(registry, n) == wanted]
            problems.append(
                Problem(
                    f"{section} {name} is for {given}, the masks hold {wanted}",
                    f"one of {', '.join(fitting)}",
                    f"Leave {section}.name to the planner, or take one of these.",
                    path,
                    code="other-targets",
                )
            )
    return problems


def _target_of(registry: Registry[Any], name: str) -> str:
    return str(registry.find(name).facts.get("targets", "classes"))


def _check_dimensions(plan: Plan, path: str) -> list[Problem]:
    n_dims, n_channels = plan.data.n_dims, plan.data.n_channels
    seen_dims, _ = network_input(plan)
    spacing = plan.geometry.spacing
    lengths = {
        "geometry.spacing": (len(spacing), n_dims if spacing else 0),
        "sampling.patch": (len(plan.sampling.patch), seen_dims),
        "inference.tile": (len(plan.inference.tile), seen_dims),
        "inference.halo": (len(plan.inference.halo), seen_dims),
        "intensity.centre": (len(plan.intensity.centre), n_channels),
        "intensity.scale": (len(plan.intensity.scale), n_channels),
        "intensity.low": (len(plan.intensity.low), n_channels),
        "intensity.high": (len(plan.intensity.high), n_channels),
    }
    problems = [
        Problem(
            f"{name} has {given} numbers",
            f"{wanted}: one per {'axis' if 'intensity' not in name else 'channel'}",
            "Correct their count.",
            path,
            code="bad-value",
        )
        for name, (given, wanted) in lengths.items()
        if given != wanted
    ]
    for name, axes, number in (
        ("augmentation.mirror_axes", plan.augmentation.mirror_axes, n_dims),
        ("augmentation.still_axis", _as_axes(plan.augmentation.still_axis), n_dims),
        ("geometry.nearest_axes", plan.geometry.nearest_axes, n_dims),
        ("geometry.slice_axis", _as_axes(plan.geometry.slice_axis), n_dims if n_dims == 3 else 0),
        ("inference.mirror_axes", plan.inference.mirror_axes, seen_dims),
    ):
        problems += [
            Problem(
                f"{name} holds {axis}",
                f"axes from 0 to {number - 1}" if number else "nothing: there are no slices in 2D",
                "Remove it.",
                path,
                code="bad-value",
            )
            for axis in axes
            if not 0 <= axis < number
        ]
    if any(scale <= 0 for scale in plan.intensity.scale):
        problems.append(
            Problem(
                f"intensity.scale is {list(plan.intensity.scale)}",
                "positive numbers",
                "Correct it.",
                path,
                code="bad-value",
            )
        )
    return problems


def _as_axes(axis: int | None) -> tuple[int, ...]:
    return () if axis is None else (axis,)


def _parse_value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _look_up(content: Mapping[str, Any], key: str) -> Any:
    place: Any = content
    for part in key.split("."):
        place = place.get(part) if isinstance(place, Mapping) else None
    return place


def _put(content: dict[str, Any], keys: list[str], value: Any, full: str) -> list[Problem]:
    place: Any = content
    for key in keys[:-1]:
        if not isinstance(place, dict) or key not in place:
            return [_unknown_field(full, content)]
        place = place[key]
    is_option = len(keys) == 3 and keys[1] == "options"
    if not isinstance(place, dict) or (keys[-1] not in place and not is_option):
        return [_unknown_field(full, content)]
    if len(keys) == 2 and keys[1] == "name" and place.get("name") != value:
        place["options"] = {}
    place[keys[-1]] = value
    return []


def _unknown_field(key: str, content: Mapping[str, Any]) -> Problem:
    known = [
        f"{section}.{field}"
        for section, fields in content.items()
        if isinstance(fields, dict)
        for field in fields
    ]
    return Problem(
        f"the plan has no field {key!r}",
        "section.field as in plan.json; options of a part as network.options.width",
        suggest(key, known) or "See `pixelwise plan DATA --json` for all fields.",
        code="unknown-field",
    )


def _as_problem(entry: Any, path: str) -> Problem:
    location = ".".join(str(part) for part in entry["loc"])
    if entry["type"] == "extra_forbidden":
        section = entry["loc"][:-1]
        model: Any = Plan
        for part in section:
            annotation = model.model_fields[part].annotation
            if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
                break
            model = annotation
        names = [".".join([*map(str, section), name]) for name in model.model_fields]
        return Problem(
            f"the plan has no field {location!r}",
            "a known field",
            suggest(location, names) or "Remove it.",
            path,
            code="unknown-field",
        )
    given = repr(entry.get("input"))
    shown = given if len(given) < 80 else given[:77] + "…"
    what = f"{location} is {shown}" if entry["type"] != "missing" else f"{location} is missing"
    expected = entry["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return Problem(what, expected[:1].lower() + expected[1:], "Correct it.", path, code="bad-value")
