"""A network with its batches as the planner considers it, and what it costs on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pixelwise.core.plan import PartSection

DEFAULT_LOSS = PartSection(name="cross-entropy-dice")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network with the batches that it would be trained on.

    precision, memory_format: the arithmetic that was asked for, None to take the fastest.
    """

    network: PartSection
    n_dims: int
    n_channels: int
    n_classes: int
    patch: tuple[int, ...]
    batch: int
    loss: PartSection = DEFAULT_LOSS
    precision: str | None = None
    memory_format: str | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a candidate costs on this machine, in its fastest arithmetic.

    training_bytes: network, optimizer and activations of one step, without the data.
    has_norm: whether the network holds batch, instance or another norm.
    """

    step_seconds: float
    pixels_per_second: float
    training_bytes: int
    n_parameters: int
    precision: str
    memory_format: str
    sentence: str
    has_norm: bool = True


Measure = Callable[[Candidate], Measurement]


def describe_network(network: PartSection) -> str:
    """A network with its options, for people: unet (width 16, depth 4)."""
    options = ", ".join(f"{key} {value}" for key, value in network.options.items())
    return f"{network.name} ({options})" if options else network.name
