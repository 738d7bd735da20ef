"""Cases as points that lead to their pictures; the same case joined across predictions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from zlib import crc32

from markupsafe import Markup

from pixelwise.report.charts import linear_scale
from pixelwise.report.elements import Content, element
from pixelwise.report.wording import general, number

WIDTH = 720
ROW = 46
LEFT = 130
RIGHT = 24
RADIUS = 4.5
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's colours, told apart by everybody."""


MAX_DOTS = 1200
"""Cases that are drawn in one row; of more the extremes, the pictured and evenly many others."""

Marks = Mapping[str, tuple[float, float | None, float | None]]
"""Name of a row -> mean and interval."""


def drawn_cases(
    values: Sequence[tuple[str, float]], pictured: frozenset[str]
) -> Sequence[tuple[str, float]]:
    """The cases (id, value) that a chart draws: all, or of very many a choice."""
    if len(values) <= MAX_DOTS:
        return values
    ordered = sorted(values, key=lambda item: item[1])
    step = len(ordered) / MAX_DOTS
    places = {round(i * step) for i in range(MAX_DOTS)} | {len(ordered) - 1}
    return [item for i, item in enumerate(ordered) if i in places or item[0] in pictured]


def case_anchor(case_id: str) -> str:
    """The anchor of a case's picture; names that differ in signs only keep their own."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", case_id)
    return f"case-{plain}" if plain == case_id else f"case-{plain}-{crc32(case_id.encode()):08x}"


def dot_rows(
    rows: Mapping[str, Sequence[tuple[str, float | None]]],
    *,
    title: str,
    pictured: frozenset[str] = frozenset(),
    limits: tuple[float, float] | None = None,
    marks: Marks | None = None,
) -> Markup:
    """One row a name, one dot a case (id, value); dots of a case are joined between the rows.

    Dots of cases in `pictured` lead to their pictures. Cases without a value have no dot.
    marks: mean (a line) and interval (a band) of each row.
    """
    rows = _drawn_rows(rows, pictured)
    values = [v for row in rows.values() for _, v in row if v is not None]
    if not values:
        return element("p", "No case has a value.", class_="quiet")
    low, high = limits or (min(0.0, *values), max(values) or 1.0)
    scale = linear_scale([low, high], LEFT, WIDTH - RIGHT, 6)
    height = ROW * len(rows) + 30
    parts: list[Content] = [
        element("line", x1=scale.place(t), x2=scale.place(t), y1=8, y2=height - 24, class_="grid")
        for t in scale.ticks
    ]
    parts += [
        element("text", general(t), x=scale.place(t), y=height - 8, text_anchor="middle")
        for t in scale.ticks
    ]
    parts += _joins(list(rows.values()), scale.place)
    for i, (name, row) in enumerate(rows.items()):
        parts.append(element("text", name, x=LEFT - 12, y=_middle(i) + 4, text_anchor="end"))
        parts += _mark((marks or {}).get(name), _middle(i), scale.place)
        colour = COLOURS[i % len(COLOURS)]
        for case_id, value in row:
            if value is not None:
                dot = _dot(name, case_id, value, scale.place(value), _middle(i), colour)
                is_linked = case_id in pictured
                parts.append(
                    element("a", dot, href=f"#{case_anchor(case_id)}") if is_linked else dot
                )
    svg = element(
        "svg", element("title", title), *parts, viewBox=f"0 0 {WIDTH} {height}",
        role="group" if pictured else "img",
        class_="chart case-dots",
    )  # fmt: skip
    return element("figure", element("figcaption", title), svg, class_="plot")


def _drawn_rows(
    rows: Mapping[str, Sequence[tuple[str, float | None]]], pictured: frozenset[str]
) -> dict[str, Sequence[tuple[str, float | None]]]:
    """The same choice of cases in every row, so that joins stay."""
    first = [(case_id, v) for case_id, v in next(iter(rows.values())) if v is not None]
    if len(first) <= MAX_DOTS:
        return dict(rows)
    kept = {case_id for case_id, _ in drawn_cases(first, pictured)}
    return {name: [item for item in row if item[0] in kept] for name, row in rows.items()}


def _mark(
    mark: tuple[float, float | None, float | None] | None, y: int, place: Callable[[float], float]
) -> list[Content]:
    """The mean as an upright line, its interval as a band behind the dots."""
    if mark is None:
        return []
    mean, low, high = mark
    found: list[Content] = []
    if low is not None and high is not None:
        width = max(place(high) - place(low), 1)
        found.append(
            element("rect", x=f"{place(low):.1f}", y=y - 13, width=f"{width:.1f}", height=26,
                    class_="interval")
        )  # fmt: skip
    at = f"{place(mean):.1f}"
    return [*found, element("line", x1=at, x2=at, y1=y - 15, y2=y + 15, class_="mean")]


def _dot(name: str, case_id: str, value: float, x: float, y: float, colour: str) -> Markup:
    label = element("title", f"{case_id}, {name}: {number(value)}")
    return element(
        "circle", label, cx=f"{x:.1f}", cy=f"{y:.1f}", r=RADIUS, fill=colour, fill_opacity="0.75"
    )


def _joins(
    rows: Sequence[Sequence[tuple[str, float | None]]], place: Callable[[float], float]
) -> list[Content]:
    lines: list[Content] = []
    for i in range(len(rows) - 1):
        below = dict(rows[i + 1])
        for case_id, value in rows[i]:
            other = below.get(case_id)
            if value is None or other is None:
                continue
            lines.append(
                element(
                    "line", x1=f"{place(value):.1f}", x2=f"{place(other):.1f}", y1=_middle(i),
                    y2=_middle(i + 1), stroke="currentColor", stroke_opacity="0.25",
                )
            )  # fmt: skip
    return lines


def _middle(row: int) -> int:
    return 8 + ROW * row + ROW // 2
