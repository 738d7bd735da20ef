"""What is to be inspected: a network by name and options, a plan file or a run, and its input."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from pixelwise.core.errors import BadPlan, Problem, raise_errors
from pixelwise.core.plan import Plan, network_input
from pixelwise.networks import NETWORKS, NetworkIO, build_network, check_size, field_of
from pixelwise.planning.plan_file import change_plan, load_plan, read_pins
from pixelwise.runs.folder import open_run
from pixelwise.tasks import build_task

_DEFAULT_SIZE, _DEFAULT_CHANNELS, _DEFAULT_CLASSES = 256, 3, 2
_OPTIONS = "network.options."


@dataclass(frozen=True, slots=True)
class Subject:
    """A network to be explained, the input (n, c, [z,] y, x) to do it with, its outputs."""

    name: str
    network: nn.Module
    input_shape: tuple[int, ...]
    n_outputs: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user says about the input: (c, [z,] y, x), None for what suits the network.

    is_loose: sizes that the network cannot take are rounded up, channels are its own.
    """

    shape: tuple[int, ...] | None = None
    n_outputs: int = _DEFAULT_CLASSES
    is_loose: bool = False


def find_subject(what: str | Path, wanted: Wanted, settings: Sequence[str] = ()) -> Subject:
    """The network that a name, a plan file or a run folder stands for, and its input.

    A name may carry options, "unet:width=16,skip=add". settings: further options, as
    "network.options.width=16" or "width=16".
    Raises: BadPlan, UnknownName, BadRun, ShapeMismatch.
    """
    path = Path(what)
    settings = [_full(setting) for setting in settings]
    if path.is_dir():
        run = open_run(path)
        plan = change_plan(run.read_plan(), settings) if settings else run.read_plan()
        subject = _of_plan(plan, f"{plan.network.name} of {path.resolve().name}", wanted)
        run.load_weights_into(subject.network)
        return subject
    if path.suffix == ".json":
        plan = change_plan(load_plan(path), settings) if settings else load_plan(path)
        return _of_plan(plan, plan.network.name, wanted)
    return _registered(str(what), wanted, settings)


def parse_input(value: str | Sequence[int] | None) -> tuple[int, ...] | None:
    """(c, [z,] y, x) of "256x256x3" or numbers in that order. Raises BadPlan."""
    if value is None:
        return None
    text = value if isinstance(value, str) else "x".join(str(number) for number in value)
    is_size = re.fullmatch(r"\d+(x\d+)+", text.lower()) is not None
    numbers = [int(part) for part in text.lower().split("x")] if is_size else []
    if len(numbers) not in (3, 4) or min(numbers, default=0) < 1:
        raise BadPlan(
            f"the input is {text!r}",
            "rows, columns and channels such as 572x572x1, or slices first for volumes",
            "Write --input 256x256x3.",
            code="bad-input-size",
        )
    return (numbers[-1], *numbers[:-1])


def parse_pixel(value: str | Sequence[int] | None) -> tuple[int, ...] | None:
    """([z,] y, x) of "120,64" or numbers in that order. Raises BadPlan."""
    if value is None:
        return None
    text = value if isinstance(value, str) else ",".join(str(number) for number in value)
    if re.fullmatch(r"\d+(,\d+){1,2}", text.replace(" ", "")) is None:
        raise BadPlan(
            f"the pixel is {text!r}",
            "row and column such as 120,64, slice first for volumes",
            "Write --pixel 120,64.",
            code="bad-pixel",
        )
    return tuple(int(part) for part in text.split(","))


def _full(setting: str) -> str:
    return setting if "." in setting.partition("=")[0] else _OPTIONS + setting


def _registered(text: str, wanted: Wanted, settings: Sequence[str]) -> Subject:
    name, _, inline = text.partition(":")
    given = [_OPTIONS + part for part in inline.split(",") if part]
    options = _read_options(name, [*given, *settings])
    channels, *spatial = wanted.shape or (_DEFAULT_CHANNELS, _DEFAULT_SIZE, _DEFAULT_SIZE)
    raise_errors(NETWORKS.check(name, options), BadPlan)
    network = build_network(name, NetworkIO(len(spatial), channels, wanted.n_outputs), options)
    shown = ", ".join(f"{key} {value}" for key, value in options.items())
    shape = _fitting(network, name, channels, spatial, wanted)
    return Subject(f"{name} ({shown})" if shown else name, network, shape, wanted.n_outputs)


def _read_options(name: str, settings: Sequence[str]) -> dict[str, Any]:
    NETWORKS.find(name)
    values = read_pins(settings).values
    raise_errors(
        [
            Problem(
                f"the setting {key} is no option of a network",
                f"{_OPTIONS}NAME=VALUE, or NAME=VALUE for short",
                "Give a plan or a run to set other fields.",
                code="bad-setting",
            )
            for key in values
            if not key.startswith(_OPTIONS)
        ],
        BadPlan,
    )
    return {key.removeprefix(_OPTIONS): value for key, value in values.items()}


def _of_plan(plan: Plan, name: str, wanted: Wanted) -> Subject:
    n_dims, n_channels = network_input(plan)
    n_outputs = build_task(
        plan.task.name, len(plan.data.classes), dict(plan.task.options)
    ).n_outputs
    io = NetworkIO(n_dims, n_channels, n_outputs)
    network = build_network(plan.network.name, io, dict(plan.network.options))
    channels, *spatial = wanted.shape or (n_channels, *plan.sampling.patch)
    if len(spatial) != n_dims or (channels != n_channels and not wanted.is_loose):
        raise BadPlan(
            f"the input has {channels} channels and {len(spatial)} dimensions",
            f"{n_channels} channels and {n_dims} dimensions, as in the plan of {name}",
            "Change --input.",
            code="bad-input-size",
        )
    shape = _fitting(network, plan.network.name, n_channels, spatial, wanted)
    return Subject(name, network, shape, n_outputs)


def _fitting(
    network: nn.Module, name: str, channels: int, spatial: Sequence[int], wanted: Wanted
) -> tuple[int, ...]:
    field = field_of(network)
    if wanted.shape is not None and not wanted.is_loose:
        check_size(field, spatial, name)
        return (1, channels, *spatial)
    return (1, channels, *(field.valid_size(size) for size in spatial))
