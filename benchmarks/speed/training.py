"""Images per second of our training against the same module trained plainly, and bare."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.commands.plan import plan as make_plan
from pixelwise.commands.training_cases import make_sampler
from pixelwise.core.plan import Plan
from pixelwise.core.runtime import MEMORY_FORMATS, usable_cores, use_threads
from pixelwise.data.patches import PatchSampler
from pixelwise.data.synthetic_files import write_dataset
from pixelwise.learning.fit import Until, fit
from pixelwise.learning.state import TrainingState, start_state
from pixelwise.losses import LOSSES
from pixelwise.networks import NetworkIO, build_network

ROUNDS, STEPS = 5, 3
SETTINGS = (
    "network.name=unet",
    "network.options.width=16",
    "sampling.patch=[192,192]",
    "sampling.batch=8",
)
LEAST_OVER_PLAIN = {"bfloat16": 2.5, "float32": 1.2}
LEAST_OF_BARE = 0.85

Step = Callable[[], None]


def measure() -> dict[str, Any]:
    """Three ways in turn, round after round; ratios are medians over the rounds."""
    use_threads(usable_cores())
    with tempfile.TemporaryDirectory() as folder:
        data = write_dataset(
            Path(folder) / "data", n_train=8, n_val=1, n_test=1, shape=(256, 256), seed=0
        )
        proposal = make_plan(data, budget="5m", settings=SETTINGS)
        plan = _in_fastest_format(proposal.plan)
        sampler = _make_sampler(plan, proposal)
        batch = sampler.draw(0)
        ways = {
            "ours": _ours(plan, sampler),
            "plain": _plain(plan, batch.images, batch.target),
            "bare": _bare(plan, batch.images),
        }
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS + 1):
            for name, step in ways.items():
                started = time.perf_counter()
                for _ in range(STEPS):
                    step()
                rates[name].append(STEPS * plan.sampling.batch / (time.perf_counter() - started))
    medians = {name: statistics.median(values[1:]) for name, values in rates.items()}
    over_plain = _ratio(rates["ours"], rates["plain"])
    of_bare = _ratio(rates["ours"], rates["bare"])
    precision = plan.training.precision
    return {
        "network": "unet, width 16, batch 8, patch 192 x 192",
        "arithmetic": f"{precision}, {plan.training.memory_format}",
        **{f"images_per_second_{name}": round(rate, 2) for name, rate in medians.items()},
        "ours_over_plain": round(over_plain, 2),
        "ours_over_bare": round(of_bare, 2),
        "kept": {
            "over_plain": over_plain >= LEAST_OVER_PLAIN[precision],
            "of_bare": of_bare >= LEAST_OF_BARE,
        },
    }


def _ratio(one: list[float], other: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(one[1:], other[1:], strict=True))


def _make_sampler(plan: Plan, proposal: Any) -> PatchSampler:
    return make_sampler(plan, proposal.dataset.of_split("train"), proposal.facts)


def _build(plan: Plan) -> nn.Module:
    torch.manual_seed(0)
    io = NetworkIO(plan.data.n_dims, plan.data.n_channels, len(plan.data.classes))
    return build_network(plan.network.name, io, dict(plan.network.options))


def _ours(plan: Plan, sampler: PatchSampler) -> Step:
    """One step of our loop: drawing, augmenting, forward, loss, backward, optimizer, average."""
    state: TrainingState = start_state(
        _build(plan), plan.optimizer, plan.training, n_dims=plan.data.n_dims
    )
    state.pace = ((0, 10_000),)
    loss = LOSSES.build(plan.loss.name, options=dict(plan.loss.options))

    def step() -> None:
        until = Until(n_steps=state.step + 1)
        for _ in fit(state, sampler.draw, loss, plan.optimizer, until):
            pass

    return step


def _plain(plan: Plan, images: Tensor, target: Tensor) -> Step:
    """What one writes first: float32, contiguous, ready batches, cross-entropy, AdamW."""
    network = _build(plan)
    network.train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(network(images), target).backward()
        optimizer.step()

    return step


def _in_fastest_format(plan: Plan) -> Plan:
    """The plan in the arithmetic whose bare forward and backward pass is quickest here."""
    images = torch.randn(plan.sampling.batch, plan.data.n_channels, *plan.sampling.patch)
    seconds = {}
    for precision, layout in itertools.product(LEAST_OVER_PLAIN, ("contiguous", "channels_last")):
        update = {"precision": precision, "memory_format": layout}
        changed = plan.training.model_copy(update=update)
        candidate = plan.model_copy(update={"training": changed})
        seconds[precision, layout] = candidate, _best_seconds(_bare(candidate, images))
    return min(seconds.values(), key=lambda entry: entry[1])[0]


def _bare(plan: Plan, images: Tensor) -> Step:
    """Forward and backward alone, in the plan's arithmetic."""
    dtype = torch.bfloat16 if plan.training.precision == "bfloat16" else torch.float32
    layout = MEMORY_FORMATS[plan.training.memory_format, plan.data.n_dims]
    return _bare_in(_build(plan), images, dtype, layout)


def _bare_in(
    network: nn.Module, images: Tensor, dtype: torch.dtype, layout: torch.memory_format
) -> Step:
    network.train()
    network.to(memory_format=layout)  # type: ignore[call-overload]  # missing in the stub
    laid = images.contiguous(memory_format=layout)

    def step() -> None:
        network.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            answer = network(laid)
        answer.float().mean().backward()

    return step


def _best_seconds(step: Step) -> float:
    seconds = []
    for _ in range(4):
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:])
