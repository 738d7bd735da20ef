"""The page of an inspection: drawing, sizes, layer table, receptive field, cost, checks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from markupsafe import Markup

from pixelwise.commands.inspect_objects import ObjectComparison
from pixelwise.commands.inspect_words import (
    border_sentence,
    cost_cells,
    cost_heads,
    pixel_sentences,
    sees_text,
    shape_text,
)
from pixelwise.commands.inspection import ComparedNetwork, Inspection, Measurements
from pixelwise.core.files import write_text
from pixelwise.core.quantities import format_bytes
from pixelwise.core.runtime import package_version
from pixelwise.explanation.drawing import draw_svg
from pixelwise.explanation.tracing import LayerRow, Trace
from pixelwise.report.charts import Point, line_chart
from pixelwise.report.elements import Column, Content, element, joined, scrollable, table
from pixelwise.report.page import Section, render_page

_BAR_WIDTH = 260


def write_inspection(path: Path, inspection: Inspection, trace: Trace) -> None:
    """Write an inspection as one self-contained HTML page. Raises BadOutput."""
    sections = [
        Section("summary", "Summary", joined([_sentences(inspection), _key_numbers(inspection)])),
        Section("drawing", "Drawing", _drawing(inspection, trace)),
        Section("sizes", "Sizes and what a pixel sees", _sizes(inspection)),
        Section("layers", "Layers", _layers(inspection.rows)),
    ]
    if inspection.objects is not None:
        sections.append(Section("objects", "Objects of the data set", _objects(inspection.objects)))
    if inspection.measurements is not None:
        sections.append(Section("measured", "Measured here", _measured(inspection.measurements)))
    if inspection.compared:
        sections.append(Section("compared", "Side by side", _compared(inspection.compared)))
    page = render_page(
        inspection.name,
        sections,
        created=datetime.now(UTC),
        version=package_version(),
        kind="Network",
    )
    write_text(path, page)


def _sentences(inspection: Inspection) -> Markup:
    return joined(element("p", sentence) for sentence in inspection.sizes)


def _key_numbers(inspection: Inspection) -> Markup:
    rows: list[tuple[Content, ...]] = [
        ("parameters", f"{inspection.parameters:,}"),
        ("multiply-accumulates", f"{inspection.multiplications:,}"),
        ("intermediate results in float32", format_bytes(inspection.activation_bytes)),
        ("receptive field of an output pixel", sees_text(inspection.field)),
    ]
    columns = [Column("what"), Column("value", is_number=True)]
    return table(columns, rows, caption="The network in four numbers")


def _drawing(inspection: Inspection, trace: Trace) -> Markup:
    svg = Markup(draw_svg(trace, inspection.name))  # our own markup, texts escaped
    words = "Channels stand above each map, its size below; each step down halves the grid."
    return joined([element("p", words), scrollable(svg, f"Drawing of {inspection.name}")])


def _sizes(inspection: Inspection) -> Markup:
    field = inspection.field
    parts = [
        f"An output pixel sees {sees_text(field)}.",
        *pixel_sentences(inspection.pixel),
    ]
    if field.sizes and len(field.sizes) > 1:
        parts.append("Which of the widths holds depends on the pixel's place in the coarsest grid.")
    return joined(element("p", part) for part in parts if part)


def _layers(rows: Sequence[LayerRow]) -> Markup:
    heads = (
        "operation",
        "where",
        "kernel",
        "stride",
        "dilation",
        "padding",
        "channels",
        "output",
        "parameters",
        "multiply-accumulates",
        "memory",
        "sees",
        "jump",
    )
    columns = [Column(head, is_number=index > 1) for index, head in enumerate(heads)]
    body = [
        (
            row.operation,
            row.module,
            shape_text(row.kernel),
            shape_text(row.stride),
            shape_text(row.dilation),
            shape_text(row.padding),
            f"{row.channels_in} → {row.channels_out}",
            shape_text(row.shape[2:]),
            f"{row.parameters:,}" if row.parameters else "",
            f"{row.multiplications:,}" if row.multiplications else "",
            format_bytes(row.n_bytes) if row.n_bytes else "",
            shape_text(row.sees),
            f"{row.jump:g}",
        )
        for row in rows
    ]
    return table(columns, body, caption="Every operation of one pass")


def _objects(objects: ObjectComparison) -> Markup:
    columns = [Column("what"), Column("value", is_number=True)]
    rows: list[tuple[Content, ...]] = [
        ("objects measured", f"{objects.n_objects} in {objects.n_cases} cases"),
        ("median diameter", f"{objects.median_diameter:g} px"),
        ("largest diameter", f"{objects.largest_diameter:g} px"),
    ]
    return joined([element("p", objects.sentence), table(columns, rows, caption=objects.data)])


def _measured(measured: Measurements) -> Markup:
    cost_columns = [
        Column(head, is_number=index > 0)
        for index, head in enumerate(
            ("precision", "forward ms", "training step ms", "forward memory", "training memory")
        )
    ]
    costs = [
        (
            cost.precision,
            f"{cost.forward_ms:.1f}",
            "" if cost.training_ms is None else f"{cost.training_ms:.1f}",
            "" if cost.forward_bytes is None else format_bytes(cost.forward_bytes),
            "" if cost.training_bytes is None else format_bytes(cost.training_bytes),
        )
        for cost in measured.costs
    ]
    effective = measured.effective
    profile = [Point(i, value, f"{i} px") for i, value in enumerate(effective.profile)]
    border = [Point(i, value, f"{i} px") for i, value in enumerate(measured.border.change)]
    checks = [
        (check.module, check.kind, f"{check.unevenness:.3f}", check.verdict)
        for check in measured.upsampling
    ]
    odd = [check for check in measured.activations if check.verdict != "lively"]
    lively = f"{len(measured.activations) - len(odd)} of {len(measured.activations)} are lively"
    return joined(
        [
            table(cost_columns, costs, caption=f"Cost with {measured.costs[0].threads} threads"),
            element(
                "p",
                f"Effective receptive field: as much as a disc of {effective.diameter:g} pixels "
                "in diameter, at the present weights.",
            ),
            line_chart(profile, title="Gradient by distance", x_label="distance in pixels"),
            element(
                "p",
                border_sentence(measured.border),
            ),
            line_chart(border, title="Influence of the border", x_label="pixels from the border"),
            table(
                [Column("layer"), Column("kind"), Column("unevenness", is_number=True),
                 Column("verdict")],
                checks,
                caption="Checkerboard test: a constant map through every enlarging layer",
            ),
            element("p", f"Activations on noise: {lively}."),
            *(
                element(
                    "p", f"{c.module}: {c.verdict} (spread {c.spread:g}, {c.dead_share:.0%} dead)"
                )
                for c in odd
            ),
        ]
    )  # fmt: skip


def _compared(networks: Sequence[ComparedNetwork]) -> Markup:
    heads = ("network", "input", "output", "parameters", "multiply-accumulates", "memory", "sees",
             *cost_heads(networks))  # fmt: skip
    columns = [Column(head, is_number=index > 0) for index, head in enumerate(heads)]
    rows = [
        (
            one.name,
            shape_text(one.input_shape[2:]),
            shape_text(one.output_shape[2:]),
            f"{one.parameters:,}",
            f"{one.multiplications:,}",
            format_bytes(one.activation_bytes),
            sees_text(one.field),
            *cost_cells(one),
        )
        for one in networks
    ]
    return joined([table(columns, rows, caption="Side by side"), _bars(networks)])


def _bars(networks: Sequence[ComparedNetwork]) -> Markup:
    most = max(one.multiplications for one in networks) or 1
    lines: list[Markup] = []
    for index, one in enumerate(networks):
        y, width = 18 + 22 * index, _BAR_WIDTH * one.multiplications / most
        lines += [
            element("text", one.name, x=0, y=y + 10, fill="currentColor"),
            element("rect", x=150, y=y, width=f"{max(width, 1):.1f}", height=13, fill="#3569b0"),
            element(
                "text",
                f"{one.multiplications / 1e9:.2f} G",
                x=f"{156 + width:.1f}",
                y=y + 10,
                fill="currentColor",
            ),
        ]
    height = 24 + 22 * len(networks)
    return element(
        "svg",
        element("title", "Multiply-accumulates of one pass"),
        element("text", "multiply-accumulates of one pass", x=150, y=11, fill="currentColor"),
        *lines,
        viewBox=f"0 0 500 {height}",
        width=500,
        role="img",
        font_size=11,
    )
