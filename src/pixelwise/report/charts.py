"""Charts as inline SVG: they take their colours from the page, so they follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pixelwise.report.elements import Content, element
from pixelwise.report.wording import general

WIDTH, HEIGHT = 360, 214
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 40
MAX_MARKERS = 60
LOG_FROM_RATIO = 30
"""A curve whose largest value is more than this many times its smallest gets a log axis."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a curve, with what is shown when the pointer rests on it."""

    x: float
    y: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """A value on a strip, with the name shown when the pointer rests on it, and where it leads."""

    value: float
    label: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers to positions on one axis, with the ticks that fit it."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    is_log: bool = False

    def place(self, value: float) -> float:
        """The position of a value."""
        low, high, at = self.low, self.high, value
        if self.is_log:
            low, high, at = math.log10(low), math.log10(high), math.log10(value)
        return self.start + (at - low) / (high - low) * (self.end - self.start)


def line_chart(
    points: Sequence[Point],
    *,
    title: str,
    x_label: str,
    x_note: Callable[[float], str] = lambda _: "",
    limits: tuple[float, float] | None = None,
    may_be_log: bool = False,
    x_end: float = 0.0,
) -> Markup:
    """One curve in a figure of its own; the title says what it is, in words for everyone.

    limits fixes the y axis, otherwise it fits the values. x_note gives the second line
    below a tick. x_end: how far the x axis reaches at least. Points that are not finite
    are left out.
    """
    kept = [p for p in points if math.isfinite(p.x) and math.isfinite(p.y)]
    if not kept:
        return _figure(title, element("p", "There is nothing to draw.", class_="quiet"))
    x = linear_scale([0, max(x_end, *(p.x for p in kept))], LEFT, WIDTH - RIGHT, 4, is_tight=True)
    y = _value_scale([p.y for p in kept], limits, may_be_log)
    parts = [*_rows(y), *_columns(x, x_label, x_note), *_curve(kept, x, y)]
    text = f"{title}: from {general(kept[0].y)} to {general(kept[-1].y)} at {kept[-1].label}"
    svg = element(
        "svg",
        element("title", text),
        *parts,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        class_="chart",
    )
    return _figure(title, svg)


def strip(
    dots: Sequence[Dot],
    *,
    limits: tuple[float, float],
    colour: str,
    label: str,
    mean: float | None = None,
    interval: tuple[float, float] | None = None,
) -> Markup:
    """Values on one line, a dot each, stacked where they meet; mean as a line, interval shaded.

    It takes the width of its place. Dots name themselves under the pointer.
    """
    low, high = limits
    span = (high - low) or 1.0

    def at(value: float) -> str:
        return f"{2 + 96 * (value - low) / span:.2f}%"

    shaded = None
    if interval is not None:
        width = 96 * (interval[1] - interval[0]) / span
        shaded = element(
            "rect", x=at(interval[0]), y=3, width=f"{width:.2f}%", height=34, class_="interval"
        )
    line = None
    if mean is not None:
        line = element("line", x1=at(mean), x2=at(mean), y1=3, y2=37, class_="mean")
    heights = _stack([(dot.value - low) / span for dot in dots])
    circles = [_dot(dot, at(dot.value), height) for dot, height in zip(dots, heights, strict=True)]
    return element(
        "svg",
        element("title", label),
        shaded,
        element("line", x1="2%", x2="98%", y1=20, y2=20, class_="axis"),
        line,
        element("g", *circles, fill=colour, class_="dots"),
        role="group" if any(dot.href for dot in dots) else "img",
        class_="strip",
    )


def _dot(dot: Dot, x: str, height: float) -> Markup:
    circle = element("circle", element("title", dot.label), cx=x, cy=f"{height:.1f}", r=3.2)
    return element("a", circle, href=dot.href, aria_label=dot.label) if dot.href else circle


def strip_axis(limits: tuple[float, float]) -> Markup:
    """The numbers below a stack of strips."""
    scale = linear_scale(list(limits), 2, 98, 5, is_tight=True)
    labels = [
        element("text", general(tick), x=f"{scale.place(tick):.2f}%", y=12, text_anchor="middle")
        for tick in scale.ticks
    ]
    return element("svg", *labels, class_="strip-axis", aria_hidden="true")


