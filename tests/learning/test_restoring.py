"""A restored training goes on exactly as if it had not been interrupted."""

from __future__ import annotations

from typing import Literal

import pytest
import torch

from pixelwise.core.plan import OptimizerSection, TrainingSection
from pixelwise.learning.state import (
    TrainingState,
    restore_state,
    start_state,
    state_tensors,
    update_average,
)
from pixelwise.networks import NetworkIO, build_network

OPTIMIZER = OptimizerSection(
    learning_rate=1e-3,
    weight_decay=1e-4,
    warmup_share=0.1,
    final_share=0.01,
    averaging=0.99,
    gradient_clip=1.0,
)


def start(
    memory_format: Literal["contiguous", "channels_last"],
    precision: Literal["float32", "bfloat16"],
) -> TrainingState:
    torch.manual_seed(0)
    network = build_network("unet", NetworkIO(2, 1, 2), {"width": 4, "depth": 2})
    training = TrainingSection(
        steps=10,
        budget_seconds=None,
        seed=0,
        precision=precision,
        memory_format=memory_format,
        threads=1,
    )
    return start_state(network, OPTIMIZER, training, n_dims=2)


def take_step(state: TrainingState) -> None:
    generator = torch.Generator().manual_seed(state.step)
    images = torch.randn(2, 1, 32, 32, generator=generator)
    state.optimizer.zero_grad()
    logits = state.forward(images.to(memory_format=state.memory_format))
    state.fabric.backward(logits.float().pow(2).mean())
    state.optimizer.step()
    state.step += 1
    update_average(state, 0.99)


@pytest.mark.parametrize("memory_format", ["contiguous", "channels_last"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_restored_state_goes_on_exactly(
    memory_format: Literal["contiguous", "channels_last"],
    precision: Literal["float32", "bfloat16"],
) -> None:
    """Files keep no memory layout, so tensors come back contiguous whatever they were."""
    straight = start(memory_format, precision)
    for _ in range(3):
        take_step(straight)
    tensors, numbers = state_tensors(straight)
    stored = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
    resumed = start(memory_format, precision)
    restore_state(resumed, stored, numbers)
    for _ in range(3):
        take_step(straight)
        take_step(resumed)
    assert resumed.step == 6
    for module, other in (
        (straight.network, resumed.network),
        (straight.averaged, resumed.averaged),
    ):
        again = other.state_dict()
        assert all(torch.equal(value, again[name]) for name, value in module.state_dict().items())
