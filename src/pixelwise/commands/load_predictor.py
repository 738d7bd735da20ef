"""A run becomes a predictor on this machine: network, engine, tiles, the grid of the plan."""

from __future__ import annotations

from torch import nn

from pixelwise.core.plan import InferenceSection, Plan, network_input
from pixelwise.core.runtime import usable_cores, use_threads
from pixelwise.inference.engines import Engine, TorchEngine
from pixelwise.inference.predictor import Predictor
from pixelwise.inference.resampled import GridPredictor, on_plan_grid
from pixelwise.networks import Field, field_of
from pixelwise.runs.folder import RunFolder
from pixelwise.runs.trained_network import load_network, planned_task


def load_predictor(
    run: RunFolder, plan: Plan, section: InferenceSection | None = None
) -> Predictor | GridPredictor:
    """The network of a run, ready to label on this machine.

    section: how images are labelled, the plan's own by default.
    Raises BadRun if the weights are missing, damaged or of another network, and BadPlan
    if the run was trained with a user's own network that was not loaded with `use`.
    """
    use_threads(usable_cores())
    network = load_network(run, plan)
    return make_predictor(torch_engine(network, plan), field_of(network), plan, section)


def torch_engine(network: nn.Module, plan: Plan) -> TorchEngine:
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
