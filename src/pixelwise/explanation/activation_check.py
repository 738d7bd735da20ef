"""Which activations of a network die, vanish or explode at its present weights."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from pixelwise.core.records import Record
from pixelwise.explanation.watching import watched
from pixelwise.networks import field_of

_ACTIVATIONS = (
    "relu", "leaky_relu", "_prelu_kernel", "elu", "gelu", "silu", "hardswish", "hardtanh", "mish",
)  # fmt: skip
_DEAD_SHARE, _VANISHED, _EXPLODED = 0.5, 1e-3, 1e3


class ActivationCheck(Record):
    """One activation layer at its start: spread of its output, share of dead channels."""

    module: str
    spread: float
    dead_share: float
    verdict: str


def check_activations(
    network: nn.Module, n_channels: int, n_dims: int = 2, *, size: int = 64
) -> tuple[ActivationCheck, ...]:
    """Pass unit noise through a network in training mode: which activations die or explode?

    A channel is dead if it is 0 (or constant) everywhere in a batch of four images.
    Activations are found whether they are modules or function calls.
    """
    twin = copy.deepcopy(network).float().train()
    found: list[ActivationCheck] = []

    def note(module: str, name: str, arguments: dict[str, Any], results: tuple[Any, ...]) -> None:
        if name.removesuffix("_") in _ACTIVATIONS and isinstance(results[0], Tensor):
            flat = results[0].transpose(0, 1).flatten(1)
            dead = float((flat.std(dim=1) == 0).float().mean())
            found.append(_judge_activation(module, float(flat.std()), dead))

    generator = torch.Generator().manual_seed(0)
    edge = field_of(network).valid_size(size)
    images = torch.randn(4, n_channels, *(edge,) * n_dims, generator=generator)
    with torch.no_grad(), watched(twin, note):
        twin(images)
    return tuple(found)


def _judge_activation(name: str, spread: float, dead: float) -> ActivationCheck:
    if not spread < _EXPLODED:
        verdict = "explodes"
    elif spread < _VANISHED:
        verdict = "vanishes"
    elif dead > _DEAD_SHARE:
        verdict = "mostly dead"
    else:
        verdict = "lively"
    return ActivationCheck(
        module=name, spread=round(spread, 5), dead_share=round(dead, 4), verdict=verdict
    )
