"""Explain a network: its layers, sizes, receptive field, cost and weak points."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from pixelwise.commands.inspect_objects import ObjectComparison, compare_with_objects
from pixelwise.commands.inspect_page import write_inspection
from pixelwise.commands.inspect_subject import (
    Subject,
    Wanted,
    find_subject,
    parse_input,
    parse_pixel,
)
from pixelwise.commands.inspection import (
    ComparedNetwork,
    Inspection,
    Measurements,
    PixelMap,
    explain_sizes,
)
from pixelwise.core.errors import BadOutput, BadPlan, Problem
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.user_parts import load_user_parts
from pixelwise.explanation.activation_check import check_activations
from pixelwise.explanation.border_check import border_influence
from pixelwise.explanation.cost import Cost, measure_cost
from pixelwise.explanation.drawing import draw_text
from pixelwise.explanation.receptive import (
    effective_field,
    influenced_region,
    receptive_field,
    seen_region,
)
from pixelwise.explanation.tracing import Trace, trace_network
from pixelwise.explanation.tried_sizes import try_sizes
from pixelwise.explanation.upsampling_check import check_upsampling
from pixelwise.networks import Field, field_of


def inspect(
    what: str | Path,
    *,
    input: str | Sequence[int] | None = None,  # the user's word for it
    pixel: str | Sequence[int] | None = None,
    settings: Sequence[str] = (),
    data: str | Path | None = None,
    compare: Sequence[str] = (),
    out: str | Path | None = None,
    measure: bool = False,
    overwrite: bool = False,
    use: str | Path | None = None,
    listener: Listener = SILENT,
) -> Inspection:
    """Explain a registered network, the network of a plan file, or that of a run.

    what: a name, also with options ("unet:skip=none,width=16"), a plan file or a run folder.
    input: "572x572x1" (rows, columns, channels; slices first for volumes), or the numbers.
    pixel: row and column of the output pixel whose sight is told, the middle by default.
    settings: options of the network, "width=16". data: a data set whose objects the
    receptive field is set against. compare: what to set beside it, named as above. out: an
    HTML page to write. measure: also time it on this machine and run it on noise (effective
    receptive field, checkerboard, borders, activations): seconds instead of a fraction of
    one. use: a Python file that registers networks.
    Raises: BadPlan for an unknown name, bad option or input; ShapeMismatch for a size that
    the network cannot take; BadRun, BadOutput.
    """
    page = _free_place(out, overwrite)
    if use is not None:
        load_user_parts(Path(use))
    wanted_pixel = parse_pixel(pixel)
    subject = find_subject(what, Wanted(parse_input(input)), settings)
    listener.say(f"following an input through {subject.name}")
    result = inspect_network(
        subject.network,
        subject.input_shape,
        name=subject.name,
        pixel=wanted_pixel,
        measure=measure,
        listener=listener,
    )
    objects = None
    if data is not None:
        listener.say(f"measuring the objects of {data}")
        effective = result.measurements.effective if result.measurements else None
        objects = compare_with_objects(Path(data), result.field, effective)
    others = [_beside(name, subject, measure, listener) for name in compare]
    mine = ComparedNetwork.of(result)
    result = result.model_copy(
        update={"objects": objects, "compared": (mine, *others) if others else ()}
    )
    if page is not None:
        write_inspection(page, result, trace_network(subject.network, subject.input_shape))
        listener.say(f"wrote {page}")
    return result


def inspect_network(
    network: nn.Module,
    input_shape: Sequence[int],
    *,
    name: str = "",
    pixel: Sequence[int] | None = None,
    measure: bool = False,
    listener: Listener = SILENT,
) -> Inspection:
    """Explain any module of ordinary layers, also one from another library.

    input_shape: (n, c, [z,] y, x). pixel: as in `inspect`. The module is left as it is.
    Raises: ShapeMismatch if it cannot take that shape or answers with something else;
    BadPlan if the pixel lies outside the output.
    """
    shape = tuple(input_shape)
    n_channels, n_dims = shape[1], len(shape) - 2
    trace = trace_network(network, shape)
    if isinstance(getattr(network, "field", None), Field):
        sizes = explain_sizes(field_of(network), trace)
    else:
        listener.say("trying which sizes it takes")
        sizes = (*explain_sizes(None, trace), *try_sizes(network, shape).sentences)
    return Inspection(
        name=name or type(network).__name__,
        input_shape=trace.input_shape,
        output_shape=trace.output_shape,
        parameters=trace.parameters,
        multiplications=trace.multiplications,
        activation_bytes=trace.n_bytes,
        rows=trace.rows,
        sizes=sizes,
        field=receptive_field(network, n_channels, n_dims),
        pixel=map_pixel(trace, pixel),
        drawing=draw_text(trace),
        measurements=_measure(network, shape, listener) if measure else None,
    )


def map_pixel(trace: Trace, pixel: Sequence[int] | None = None) -> PixelMap | None:
    """What an output pixel sees, and what the input pixel under it changes.

    None if the output cannot be followed (it is not a map). Raises BadPlan for a pixel
    outside of it.
    """
    if not trace.sights or len(trace.output_shape) != len(trace.input_shape):
        return None
    sizes = trace.output_shape[2:]
    place = tuple(pixel) if pixel is not None else tuple(size // 2 for size in sizes)
    if len(place) != len(sizes) or any(at >= size for at, size in zip(place, sizes, strict=False)):
        raise BadPlan(
            f"there is no output pixel {', '.join(map(str, place))}",
            f"one number below each of {' x '.join(map(str, sizes))}, the output's size",
            "Change --pixel.",
            code="bad-pixel",
        )
    step = trace.output_jump
    under = tuple(
        min(max(int((inside - size * step) / 2 + (at + 0.5) * step), 0), inside - 1)
        for at, size, inside in zip(place, sizes, trace.input_shape[2:], strict=True)
    )
    return PixelMap(
        output=place,
        sees=seen_region(trace, place),
        input=under,
        changes=influenced_region(trace, under),
    )


def _beside(name: str, subject: Subject, measure: bool, listener: Listener) -> ComparedNetwork:
    listener.say(f"comparing with {name}")
    wanted = Wanted(subject.input_shape[1:], subject.n_outputs, is_loose=True)
    other = find_subject(name, wanted)
    result = inspect_network(other.network, other.input_shape, name=other.name)
    if measure:
        costs = _costs(other.network, other.input_shape)
        return ComparedNetwork.of(result, costs)
    return ComparedNetwork.of(result)


def _measure(network: nn.Module, shape: tuple[int, ...], listener: Listener) -> Measurements:
    n_channels, n_dims = shape[1], len(shape) - 2
    listener.say("timing it on this machine")
    costs = _costs(network, shape)
    listener.say("running it on noise")
    size = max(64, min(shape[2], 256)) if n_dims == 2 else 32
    return Measurements(
        costs=costs,
        effective=effective_field(network, n_channels, n_dims, size=size),
        upsampling=check_upsampling(network, n_channels, n_dims),
        border=border_influence(network, n_channels, n_dims, size=128 if n_dims == 2 else 16),
        activations=check_activations(network, n_channels, n_dims, size=64 if n_dims == 2 else 32),
    )


def _costs(network: nn.Module, shape: tuple[int, ...]) -> tuple[Cost, ...]:
    is_half = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    precisions = ("float32", "bfloat16") if is_half else ("float32",)
    return tuple(measure_cost(network, shape, precision=precision) for precision in precisions)


def _free_place(out: str | Path | None, overwrite: bool) -> Path | None:
    if out is None:
        return None
    path = Path(out)
    if path.exists() and not overwrite:
        raise BadOutput(
            Problem(
                "it exists already",
                "a new file",
                "Choose another name or give --overwrite.",
                str(path),
                code="exists",
            )
        )
    return path


__all__ = ["Inspection", "ObjectComparison", "inspect", "inspect_network", "parse_input"]
