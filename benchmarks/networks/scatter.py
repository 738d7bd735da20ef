"""Named dots over a logarithmic axis, as one SVG file that follows light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 460, 380
LEFT, RIGHT, TOP, BOTTOM = 44, 104, 30, 44
_LINE = 12
_STYLE = """
text{font:11px system-ui,sans-serif;fill:#333}.t{font-weight:600;font-size:13px}
.g{stroke:#ccc}.d{fill:#2563a8;fill-opacity:.55;stroke:#2563a8}.l{stroke:#999}
@media(prefers-color-scheme:dark){text{fill:#ddd}.g{stroke:#444}.d{fill:#7fb3ea;stroke:#7fb3ea}}
"""


@dataclass(frozen=True)
class Dot:
    """A named value; x is positive, the dot's area grows with the logarithm of size."""

    x: float
    y: float
    size: float
    label: str


@dataclass(frozen=True)
class Panel:
    """One plot of the figure."""

    title: str
    dots: Sequence[Dot]


def draw(panels: Sequence[Panel], *, x_label: str) -> str:
    """The panels side by side."""
    parts = [_draw_panel(panel, x_label, index * WIDTH) for index, panel in enumerate(panels)]
    width = WIDTH * len(panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" '
        f'width="{width}" height="{HEIGHT}" role="img"><style>{_STYLE}</style>'
        + "\n".join(parts)
        + "</svg>\n"
    )


def _draw_panel(panel: Panel, x_label: str, offset: int) -> str:
    low, high = _decades([dot.x for dot in panel.dots])
    bottom, top, step = _range([dot.y for dot in panel.dots])

    def across(value: float) -> float:
        share = (math.log10(value) - low) / (high - low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def up(value: float) -> float:
        return HEIGHT - BOTTOM - (value - bottom) / (top - bottom) * (HEIGHT - TOP - BOTTOM)

    parts = [f'<g transform="translate({offset} 0)">', _text(LEFT, 18, panel.title, "t")]
    for index in range(round((top - bottom) / step) + 1):
        value = bottom + index * step
        height = up(value)
        parts.append(_line(LEFT, height, WIDTH - RIGHT, height, "g"))
        parts.append(_text(LEFT - 6, height + 4, f"{value:.1f}", anchor="end"))
    for value in _ticks(low, high):
        place = across(value)
        parts.append(_line(place, TOP, place, HEIGHT - BOTTOM, "g"))
        parts.append(_text(place, HEIGHT - BOTTOM + 16, f"{value:g}", anchor="middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(_text(middle, HEIGHT - 8, x_label, anchor="middle"))
    names = _spread([up(dot.y) for dot in panel.dots])
    for dot, name_height in zip(panel.dots, names, strict=True):
        x, y = across(dot.x), up(dot.y)
        radius = 1.5 * math.sqrt(max(1.0, math.log10(dot.size)))
        edge = WIDTH - RIGHT + 6
        parts.append(_line(x + radius, y, edge, name_height - 4, "l"))
        parts.append(
            f'<circle class="d" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"><title>'
            f"{escape(dot.label)}: {dot.y:.3f}, {dot.x:.0f} ms, {dot.size:,} parameters"
            "</title></circle>"
        )
        parts.append(_text(edge + 2, name_height, dot.label))
    return "\n".join([*parts, "</g>"])


def _spread(heights: Sequence[float]) -> list[float]:
    """Heights of the names: those of the dots, moved apart so that no two overlap."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    placed = [0.0] * len(heights)
    free = -math.inf
    for index in order:
        placed[index] = max(heights[index] + 4, free)
        free = placed[index] + _LINE
    excess = free - _LINE - (HEIGHT - BOTTOM + 8)
    if excess > 0:
        limit = math.inf
        for index in reversed(order):
            placed[index] = min(placed[index], HEIGHT - BOTTOM + 8, limit)
            limit = placed[index] - _LINE
    return placed


def _decades(values: Sequence[float]) -> tuple[float, float]:
    low, high = math.log10(min(values)), math.log10(max(values))
    return low - 0.1, max(high, low + 0.3) + 0.1


def _ticks(low: float, high: float) -> list[float]:
    whole = range(math.floor(low), math.ceil(high) + 1)
    values = [factor * 10.0**power for power in whole for factor in (1, 2, 5)]
    return [value for value in values if low <= math.log10(value) <= high]


def _range(values: Sequence[float]) -> tuple[float, float, float]:
    """Bottom, top and step of an axis in tenths."""
    bottom = math.floor(min(values) * 10 - 0.01) / 10
    top = math.ceil(max(values) * 10 + 0.01) / 10
    return bottom, max(top, bottom + 0.1), 0.1


def _text(x: float, y: float, text: str, kind: str = "", *, anchor: str = "start") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{mark}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
