"""The trained network of a run: built as planned, filled with the weights that were scored."""

from __future__ import annotations

from torch import nn

from pixelwise.core.errors import BadPlan
from pixelwise.core.plan import Plan, network_input
from pixelwise.core.registry import suggest
from pixelwise.networks import NETWORKS, NetworkIO, build_network
from pixelwise.runs.folder import RunFolder
from pixelwise.tasks import Task, build_task


def load_network(run: RunFolder, plan: Plan) -> nn.Module:
    """The network of a run, in evaluation mode.

    Raises BadRun if the weights are missing, damaged or of another network, and BadPlan
    if the run was trained with a user's own network that was not loaded with `use`.
    """
    if plan.network.name not in NETWORKS.names():
        raise BadPlan(
            f"the run's network {plan.network.name!r} is not one of ours",
            f"one of {', '.join(NETWORKS.names())}",
            "If it was trained with --use FILE, give the same file again. "
            + suggest(plan.network.name, NETWORKS.names()),
            path=run.path,
            code="unknown-name",
        )
    io = NetworkIO(*network_input(plan), planned_task(plan).n_outputs)
    network = build_network(plan.network.name, io, dict(plan.network.options))
    run.load_weights_into(network)
    return network.eval()


def planned_task(plan: Plan) -> Task:
    """How the network's outputs become labels."""
    return build_task(plan.task.name, len(plan.data.classes), dict(plan.task.options))
