"""The one mutable object: network, averaged network, optimizer, step and random state."""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass, field
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from pixelwise.core.errors import BadRun
from pixelwise.core.plan import OptimizerSection, TrainingSection
from pixelwise.core.runtime import MEMORY_FORMATS, lay_out
from pixelwise.learning.schedule import Pace

logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces its precision

FABRIC_PRECISION: dict[str, Any] = {"float32": "32-true", "bfloat16": "bf16-mixed"}


@dataclass
class TrainingState:
    """What changes while a network learns; everything needed to go on exactly as before.

    `averaged` holds an exponential average of weights and buffers: it is what is scored
    and used. `seconds` is the training time spent so far, over all sessions.
    """

    network: nn.Module
    averaged: nn.Module
    optimizer: torch.optim.Optimizer
    fabric: Fabric
    forward: nn.Module
    memory_format: torch.memory_format
    pace: Pace
    step: int = 0
    seconds: float = 0.0
    n_skipped: int = 0
    losses: list[float] = field(default_factory=list)


def start_state(
    network: nn.Module, optimizer: OptimizerSection, training: TrainingSection, *, n_dims: int
) -> TrainingState:
    """Put a network on the device in the planned arithmetic, with its optimizer."""
    memory_format = MEMORY_FORMATS[training.memory_format, n_dims]
    fabric = Fabric(accelerator="auto", devices=1, precision=FABRIC_PRECISION[training.precision])
    lay_out(network, memory_format)
    parameters = [
        {"params": list(_decayed(network)), "weight_decay": optimizer.weight_decay},
        {"params": list(_not_decayed(network)), "weight_decay": 0.0},
    ]
    adamw = torch.optim.AdamW(parameters, lr=optimizer.learning_rate, fused=True)
    forward, wrapped = fabric.setup(network, adamw)
    averaged = copy.deepcopy(network).requires_grad_(False).eval()
    pace = training.pace or ((0, training.steps or 1),)
    return TrainingState(network, averaged, wrapped, fabric, forward, memory_format, pace)


def update_average(state: TrainingState, decay: float) -> None:
    """Move the averaged weights and buffers towards the current ones (Polyak averaging).

    The decay grows from 0 with the steps, so that the start is forgotten quickly.
    """
    now = min(decay, (1 + state.step) / (10 + state.step))
    with torch.no_grad():
        for average, current in _pairs(state.averaged, state.network):
            if average.dtype.is_floating_point:
                average.lerp_(current, 1.0 - now)
            else:
                average.copy_(current)


def state_tensors(state: TrainingState) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Everything to be stored: tensors by name, and a few numbers for JSON."""
    tensors = {f"network.{k}": v for k, v in state.network.state_dict().items()}
    tensors |= {f"averaged.{k}": v for k, v in state.averaged.state_dict().items()}
    stored = state.optimizer.state_dict()
    for index, slots in stored["state"].items():
        tensors |= {
            f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in slots.items()
        }
    tensors["random.torch"] = torch.get_rng_state()
    numbers = {
        "step": state.step,
        "seconds": state.seconds,
        "pace": [list(entry) for entry in state.pace],
        "n_skipped": state.n_skipped,
        "losses": state.losses,
    }
    return tensors, numbers


def restore_state(
    state: TrainingState, tensors: dict[str, Tensor], numbers: dict[str, Any]
) -> None:
    """Bring a freshly started state to a stored one, in place.

    Raises BadRun if the stored weights belong to another network.
    """
    groups: dict[str, dict[str, Tensor]] = {"network": {}, "averaged": {}, "optimizer": {}}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition(".")
        if kind in groups:
            groups[kind][rest] = tensor
    try:
        state.network.load_state_dict(groups["network"])
        state.averaged.load_state_dict(groups["averaged"])
    except RuntimeError as error:
        raise BadRun(
            f"the stored training state does not fit the planned network: {error}",
            "the state that was written with this plan",
            "Start a new run, or restore the run's own plan.json.",
            code="foreign-state",
        ) from error
    parameters = [p for group in state.optimizer.param_groups for p in group["params"]]
    slots: dict[int, dict[str, Tensor]] = {}
    for name, tensor in groups["optimizer"].items():
        index, _, slot = name.partition(".")
        slots.setdefault(int(index), {})[slot] = _laid_out_like(parameters[int(index)], tensor)
    stored = state.optimizer.state_dict()
    state.optimizer.load_state_dict({"state": slots, "param_groups": stored["param_groups"]})
    torch.set_rng_state(tensors["random.torch"])
    state.step = int(numbers["step"])
    state.seconds = float(numbers["seconds"])
    state.pace = tuple((int(a), int(b)) for a, b in numbers["pace"])
    state.n_skipped = int(numbers["n_skipped"])
    state.losses = [float(value) for value in numbers["losses"]]


def _laid_out_like(parameter: Tensor, tensor: Tensor) -> Tensor:
    """The tensor in its parameter's memory layout: the fused optimizer walks both as they lie."""
    if tensor.shape != parameter.shape:
        return tensor
    return torch.empty_like(parameter).copy_(tensor)


def _pairs(first: nn.Module, second: nn.Module) -> list[tuple[Tensor, Tensor]]:
    one, other = first.state_dict(), second.state_dict()
    return [(one[name], other[name]) for name in one]


def _decayed(network: nn.Module) -> list[nn.Parameter]:
    return [p for p in network.parameters() if p.requires_grad and p.ndim > 1]


def _not_decayed(network: nn.Module) -> list[nn.Parameter]:
    return [p for p in network.parameters() if p.requires_grad and p.ndim <= 1]
