"""A tiny network that learns a generated task, for tests of the training loop."""

from __future__ import annotations

from typing import Any

import torch

from pixelwise.core.plan import OptimizerSection, TrainingSection
from pixelwise.data.patches import Batch
from pixelwise.learning.state import TrainingState, start_state
from pixelwise.networks import NetworkIO, build_network

OPTIMIZER = OptimizerSection(
    learning_rate=0.01,
    weight_decay=0.01,
    warmup_share=0.1,
    final_share=0.01,
    averaging=0.9,
    gradient_clip=1.0,
)


def start(n_steps: int = 12, *, name: str = "unet", **options: Any) -> TrainingState:
    """A state at step 0; dropout makes it depend on the random state."""
    torch.manual_seed(0)
    options = options or {"width": 4, "depth": 1, "dropout": 0.2}
    network = build_network(name, NetworkIO(2, 1, 2), options)
    training = TrainingSection(
        steps=n_steps,
        budget_seconds=None,
        seed=0,
        precision="float32",
        memory_format="contiguous",
        threads=1,
    )
    return start_state(network, OPTIMIZER, training, n_dims=2)


def draw(step: int, *, size: int = 16) -> Batch:
    """Noise whose bright pixels are the foreground: easily learned."""
    generator = torch.Generator().manual_seed(step)
    images = torch.randn(2, 1, size, size, generator=generator)
    target = (images[:, 0] > 0.5).long()
    return Batch(images, target, torch.ones_like(target, dtype=torch.bool))
