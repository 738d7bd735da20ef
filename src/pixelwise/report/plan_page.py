"""A plan before anything is trained: time and memory drawn, every choice with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from markupsafe import Markup

from pixelwise.core.files import write_text
from pixelwise.core.plan import Plan
from pixelwise.core.quantities import format_bytes, format_duration
from pixelwise.planning.candidate import Measurement
from pixelwise.report.elements import Column, Content, element, joined, table
from pixelwise.report.overview import note_list
from pixelwise.report.page import Section, render_page
from pixelwise.report.settings import environment_table, plan_table

COLOURS = ("#8a8f98", "#3569b0", "#d08c2e", "#4c9f70", "#a05195")
"""Of the parts of a bar, in their order."""

_WIDTH, _BAR = 720, 26


@dataclass(frozen=True, slots=True)
class CostPart:
    """A share of time or memory: what for, how much, and how much as people write it."""

    name: str
    amount: float
    text: str


@dataclass(frozen=True, slots=True)
class PlanContent:
    """What the page of a plan is made from.

    free_bytes: memory that is free here, None if unknown. considered: networks that were
    measured, with the number of steps that each would get.
    """

    title: str
    plan: Plan
    times: Sequence[tuple[str, float]]
    memory: Sequence[tuple[str, int]]
    measurement: Measurement
    n_steps: int
    version: str
    free_bytes: int | None = None
    considered: Sequence[tuple[str, Measurement]] = ()
    probe_seconds: float = 0.0
    notes: Sequence[str] = ()


def time_parts(times: Sequence[tuple[str, float]]) -> list[CostPart]:
    """Shares of the time with their text."""
    return [CostPart(name, seconds, format_duration(seconds)) for name, seconds in times]


def memory_parts(memory: Sequence[tuple[str, int]]) -> list[CostPart]:
    """Shares of the memory with their text."""
    return [CostPart(name, n_bytes, format_bytes(n_bytes)) for name, n_bytes in memory]


def write_plan_page(path: Path, content: PlanContent) -> None:
    """Write a plan as one self-contained HTML page. Raises BadOutput."""
    write_text(path, render_plan_page(content))


def render_plan_page(content: PlanContent) -> str:
    """The page of a plan as HTML text."""
    sections = [
        Section("cost", "Expected time and memory", _cost(content)),
        Section("choices", "Choices", plan_table(content.plan)),
    ]
    if content.considered:
        sections.insert(1, Section("measured", "Measured here", _considered(content)))
    if content.plan.origin.machine:
        machine = environment_table(dict(content.plan.origin.machine))
        sections.append(Section("machine", "Made on", machine))
    return render_page(
        content.title,
        sections,
        created=datetime.now(UTC),
        version=content.version,
        kind="Plan",
    )


def cost_bar(parts: Sequence[CostPart], *, title: str, limit: tuple[float, str] | None) -> Markup:
    """Parts side by side in one bar with a legend; limit: a mark at an amount, and what it is."""
    total = sum(part.amount for part in parts)
    most = max(total, limit[0] if limit and limit[0] < 3 * total else 0.0) or 1.0
    shapes: list[Content] = []
    x = 0.0
    for index, part in enumerate(parts):
        width = _WIDTH * part.amount / most
        colour = COLOURS[index % len(COLOURS)]
        label = element("title", f"{part.name}: {part.text}")
        shapes.append(
            element(
                "rect", label, x=f"{x:.1f}", y=0, width=f"{max(width, 0.5):.1f}", height=_BAR,
                fill=colour,
            )
        )  # fmt: skip
        x += width
    if limit is not None and limit[0] <= most:
        at = _WIDTH * limit[0] / most
        mark = element("title", limit[1])
        shapes.append(
            element(
                "line", mark, x1=f"{at:.1f}", x2=f"{at:.1f}", y1=-4, y2=_BAR + 4,
                stroke="currentColor", stroke_width=2,
            )
        )  # fmt: skip
    for index, part in enumerate(parts):
        y = _BAR + 20 + 18 * index
        colour = COLOURS[index % len(COLOURS)]
        shapes.append(element("rect", x=0, y=y - 10, width=12, height=12, fill=colour))
        text = f"{part.name}: {part.text}"
        shapes.append(element("text", text, x=20, y=y, fill="currentColor", font_size=13))
    height = _BAR + 16 + 18 * len(parts)
    svg = element(
        "svg",
        element("title", title),
        *shapes,
        viewBox=f"0 -6 {_WIDTH} {height + 6}",
        role="img",
        width="100%",
    )
    return element("figure", element("figcaption", title), svg)


def _cost(content: PlanContent) -> Markup:
    seconds = sum(amount for _, amount in content.times)
    n_bytes = sum(amount for _, amount in content.memory)
    free = content.free_bytes
    limit = None if free is None else (float(free), f"{format_bytes(free)} are free")
    sentence = (
        f"About {content.n_steps:,} steps of {content.measurement.step_seconds:.2f} s, "
        f"{format_duration(seconds)} in all, and at most {format_bytes(n_bytes)} of memory"
        + ("." if free is None else f" of the {format_bytes(free)} that are free.")
    )
    time_title = f"Time: {format_duration(seconds)}"
    memory_title = f"Memory at the peak: {format_bytes(n_bytes)}"
    return joined(
        [
            element("p", sentence),
            note_list(list(content.notes)) if content.notes else None,
            cost_bar(time_parts(content.times), title=time_title, limit=None),
            cost_bar(memory_parts(content.memory), title=memory_title, limit=limit),
        ]
    )


def _considered(content: PlanContent) -> Markup:
    columns = (
        Column("Network and batch"),
        Column("Weights", is_number=True),
        Column("A step", is_number=True),
        Column("Memory of a step", is_number=True),
        Column("Arithmetic"),
    )
    rows: list[list[Content] | str] = [
        [
            name,
            f"{found.n_parameters:,}",
            format_duration(found.step_seconds),
            format_bytes(found.training_bytes),
            f"{found.precision}, {found.memory_format}",
        ]
        for name, found in content.considered
    ]
    spent = element("p", f"Measuring took {format_duration(content.probe_seconds)}.")
    return joined([spent, table(columns, rows, caption="Networks that were measured")])
