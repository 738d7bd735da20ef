"""A network as a drawing: stages at the height of their resolution, so that a U looks like a U."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from pixelwise.explanation.tracing import LayerRow, Trace

_UP = ("transposed convolution", "unpooling", "pixel shuffle")
_DOWN_POOLS = ("max pooling", "average pooling", "adaptive average pooling")
_JOINS = ("concatenation", "addition")

_COLOURS = {
    "convolution": "#3569b0",
    "down": "#b3402f",
    "up": "#3a8a4d",
    "join": "#8a8a8a",
    "1 x 1": "#1d8a8a",
}
_STEP_X, _STEP_Y, _BOX_HEIGHT, _TOP, _LEFT = 46, 92, 54, 46, 40


@dataclass(frozen=True, slots=True)
class Box:
    """A feature map in the drawing: its row, its level (0 finest), how it came about."""

    row: int
    level: int
    column: int
    kind: str
    channels: int
    shape: tuple[int, ...]
    skip_from: int | None = None


def arrange(trace: Trace) -> tuple[Box, ...]:
    """The feature maps worth drawing, in order: convolutions, poolings, upsamplings, joins."""
    boxes: list[Box] = []
    drawn_by_row: dict[int, int] = {-1: -1}
    for row in trace.rows:
        kind = _kind(row)
        nearest = max((drawn_by_row.get(source, -1) for source in row.sources), default=-1)
        if kind is None or len(row.shape) != len(trace.input_shape):
            drawn_by_row[row.index] = nearest
            continue
        origins = sorted(drawn_by_row.get(source, -1) for source in row.sources)
        skip = origins[0] if kind == "join" and len(origins) > 1 else None
        if kind == "join" and (skip is None or nearest - skip < 2 or skip < 0):
            drawn_by_row[row.index] = nearest
            continue
        drawn_by_row[row.index] = len(boxes)
        level = _level(trace, row)
        boxes.append(Box(row.index, level, len(boxes), kind, row.shape[1], row.shape[2:], skip))
    return tuple(boxes)


def draw_svg(trace: Trace, title: str) -> str:
    """The drawing as SVG text without outside references; colours work on light and dark.

    Boxes carry their channels above and their size below; arrows between levels are red
    (down) and green (up), grey ones are skips. Long residual networks are thinned to the
    last convolution of each run at one level.
    """
    boxes = _thin_out(arrange(trace))
    if not boxes:
        return ""
    width = _LEFT * 2 + _STEP_X * (len(boxes) + 1)
    height = _TOP + _STEP_Y * (max(box.level for box in boxes) + 1) + 30
    place = {box.row: _LEFT + _STEP_X * (i + 1) for i, box in enumerate(boxes)}
    by_column = {box.column: box for box in boxes}
    parts = [_input_mark(trace, boxes[0])]
    for before, box in zip((None, *boxes), (*boxes, None), strict=True):
        if box is not None and before is not None:
            parts.append(_arrow(before, box, place))
        if box is not None:
            parts.append(_box(box, place))
            source = by_column.get(box.skip_from) if box.skip_from is not None else None
            if source is not None:
                parts.append(_skip(source, box, place))
    legend = _legend(width, height)
    label = escape(f"{title}: {_sizes(trace.input_shape[2:])} to {_sizes(trace.output_shape[2:])}")
    return (
        f'<svg viewBox="0 0 {width} {height + 24}" style="width:100%;max-width:{width}px" '
        f'role="img" class="network" xmlns="http://www.w3.org/2000/svg" '
        f'font-family="sans-serif" font-size="10" fill="currentColor">'
        f"<title>{label}</title>{''.join(parts)}{legend}</svg>"
    )


def draw_text(trace: Trace) -> str:
    """The drawing for a terminal: one line per level, encoder left, decoder right."""
    boxes = arrange(trace)
    if not boxes:
        return "(nothing to draw)"
    deepest = max(box.level for box in boxes)
    turn = max(i for i, box in enumerate(boxes) if box.level == deepest)
    lines = []
    for level in range(deepest + 1):
        down = [box for box in boxes[: turn + 1] if box.level == level]
        up = [box for box in boxes[turn + 1 :] if box.level == level]
        left, right = _side(down), _side(up)
        has_skip = any(box.skip_from is not None for box in up)
        link = " ══▶ " if has_skip else "     "
        indent = "   " * level
        lines.append(f"{indent}{left:<{34}}{link if right else ''}{right}".rstrip())
    head = f"in  {_sizes(trace.input_shape[2:])} x {trace.input_shape[1]}"
    tail = f"out {_sizes(trace.output_shape[2:])} x {trace.output_shape[1]}"
    return "\n".join([f"{head}    {tail}", *lines])


def _side(boxes: Sequence[Box]) -> str:
    if not boxes:
        return ""
    channels = [box.channels for box in boxes]
    run = [c for i, c in enumerate(channels) if i == 0 or c != channels[i - 1]]
    text = "-".join(map(str, run)) if len(run) < 6 else f"{run[0]}-…-{run[-1]}"
    first, last = _sizes(boxes[0].shape), _sizes(boxes[-1].shape)
    return f"{first} ▸ {last}  [{text}]" if first != last else f"{first}  [{text}]"


def _kind(row: LayerRow) -> str | None:
    name = row.operation
    if name in _UP or name.endswith("upsampling"):
        return "up"
    if name in _DOWN_POOLS:
        return "down"
    if name.endswith("convolution"):
        is_strided = any(step > 1 for step in row.stride)
        is_pointwise = all(size == 1 for size in row.kernel)
        return "down" if is_strided else "1 x 1" if is_pointwise else "convolution"
    return "join" if name in _JOINS else None


def _level(trace: Trace, row: LayerRow) -> int:
    """How often the grid was halved, by the nominal distance between neighbours."""
    return max(0, round(math.log2(row.jump))) if row.jump > 0 else 0


def _thin_out(boxes: tuple[Box, ...], limit: int = 60) -> tuple[Box, ...]:
    if len(boxes) <= limit:
        return boxes
    sources = {box.skip_from for box in boxes}
    kept = [
        box
        for box, following in zip(boxes, (*boxes[1:], None), strict=True)
        if following is None
        or box.kind in ("up", "down")
        or box.column in sources
        or following.level != box.level
    ]
    return tuple(kept)


def _centre(box: Box) -> int:
    return _TOP + _STEP_Y * box.level + _BOX_HEIGHT // 2


def _box(box: Box, place: dict[int, int]) -> str:
    x, y = place[box.row], _centre(box) - _BOX_HEIGHT // 2
    wide = max(5, min(22, 3 + round(box.channels**0.45)))
    side = f"{box.shape[-1]}" if len(set(box.shape)) == 1 else _sizes(box.shape)
    colour = _COLOURS[box.kind]
    return (
        f'<rect x="{x - wide / 2:.1f}" y="{y}" width="{wide}" height="{_BOX_HEIGHT}" rx="1.5" '
        f'fill="{colour}" fill-opacity="0.25" stroke="{colour}"/>'
        f'<text x="{x}" y="{y - 4}" text-anchor="middle">{box.channels}</text>'
        f'<text x="{x}" y="{y + _BOX_HEIGHT + 11}" text-anchor="middle" fill-opacity="0.75" '
        f'font-size="9">{side}</text>'
    )


def _arrow(before: Box, box: Box, place: dict[int, int]) -> str:
    x1, y1, x2, y2 = place[before.row] + 12, _centre(before), place[box.row] - 12, _centre(box)
    colour = _COLOURS[box.kind]
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="1.6"/>'
        f'<circle cx="{x2}" cy="{y2}" r="2.4" fill="{colour}"/>'
    )


def _skip(source: Box, box: Box, place: dict[int, int]) -> str:
    x1, x2 = place[source.row], place[box.row]
    y = _centre(box) - _BOX_HEIGHT // 2 - 17
    start = _centre(source) - _BOX_HEIGHT // 2 - 14
    colour = _COLOURS["join"]
    return (
        f'<path d="M {x1} {start} L {x1 + 6} {y} L {x2 - 4} {y} L {x2} {y + 5}" fill="none" '
        f'stroke="{colour}" stroke-width="1.4" stroke-dasharray="5 3"/>'
    )


def _input_mark(trace: Trace, first: Box) -> str:
    y = _centre(first)
    return (
        f'<text x="6" y="{y - 6}">{_sizes(trace.input_shape[2:])}</text>'
        f'<text x="6" y="{y + 6}" fill-opacity="0.75">x {trace.input_shape[1]}</text>'
    )


def _legend(width: int, height: int) -> str:
    words = (
        ("convolution", "convolution"),
        ("1 x 1", "1 x 1 convolution"),
        ("down", "halve the grid"),
        ("up", "enlarge the grid"),
        ("join", "skip and join"),
    )
    parts = []
    for index, (kind, text) in enumerate(words):
        x = _LEFT + index * 120
        parts.append(
            f'<rect x="{x}" y="{height}" width="10" height="10" fill="{_COLOURS[kind]}" '
            f'fill-opacity="0.6"/><text x="{x + 15}" y="{height + 9}">{text}</text>'
        )
    return "".join(parts)


def _sizes(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))
