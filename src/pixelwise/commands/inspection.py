"""What `inspect` yields: one record for JSON, terminal and page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from torch import nn

from pixelwise.commands.inspect_objects import ObjectComparison
from pixelwise.core.records import RECORD_FORMAT, Record
from pixelwise.explanation.behaviour import ActivationCheck, BorderInfluence, UpsamplingCheck
from pixelwise.explanation.cost import Cost
from pixelwise.explanation.receptive import EffectiveField, ReceptiveField
from pixelwise.explanation.tracing import LayerRow, Trace
from pixelwise.networks import Field


@dataclass(frozen=True, slots=True)
class Subject:
    """A network to be explained, and the input (n, c, [z,] y, x) to do it with."""

    name: str
    network: nn.Module
    input_shape: tuple[int, ...]


class Measurements(Record):
    """What was measured by running the network."""

    costs: tuple[Cost, ...]
    effective: EffectiveField
    upsampling: tuple[UpsamplingCheck, ...]
    border: BorderInfluence
    activations: tuple[ActivationCheck, ...]


class ComparedNetwork(Record):
    """One line of a comparison."""

    name: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int
    multiplications: int
    activation_bytes: int
    sees: tuple[int, ...] | None

    @classmethod
    def of(cls, inspection: Inspection) -> Self:
        """The line of an inspection."""
        return cls(
            name=inspection.name,
            input_shape=inspection.input_shape,
            output_shape=inspection.output_shape,
            parameters=inspection.parameters,
            multiplications=inspection.multiplications,
            activation_bytes=inspection.activation_bytes,
            sees=inspection.field.sizes,
        )


class Inspection(Record):
    """Everything that can be said about a network and one input.

    multiplications: multiply-accumulates of one pass. activation_bytes: all intermediate
    results in float32. sizes: sentences on which inputs are allowed and why the output
    differs. middle_sees: first and last input index per axis behind the middle output pixel;
    middle_changes: the output region that the middle input pixel can change.
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
    middle_pixel: tuple[int, ...]
    middle_sees: tuple[tuple[int, int], ...]
    middle_changes: tuple[tuple[int, int] | None, ...]
    drawing: str
    measurements: Measurements | None = None
    objects: ObjectComparison | None = None
    compared: tuple[ComparedNetwork, ...] = ()


def explain_sizes(field: Field, trace: Trace) -> tuple[str, ...]:
    """Sentences: which inputs are allowed, what comes out, and why the two differ."""
    into = "x".join(map(str, trace.input_shape[2:]))
    result = "x".join(map(str, trace.output_shape[2:]))
    sentences = [f"An input of {into} pixels gives {result}."]
    if field.multiple > 1:
        examples = [field.smallest + i * field.multiple for i in range(3)]
        sentences.append(
            f"Allowed along every axis: {field.multiple} i + {field.remainder}, from "
            f"{field.smallest} on ({', '.join(map(str, examples))}, …), so that every pooling "
            "meets an even size."
        )
    elif field.smallest > 1:
        sentences.append(f"Every size from {field.smallest} on is allowed.")
    else:
        sentences.append(
            "Every size is allowed; where the grid must be a multiple of "
            f"{field.alignment}, the image is mirrored inside and the answer cut back."
            if field.alignment > 1
            else "Every size is allowed."
        )
    if field.margin:
        sentences.append(
            f"The output lacks {field.margin} pixels on each side: convolutions without padding "
            "answer only where their whole neighbourhood is known. For a whole image the "
            "missing surroundings are mirrored."
        )
    elif into == result:
        sentences.append("Output and input share one grid: the network pads with zeros inside.")
    return tuple(sentences)
