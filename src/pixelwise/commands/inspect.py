"""Explain a network: its layers, sizes, receptive field, cost and weak points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from pixelwise.commands.inspect_objects import ObjectComparison, compare_with_objects
from pixelwise.commands.inspect_page import write_inspection
from pixelwise.commands.inspection import (
    ComparedNetwork,
    Inspection,
    Measurements,
    Subject,
    explain_sizes,
)
from pixelwise.core.errors import BadOutput, BadPlan, Problem
from pixelwise.core.plan import Plan, network_input
from pixelwise.core.progress import SILENT, Listener
from pixelwise.explanation.behaviour import border_influence, check_activations, check_upsampling
from pixelwise.explanation.cost import measure_cost
from pixelwise.explanation.drawing import draw_text
from pixelwise.explanation.receptive import (
    effective_field,
    influenced_region,
    receptive_field,
    seen_region,
)
from pixelwise.explanation.tracing import Trace, trace_network
from pixelwise.networks import NETWORKS, NetworkIO, build_network, check_size, field_of
from pixelwise.planning.plan_file import load_plan
from pixelwise.runs.folder import open_run

_DEFAULT_SIZE, _DEFAULT_CHANNELS, _DEFAULT_CLASSES = 256, 3, 2


def inspect(
    what: str | Path,
    *,
    input: str | Sequence[int] | None = None,  # the user's word for it
    data: str | Path | None = None,
    compare: Sequence[str] = (),
    out: str | Path | None = None,
    measure: bool = False,
    overwrite: bool = False,
    listener: Listener = SILENT,
) -> Inspection:
    """Explain a registered network, the network of a plan file, or that of a run.

    input: "572x572x1" (rows, columns, channels; slices first for volumes), or the numbers.
    data: a data set whose objects the receptive field is set against. compare: networks to
    set beside it. out: an HTML page to write. measure: also time it on this machine and run
    it on noise (effective receptive field, checkerboard, borders, activations): seconds
    instead of a fraction of one.
    Raises: BadPlan for an unknown name, bad option or input; ShapeMismatch for a size that
    the network cannot take; BadRun, BadOutput.
    """
    page = _free_place(out, overwrite)
    subject = find_subject(what, parse_input(input))
    listener.say(f"following an input through {subject.name}")
    result = inspect_network(
        subject.network,
        subject.input_shape,
        name=subject.name,
        measure=measure,
        listener=listener,
    )
    objects = None
    if data is not None:
        listener.say(f"measuring the objects of {data}")
        objects = compare_with_objects(Path(data), result.field)
    others = [_beside(name, subject, listener) for name in compare]
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
    measure: bool = False,
    listener: Listener = SILENT,
) -> Inspection:
    """Explain any module of ordinary layers, also one from another library.

    input_shape: (n, c, [z,] y, x). The module is left as it is.
    Raises: ShapeMismatch if it cannot take that shape or answers with something else.
    """
    shape = tuple(input_shape)
    n_channels, n_dims = shape[1], len(shape) - 2
    field = field_of(network)
    trace = trace_network(network, shape)
    sight = receptive_field(network, n_channels, n_dims)
    middle = tuple(size // 2 for size in trace.output_shape[2:])
    return Inspection(
        name=name or type(network).__name__,
        input_shape=trace.input_shape,
        output_shape=trace.output_shape,
        parameters=trace.parameters,
        multiplications=trace.multiplications,
        activation_bytes=trace.n_bytes,
        rows=trace.rows,
        sizes=explain_sizes(field, trace),
        field=sight,
        middle_pixel=middle,
        middle_sees=seen_region(trace, middle) if trace.sights else (),
        middle_changes=_changed(trace),
        drawing=draw_text(trace),
        measurements=_measure(network, shape, trace, listener) if measure else None,
    )


def find_subject(what: str | Path, wanted: tuple[int, ...] | None) -> Subject:
    """The network that a name, a plan file or a run folder stands for, and its input."""
    path = Path(what)
    if path.is_dir():
        run = open_run(path)
        network, shape = _of_plan(run.read_plan(), wanted)
        run.load_weights_into(network)
        return Subject(f"{run.read_plan().network.name} of {path.name}", network, shape)
    if path.suffix == ".json":
        plan = load_plan(path)
        network, shape = _of_plan(plan, wanted)
        return Subject(plan.network.name, network, shape)
    return _registered(str(what), wanted)


def parse_input(value: str | Sequence[int] | None) -> tuple[int, ...] | None:
    """(c, [z,] y, x) of "256x256x3" or numbers in that order. Raises BadPlan."""
    if value is None:
        return None
    text = value if isinstance(value, str) else "x".join(str(number) for number in value)
    numbers = [int(part) for part in text.lower().split("x")] if _is_size(text) else []
    if len(numbers) not in (3, 4) or min(numbers, default=0) < 1:
        raise BadPlan(
            f"the input is {text!r}",
            "rows, columns and channels such as 572x572x1, or slices first for volumes",
            "Write --input 256x256x3.",
            code="bad-input-size",
        )
    return (numbers[-1], *numbers[:-1])


def _is_size(text: str) -> bool:
    return re.fullmatch(r"\d+(x\d+)+", text.lower()) is not None


def _registered(name: str, wanted: tuple[int, ...] | None) -> Subject:
    options = NETWORKS.find(name).options
    channels, *spatial = wanted or (_DEFAULT_CHANNELS, _DEFAULT_SIZE, _DEFAULT_SIZE)
    io = NetworkIO(len(spatial), channels, _DEFAULT_CLASSES)
    missing = [option.name for option in options.values() if option.is_required]
    if missing:
        raise BadPlan(NETWORKS.check(name, {}))
    network = build_network(name, io, {})
    return Subject(name, network, _fitting(network, name, channels, spatial, wanted is not None))


def _of_plan(plan: Plan, wanted: tuple[int, ...] | None) -> tuple[nn.Module, tuple[int, ...]]:
    n_dims, n_channels = network_input(plan)
    io = NetworkIO(n_dims, n_channels, len(plan.data.classes))
    network = build_network(plan.network.name, io, dict(plan.network.options))
    channels, *spatial = wanted or (n_channels, *plan.sampling.patch)
    if channels != n_channels or len(spatial) != n_dims:
        raise BadPlan(
            f"the input has {channels} channels and {len(spatial)} dimensions",
            f"{n_channels} channels and {n_dims} dimensions, as in the plan",
            "Change --input.",
            code="bad-input-size",
        )
    name = plan.network.name
    return network, _fitting(network, name, channels, spatial, wanted is not None)


def _fitting(
    network: nn.Module, name: str, channels: int, spatial: Sequence[int], is_wanted: bool
) -> tuple[int, ...]:
    field = field_of(network)
    if is_wanted:
        check_size(field, spatial, name)
        return (1, channels, *spatial)
    return (1, channels, *(field.valid_size(size) for size in spatial))


def _beside(name: str, subject: Subject, listener: Listener) -> ComparedNetwork:
    listener.say(f"comparing with {name}")
    channels, *spatial = subject.input_shape[1:]
    io = NetworkIO(len(spatial), channels, _DEFAULT_CLASSES)
    network = build_network(name, io, {})
    field = field_of(network)
    shape = (1, channels, *(field.valid_size(size) for size in spatial))
    return ComparedNetwork.of(inspect_network(network, shape, name=name))


def _measure(
    network: nn.Module, shape: tuple[int, ...], trace: Trace, listener: Listener
) -> Measurements:
    n_channels, n_dims = shape[1], len(shape) - 2
    listener.say("timing it on this machine")
    is_half = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    precisions = ("float32", "bfloat16") if is_half else ("float32",)
    costs = tuple(measure_cost(network, shape, precision=precision) for precision in precisions)
    listener.say("running it on noise")
    size = max(64, min(shape[2], 256)) if n_dims == 2 else 32
    return Measurements(
        costs=costs,
        effective=effective_field(network, n_channels, n_dims, size=size),
        upsampling=check_upsampling(network, n_channels, n_dims),
        border=border_influence(network, n_channels, n_dims, size=128 if n_dims == 2 else 16),
        activations=check_activations(network, n_channels, n_dims, size=64 if n_dims == 2 else 32),
    )


def _changed(trace: Trace) -> tuple[tuple[int, int] | None, ...]:
    if not trace.sights:
        return ()
    return influenced_region(trace, tuple(size // 2 for size in trace.input_shape[2:]))


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
