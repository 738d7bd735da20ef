"""A plan's expected cost for a terminal: bars of time and memory, networks that were measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from pixelwise.core.quantities import format_bytes, format_duration
from pixelwise.planning.candidate import Measurement
from pixelwise.planning.plan_diff import Difference

_CELLS = 50
"""Characters of a bar."""


class _Time(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def seconds(self) -> float: ...


class _Memory(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def n_bytes(self) -> int: ...


class PlannedCost(Protocol):
    """What `pixelwise plan` knows of the cost of a training."""

    @property
    def measurement(self) -> Measurement: ...

    @property
    def considered(self) -> Sequence[tuple[str, Measurement]]: ...

    @property
    def expected_steps(self) -> int: ...

    @property
    def times(self) -> Sequence[_Time]: ...

    @property
    def memory(self) -> Sequence[_Memory]: ...


def plan_lines(cost: PlannedCost) -> list[str]:
    """Measured networks, then time and memory as bars with their parts."""
    lines = [""]
    if len(cost.considered) > 1:
        lines.append("Measured on this machine:")
        lines += [
            f"  {name}: {found.step_seconds:.2f} s a step, {format_bytes(found.training_bytes)}"
            for name, found in cost.considered
        ]
        lines.append("")
    measured = cost.measurement
    lines.append(
        f"{measured.n_parameters:,} weights, {measured.step_seconds:.2f} s a step, about "
        f"{cost.expected_steps:,} steps"
    )
    seconds = [(part.name, part.seconds, format_duration(part.seconds)) for part in cost.times]
    n_bytes = [(part.name, part.n_bytes, format_bytes(part.n_bytes)) for part in cost.memory]
    total_time = format_duration(sum(part.seconds for part in cost.times))
    total_memory = format_bytes(sum(part.n_bytes for part in cost.memory))
    lines += bar_lines(f"Expected time: {total_time}", seconds)
    lines += bar_lines(f"Expected memory at the peak: {total_memory}", n_bytes)
    return lines


def bar_lines(title: str, parts: Sequence[tuple[str, float, str]]) -> list[str]:
    """A title, then a line for each part: its name, its place in the whole as a bar, its amount."""
    total = sum(amount for _, amount, _ in parts) or 1.0
    width = max(len(name) for name, _, _ in parts)
    lines, before = [title], 0.0
    for name, amount, text in parts:
        start = round(_CELLS * before / total)
        end = max(round(_CELLS * (before + amount) / total), start + 1 if amount > 0 else start)
        bar = " " * start + "█" * (end - start)
        lines.append(f"  {name:<{width}}  {bar:<{_CELLS + 1}} {text}")
        before += amount
    return lines


def difference_table(differences: Sequence[Difference], names: tuple[str, str]) -> Table:
    """Fields in which two plans differ, both values, and the reasons that the plans give."""
    made = Table(box=SIMPLE_HEAD)
    for head in ("field", *names, "because"):
        made.add_column(Text(head), overflow="fold")
    for found in differences:
        reasons = dict.fromkeys(text for text in (found.first_reason, found.second_reason) if text)
        made.add_row(*(Text(t) for t in (found.field, found.first, found.second)),
                     Text(" / ".join(reasons)))  # fmt: skip
    return made
