"""Starting a training from published weights: the file is checked, matched and written down."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from torch import nn

from pixelwise.core.errors import BadPlan, UnreadableFile
from pixelwise.core.files import hash_file
from pixelwise.core.plan import Plan, network_input
from pixelwise.core.progress import Listener
from pixelwise.networks import NetworkIO, build_network
from pixelwise.networks.published import WeightMatch, take_published_weights
from pixelwise.runs.folder import RunFolder
from pixelwise.runs.published_weights import read_published_weights
from pixelwise.tasks import build_task


def require_weights_file(path: object) -> None:
    """Raise UnreadableFile unless published weights that were asked for are a file."""
    if path is not None and not Path(str(path)).is_file():
        raise UnreadableFile(
            "there is no such file of published weights",
            "a .safetensors, .pt or .pth file with the tensors of VGG16",
            "Check the path after network.weights=.",
            path=Path(str(path)),
            code="missing-weights",
        )


def with_checked_weights(plan: Plan) -> Plan:
    """The plan with the full path and hash of its published weights, which fit its network.

    Without published weights the plan itself. Raises UserError if the file is missing or
    unreadable, is another one than the plan was made with, or fits the network nowhere.
    """
    section = plan.network
    if section.weights is None:
        return plan
    path = _verified_file(plan)
    task = build_task(plan.task.name, len(plan.data.classes), dict(plan.task.options))
    io = NetworkIO(*network_input(plan), task.n_outputs)
    network = build_network(section.name, io, dict(section.options))
    take_published_weights(network, read_published_weights(path))
    update = {"weights": str(path), "weights_sha256": hash_file(path)}
    return plan.model_copy(update={"network": section.model_copy(update=update)})


def start_from_published(
    network: nn.Module, plan: Plan, folder: RunFolder, listener: Listener
) -> None:
    """Put the plan's published weights into its network, in place.

    All that matched goes into run.json and to the listener, a sentence into the page.
    """
    match = take_published_weights(network, read_published_weights(_verified_file(plan)))
    sentence = _describe(match, plan)
    listener.say(f"{sentence}\n{match.text()}")
    notes = [*folder.read_status().get("notes", ()), sentence]
    folder.save_status("started", notes=notes, published_weights=asdict(match))


def _verified_file(plan: Plan) -> Path:
    require_weights_file(plan.network.weights)
    path = Path(str(plan.network.weights)).resolve()
    wanted, found = plan.network.weights_sha256, hash_file(path)
    if wanted not in (None, found):
        raise BadPlan(
            f"its content is not what the plan was made with (SHA-256 {found[:12]}…)",
            f"a file with SHA-256 {str(wanted)[:12]}…",
            "Use that file, or make a new plan.",
            path=path,
            code="other-weights",
        )
    return path


def _describe(match: WeightMatch, plan: Plan) -> str:
    """One sentence for the notes of a run."""
    n_left = len(match.left)
    left = f", {n_left} of the encoder keep their random start" if n_left else ""
    return (
        f"Training began with published weights: {len(match.matched)} tensors of "
        f"{Path(str(plan.network.weights)).name} (SHA-256 "
        f"{str(plan.network.weights_sha256)[:12]}…) were taken over{left}."
    )
