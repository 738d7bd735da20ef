"""What a user asks for in words (metrics, a convention, a tolerance) as explicit metric texts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pixelwise.core.errors import BadPlan, Problem
from pixelwise.core.registry import Option
from pixelwise.evaluation.empty_rules import OURS
from pixelwise.metrics.choices import choose_metrics
from pixelwise.metrics.conventions import with_canonical_convention
from pixelwise.metrics.registration import METRICS

BOUNDARY_METRIC = "nsd"
"""Computed where a boundary tolerance is given and no metric of the list knows one."""


def explicit_metrics(
    metrics: Sequence[str], *, convention: str = OURS, tolerance: float | None = None
) -> tuple[str, ...]:
    """Metrics with convention and tolerance written into their names, so that tables say them.

    Both go to every metric that knows them and does not name its own; with a tolerance, nsd
    is added if no metric knows one. Raises BadPlan with everything that is wrong, also if
    no metric of the list has a rule of that convention.
    """
    convention = with_canonical_convention({"convention": convention})["convention"]
    if tolerance is not None and not (math.isfinite(tolerance) and tolerance >= 0):
        raise BadPlan(
            f"the boundary tolerance is {tolerance}",
            "a number of at least 0 in the unit of the spacing, or auto",
            "Take the spread between human annotators.",
            code="bad-tolerance",
        )
    texts = [text.strip() for text in metrics if text.strip()]
    if not texts:
        raise BadPlan("no metric is named", "one or more", _KNOWN, code="no-metric")
    unknown = [text for text in texts if text.partition(":")[0] not in METRICS.names()]
    if unknown:
        raise BadPlan([METRICS.unknown(text.partition(":")[0]) for text in unknown])
    if tolerance is not None and not any(_option(text, "tolerance") for text in texts):
        texts.append(BOUNDARY_METRIC)
    explicit = [_explicit(text, convention, tolerance) for text in texts]
    if convention != OURS and explicit == [_explicit(text, OURS, tolerance) for text in texts]:
        raise BadPlan(_no_convention(convention))
    choose_metrics(explicit)
    return tuple(dict.fromkeys(explicit))


_KNOWN = "`pixelwise evaluate --help` lists them."


def _explicit(text: str, convention: str, tolerance: float | None) -> str:
    added = []
    if tolerance is not None and _option(text, "tolerance") and "tolerance=" not in text:
        added.append(f"tolerance={tolerance:g}")
    option = _option(text, "convention")
    is_free = "convention=" not in text and convention != OURS
    if option is not None and is_free and option.accepts(convention):
        added.append(f"convention={convention}")
    if not added:
        return text
    return f"{text}{';' if ':' in text else ':'}{';'.join(added)}"


def _option(text: str, name: str) -> Option | None:
    return METRICS.find(text.partition(":")[0]).options.get(name)


def _no_convention(convention: str) -> Problem:
    known: set[str] = set()
    for name in METRICS.names():
        option = METRICS.find(name).options.get("convention")
        known |= set(getattr(option.annotation, "__args__", ())) if option is not None else set()
    return Problem(
        f"no metric that was asked for has a convention called {convention!r}",
        f"one of {', '.join(sorted(known))}",
        "Conventions of single metrics are named like hd95:convention=medpy.",
        code="unknown-convention",
    )
