"""A run becomes a predictor on this machine: network, engine, tiles, the grid of the plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from pixelwise.commands.tiling import PLANNED, Tiling, apply_tiling
from pixelwise.core.plan import InferenceSection, Plan, network_input
from pixelwise.core.runtime import usable_cores, use_threads
from pixelwise.inference.engines import Engine, TorchEngine
from pixelwise.inference.predictor import Predictor
from pixelwise.inference.resampled import GridPredictor, on_plan_grid
from pixelwise.networks import Field, field_of
from pixelwise.runs.folder import RunFolder
from pixelwise.runs.trained_network import load_network, planned_task


@dataclass(frozen=True, slots=True)
class LoadedRun:
    """A predictor, and what it was made of."""

    predictor: Predictor | GridPredictor
    engine: Engine
    network: nn.Module
    section: InferenceSection


def load_predictor(
    run: RunFolder,
    plan: Plan,
    tiling: Tiling = PLANNED,
    open_engine: Callable[[nn.Module], tuple[Engine, Field]] | None = None,
) -> LoadedRun:
    """The network of a run, ready to label on this machine.

    open_engine: makes an engine of the network, with the sizes that it takes; PyTorch in the
    arithmetic of the training by default.
    Raises BadRun if the weights are missing, damaged or of another network, and BadPlan
    if the run was trained with a user's own network that was not loaded with `use`, or for
    a tiling that cannot be.
    """
    use_threads(usable_cores())
    network = load_network(run, plan)
    section = apply_tiling(tiling, plan, network)
    if open_engine is None:
        engine, field = torch_engine(network, plan), field_of(network)
    else:
        engine, field = open_engine(network)
    return LoadedRun(make_predictor(engine, field, plan, section), engine, network, section)


def torch_engine(network: nn.Module, plan: Plan) -> Engine:
    """A network in PyTorch, in the arithmetic of its plan."""
    return TorchEngine(
        network,
        precision=plan.training.precision,
        memory_format=plan.training.memory_format,
        n_dims=network_input(plan)[0],
    )


def make_predictor(
    engine: Engine, field: Field, plan: Plan, section: InferenceSection | None = None
) -> Predictor | GridPredictor:
    """An engine for a plan's network becomes a predictor on the images' own grid."""
    task, data = planned_task(plan), plan.data
    predictor = Predictor(engine, field, task, section or plan.inference)
    return on_plan_grid(predictor, task, plan.geometry, spacing=data.spacing, unit=data.unit)
