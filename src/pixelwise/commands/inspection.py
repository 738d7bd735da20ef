"""What `inspect` yields: one record for JSON, terminal and page."""

from __future__ import annotations

from typing import Self

from pixelwise.commands.inspect_objects import ObjectComparison
from pixelwise.core.records import RECORD_FORMAT, Record
from pixelwise.explanation.activation_check import ActivationCheck
from pixelwise.explanation.border_check import BorderInfluence
from pixelwise.explanation.cost import Cost
from pixelwise.explanation.receptive import EffectiveField, ReceptiveField
from pixelwise.explanation.tracing import LayerRow, Trace
from pixelwise.explanation.upsampling_check import UpsamplingCheck
from pixelwise.networks import Field


class Measurements(Record):
    """What was measured by running the network."""

    costs: tuple[Cost, ...]
    effective: EffectiveField
    upsampling: tuple[UpsamplingCheck, ...]
    border: BorderInfluence
    activations: tuple[ActivationCheck, ...]


class PixelMap(Record):
    """From an output pixel to its input region, and from an input pixel to its output region.

    Regions are first and last index (inclusive) per axis. sees: what can reach the output
    pixel. input: the input pixel under it; changes: the output pixels that it can reach, None
    along an axis where there is none.
    """

    output: tuple[int, ...]
    sees: tuple[tuple[int, int], ...]
    input: tuple[int, ...]
    changes: tuple[tuple[int, int] | None, ...]


class ComparedNetwork(Record):
    """One line of a comparison; costs are there if they were measured."""

    name: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int
    multiplications: int
    activation_bytes: int
    field: ReceptiveField
    costs: tuple[Cost, ...] = ()

    @classmethod
    def of(cls, inspection: Inspection, costs: tuple[Cost, ...] = ()) -> Self:
        """The line of an inspection, with its own costs unless others are given."""
        measured = inspection.measurements
        return cls(
            name=inspection.name,
            input_shape=inspection.input_shape,
            output_shape=inspection.output_shape,
            parameters=inspection.parameters,
            multiplications=inspection.multiplications,
            activation_bytes=inspection.activation_bytes,
            field=inspection.field,
            costs=costs or (measured.costs if measured else ()),
        )


class Inspection(Record):
    """Everything that can be said about a network and one input.

    multiplications: multiply-accumulates of one pass. activation_bytes: all intermediate
    results in float32. sizes: sentences on which inputs are allowed and why the output
    differs. pixel: what one output pixel sees, None where the answer is no map.
    """

    format_version: int = RECORD_FORMAT
    name: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int
    multiplications: int
    activation_bytes: int
    rows: tuple[LayerRow, ...]
    sizes: tuple[str, ...]
    field: ReceptiveField
    pixel: PixelMap | None
    drawing: str
    measurements: Measurements | None = None
    objects: ObjectComparison | None = None
    compared: tuple[ComparedNetwork, ...] = ()


def explain_sizes(field: Field | None, trace: Trace) -> tuple[str, ...]:
    """Sentences: which inputs are allowed, what comes out, and why the two differ.

    field: None for a network that does not say which sizes it takes.
    """
    into = "x".join(map(str, trace.input_shape[2:]))
    result = "x".join(map(str, trace.output_shape[2:]))
    sentences = [f"An input of {into} pixels gives {result}."]
    if field is not None:
        sentences.append(_allowed(field))
    return (*sentences, *_why(field, trace, into == result))


def _allowed(field: Field) -> str:
    if field.multiple > 1:
        examples = [field.smallest + i * field.multiple for i in range(3)]
        return (
            f"Allowed along every axis: {field.multiple} i + {field.remainder}, from "
            f"{field.smallest} on ({', '.join(map(str, examples))}, …), so that every pooling "
            "meets an even size."
        )
    if field.smallest > 1:
        return f"Every size from {field.smallest} on is allowed."
    if field.alignment > 1:
        return (
            "Every size is allowed; where the grid must be a multiple of "
            f"{field.alignment}, the image is mirrored inside and the answer cut back."
        )
    return "Every size is allowed."


def _why(field: Field | None, trace: Trace, is_same: bool) -> list[str]:
    sizes = zip(trace.input_shape[2:], trace.output_shape[2:], strict=False)
    lost = max((a - b * trace.output_jump for a, b in sizes), default=0)
    if field is not None and field.margin:
        return [
            f"The output lacks {field.margin} pixels on each side: convolutions without padding "
            "answer only where their whole neighbourhood is known. For a whole image the "
            "missing surroundings are mirrored."
        ]
    if is_same:
        has_padding = any(any(row.padding) for row in trace.rows)
        way = (
            "zeros fill in where a kernel reaches over the border"
            if has_padding
            else ("no kernel reaches over the border")
        )
        return [f"Output and input share one grid: {way}."]
    if trace.output_jump > 1:
        return [
            f"Neighbours in the output lie {trace.output_jump:g} input pixels apart: what was "
            "halved inside is not enlarged again."
        ]
    if lost > 0:
        return [
            f"The output lacks {lost:g} pixels in all along an axis: convolutions without "
            "padding answer only where their whole neighbourhood is known."
        ]
    return []
