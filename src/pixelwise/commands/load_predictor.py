"""An engine becomes a predictor on the images' own grid: with the tiles and grid of the plan."""

from __future__ import annotations

from torch import nn

from pixelwise.core.plan import InferenceSection, Plan, network_input
from pixelwise.inference.engines import Engine, TorchEngine
from pixelwise.inference.predictor import Predictor
from pixelwise.inference.resampled import GridPredictor, on_plan_grid
from pixelwise.inference.whole_image import WholeImage
from pixelwise.networks import Field
from pixelwise.runs.trained_network import planned_task


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


def make_labeller(
    engine: Engine, field: Field, plan: Plan, section: InferenceSection
) -> Predictor | GridPredictor | WholeImage:
    """As make_predictor, and single objects are told apart where the plan's task knows them."""
    predictor, task = make_predictor(engine, field, plan, section), planned_task(plan)
    return predictor if task.decode_objects is None else WholeImage(predictor, task)
