"""Which metrics with which options: "dice", or "nsd:tolerance=2" with options."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pixelwise.core.errors import BadPlan, Problem
from pixelwise.core.registry import Entry
from pixelwise.metrics.conventions import with_canonical_convention
from pixelwise.metrics.pair import MaskPair
from pixelwise.metrics.registration import METRICS


@dataclass(frozen=True, slots=True)
class MetricChoice:
    """A metric with its options; `key` is the name it carries in tables."""

    key: str
    entry: Entry[Callable[..., float]]
    options: Mapping[str, Any] = field(default_factory=dict)

    def of(self, pair: MaskPair) -> float:
        """The metric of one class, NaN where it is undefined."""
        return float(self.entry.part(pair, **self.options))

    def fact(self, name: str) -> Any:
        """What was said about the metric at its registration."""
        return self.entry.facts[name]


def choose_metrics(
    texts: Sequence[Any], defaults: Mapping[str, Any] | None = None
) -> tuple[MetricChoice, ...]:
    """Metrics from texts such as "dice" or "nsd:tolerance=2;surface=mesh".

    `defaults` are given to every metric that has an option of that name.
    Raises BadPlan with everything that is wrong, all at once.
    """
    problems: list[Problem] = []
    choices = []
    wanted = with_canonical_convention(defaults or {})
    for text in texts:
        if not isinstance(text, str):
            problems.append(_no_text(text))
            continue
        name, _, tail = text.partition(":")
        given = with_canonical_convention(_parse_options(text, tail, problems)) if tail else {}
        options = _with_defaults(name, given, wanted)
        found = METRICS.check(name, options)
        problems += found
        if not found:
            choices.append(MetricChoice(text, METRICS.find(name), options))
    if problems:
        raise BadPlan(problems)
    return tuple(choices)


def _no_text(given: object) -> Problem:
    return Problem(
        f"a metric is given as {given!r}", "its name", 'Write for example "dice".',
        code="unknown-name",
    )  # fmt: skip


def _with_defaults(
    name: str, given: Mapping[str, Any], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    if not defaults or name not in METRICS.names():
        return dict(given)
    known = METRICS.find(name).options
    return {key: value for key, value in defaults.items() if key in known} | dict(given)


def _parse_options(text: str, tail: str, problems: list[Problem]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for part in filter(None, tail.split(";")):
        key, equals, value = part.partition("=")
        if not equals:
            problems.append(
                Problem(
                    f"metric {text!r} has the option {part!r} without a value",
                    "name:option=value;option=value",
                    "Write for example nsd:tolerance=2.",
                    code="bad-option",
                )
            )
            continue
        try:
            options[key.strip()] = json.loads(value)
        except ValueError:
            options[key.strip()] = value.strip()
    return options