def bar(value: float, label: str, colour: str) -> Markup:
    """A share from 0 to 1 as a bar with its label behind it."""
    fill = element("span", class_="fill", style=f"width:{100 * value:.2f}%;--swatch:{colour}")
    return element("span", element("span", fill, class_="track"), label, class_="bar")


def linear_scale(
    values: Sequence[float], start: float, end: float, n_ticks: int, *, is_tight: bool = False
) -> Scale:
    """A scale with round ticks; it ends at a tick unless `is_tight`."""
    low, high = min(values), max(values)
    if high <= low:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    step = round_step((high - low) / n_ticks)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [i * step for i in range(first, last + 1)]
    if is_tight:
        ticks = [tick for tick in ticks if low - 1e-9 <= tick <= high + 1e-9 * abs(high)]
    else:
        low, high = ticks[0], ticks[-1]
    return Scale(low, high, start, end, tuple(round(tick, 12) for tick in ticks))


def round_step(wanted: float) -> float:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten that is at least `wanted`."""
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= wanted * (1 - 1e-9))


def _value_scale(
    values: Sequence[float], limits: tuple[float, float] | None, may_be_log: bool
) -> Scale:
    if limits is not None:
        return linear_scale(list(limits), HEIGHT - BOTTOM, TOP, 4)
    low, high = min(values), max(values)
    if may_be_log and low > 0 and high / low > LOG_FROM_RATIO:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        ticks = tuple(10.0**power for power in range(first, last + 1))
        return Scale(ticks[0], ticks[-1], HEIGHT - BOTTOM, TOP, ticks, is_log=True)
    return linear_scale([min(0.0, low), high], HEIGHT - BOTTOM, TOP, 4)


def _rows(y: Scale) -> list[Markup]:
    rows = []
    for tick in y.ticks:
        at = f"{y.place(tick):.1f}"
        rows.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=at, y2=at, class_="grid"))
        rows.append(
            element("text", general(tick), x=LEFT - 6, y=at, dy="0.32em", text_anchor="end")
        )
    return rows


def _columns(x: Scale, label: str, note: Callable[[float], str]) -> list[Markup]:
    columns = []
    for tick in x.ticks:
        at = f"{x.place(tick):.1f}"
        base = HEIGHT - BOTTOM
        columns.append(element("line", x1=at, x2=at, y1=base, y2=base + 4, class_="tick"))
        columns.append(element("text", general(tick), x=at, y=base + 15, text_anchor="middle"))
        second = note(tick) if tick > 0 else ""
        columns.append(
            element("text", second, x=at, y=base + 28, text_anchor="middle", class_="second")
        )
    columns.append(
        element(
            "text", label, x=LEFT - 6, y=HEIGHT - BOTTOM + 28, text_anchor="middle", class_="second"
        )
    )
    return columns


def _curve(points: Sequence[Point], x: Scale, y: Scale) -> list[Content]:
    places = [(x.place(p.x), y.place(p.y)) for p in points]
    path = "M" + "L".join(f"{left:.1f} {top:.1f}" for left, top in places)
    radius = 2.6 if len(points) <= MAX_MARKERS else 1.2
    markers = [
        element("circle", element("title", p.label), cx=f"{left:.1f}", cy=f"{top:.1f}", r=radius)
        for p, (left, top) in zip(points, places, strict=True)
    ]
    return [element("path", d=path, class_="curve"), element("g", *markers, class_="markers")]


def _figure(title: str, content: Markup) -> Markup:
    return element("figure", element("figcaption", title), content, class_="plot")


def _stack(shares: Sequence[float]) -> list[float]:
    """Heights of dots around the middle line (20), apart where they would cover each other."""
    order = sorted(range(len(shares)), key=lambda i: shares[i])
    placed: list[tuple[float, int]] = []
    heights = [20.0] * len(shares)
    offsets = (0, -1, 1, -2, 2)
    for i in order:
        taken = {level for other, level in placed[-12:] if shares[i] - other < 0.012}
        level = next((level for level in offsets if level not in taken), 0)
        placed.append((shares[i], level))
        heights[i] = 20 + 6.4 * level
    return heights
