"""What differs between two plans: field by field, with the reason that each of them gives."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pixelwise.core.plan import Plan

_NOT_COMPARED = ("reasons", "format_version")
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of the plan with its value in both, as text; a reason is "" where none is stored."""

    field: str
    first: str
    second: str
    first_reason: str = ""
    second_reason: str = ""


def diff_plans(first: Plan, second: Plan) -> tuple[Difference, ...]:
    """Every field in which two plans differ, in the order of the plan; () if they train alike.

    A field that only one of them has (an option of another network) is "not there" in the other.
    Long lists, as those of cases, are told by what only one of them holds.
    """
    one = dict(_leaves("", first.model_dump(mode="json", exclude=set(_NOT_COMPARED))))
    other = dict(_leaves("", second.model_dump(mode="json", exclude=set(_NOT_COMPARED))))
    reasons = [_reasons(first), _reasons(second)]
    missing = object()
    found = []
    for field in [*one, *(key for key in other if key not in one)]:
        a, b = one.get(field, missing), other.get(field, missing)
        if a == b:
            continue
        text_a, text_b = ("not there" if value is missing else _text(value) for value in (a, b))
        if isinstance(a, list) and isinstance(b, list) and max(len(text_a), len(text_b)) > _LONGEST:
            text_a, text_b = _only(a, b), _only(b, a)
        found.append(Difference(field, text_a, text_b, *(_reason(r, field) for r in reasons)))
    return tuple(found)


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(f"{prefix}.{key}" if prefix else str(key), inner)
    elif not isinstance(value, Mapping):
        yield prefix, value


def _reasons(plan: Plan) -> dict[str, str]:
    return {choice.field: f"{choice.fact}: {choice.reason}" for choice in plan.reasons}


def _reason(reasons: Mapping[str, str], field: str) -> str:
    """The reason of a field, or of its section's choice where one stands for several fields."""
    if field in reasons:
        return reasons[field]
    if field.startswith("network.options"):
        return reasons.get("network.name", "")
    return ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _only(values: list[Any], others: list[Any]) -> str:
    known = {_text(value) for value in others}
    own = [_text(value) for value in values if _text(value) not in known]
    if not own:
        return f"{len(values)} entries, all of them in the other one too"
    shown = ", ".join(own[:3]) + (" …" if len(own) > 3 else "")
    return f"{len(values)} entries, {len(own)} only here: {shown}"
