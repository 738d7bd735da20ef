"""An inspection as text for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from pixelwise.commands.inspect_words import (
    border_sentence,
    cost_cells,
    cost_heads,
    pixel_sentences,
    sees_text,
    shape_text,
)
from pixelwise.commands.inspection import Inspection
from pixelwise.core.quantities import format_bytes


def inspection_text(inspection: Inspection) -> str:
    """The drawing, the key numbers and the layer table in lines of plain text."""
    parts = [
        f"{inspection.name}",
        "",
        inspection.drawing,
        "",
        *inspection.sizes,
        f"Parameters {inspection.parameters:,}; multiply-accumulates "
        f"{inspection.multiplications:,}; intermediate results "
        f"{format_bytes(inspection.activation_bytes)}.",
        f"An output pixel sees {sees_text(inspection.field)}.",
        *pixel_sentences(inspection.pixel),
    ]
    if inspection.objects is not None:
        parts.append(inspection.objects.sentence)
    if inspection.measurements is not None:
        parts += _measured_lines(inspection)
    parts += ["", *_table(_layer_cells(inspection))]
    if inspection.compared:
        parts += ["", *_table(_compared_cells(inspection))]
    return "\n".join(parts)


def _measured_lines(inspection: Inspection) -> list[str]:
    measured = inspection.measurements
    if measured is None:
        return []
    lines = [
        f"{cost.precision}: forward {cost.forward_ms:.1f} ms, training step "
        f"{cost.training_ms or 0:.1f} ms with {cost.threads} threads."
        for cost in measured.costs
    ]
    lines.append(
        f"Looks mostly at {measured.effective.diameter:g} pixels. "
        f"{border_sentence(measured.border)}"
    )
    lines += [
        f"Upsampling {check.module or 'of the whole'} ({check.kind}): {check.verdict}."
        for check in measured.upsampling
    ]
    odd = [check for check in measured.activations if check.verdict != "lively"]
    n_lively = len(measured.activations) - len(odd)
    lines.append(f"Activations on noise: {n_lively} of {len(measured.activations)} are lively.")
    lines += [f"Activation {c.module}: {c.verdict} ({c.dead_share:.0%} dead)." for c in odd]
    return lines


def _layer_cells(inspection: Inspection) -> list[tuple[str, ...]]:
    heads = ("operation", "kernel", "stride", "dil.", "pad", "channels", "output", "parameters",
             "MACs", "memory", "sees", "jump")  # fmt: skip
    return [
        heads,
        *(
            (
                row.operation,
                *(_short(numbers) for numbers in (row.kernel, row.stride)),
                *(_short(numbers) for numbers in (row.dilation, row.padding)),
                f"{row.channels_in}>{row.channels_out}",
                shape_text(row.shape[2:]),
                f"{row.parameters:,}" if row.parameters else "",
                f"{row.multiplications / 1e6:,.1f} M" if row.multiplications else "",
                format_bytes(row.n_bytes) if row.n_bytes else "",
                _short(row.sees),
                f"{row.jump:g}",
            )
            for row in inspection.rows
        ),
    ]


def _compared_cells(inspection: Inspection) -> list[tuple[str, ...]]:
    heads = (
        "network",
        "input",
        "output",
        "parameters",
        "MACs",
        "memory",
        "sees",
        *cost_heads(inspection.compared),
    )
    return [
        heads,
        *(
            (
                one.name,
                shape_text(one.input_shape[2:]),
                shape_text(one.output_shape[2:]),
                f"{one.parameters:,}",
                f"{one.multiplications / 1e9:.2f} G",
                format_bytes(one.activation_bytes),
                sees_text(one.field),
                *cost_cells(one),
            )
            for one in inspection.compared
        ),
    ]


def _short(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(set(numbers)) == 1 else "x".join(map(str, numbers))


def _table(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = []
    for row in cells:
        padded = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(padded).rstrip())
    return lines
