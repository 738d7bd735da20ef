"""A run or a bundle, opened to label images: plan, engine, sizes that it takes, contract."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from pixelwise.commands.open_engine import AUTO, TRAINED, open_engine
from pixelwise.commands.run_engines import OpenedEngine
from pixelwise.core.errors import BadPlan
from pixelwise.core.plan import Plan
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.runtime import usable_cores, use_threads
from pixelwise.data.input_contract import InputContract, contract_of
from pixelwise.inference.onnx_engine import OnnxEngine
from pixelwise.inference.openvino_engine import OpenVINOEngine
from pixelwise.runs.bundle import Bundle, is_bundle, open_bundle
from pixelwise.runs.folder import RunFolder, open_run
from pixelwise.runs.trained_network import load_network


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """What labels images, wherever it came from: hand engine and field to `make_predictor`.

    network: the module itself, None from a bundle. contract: what the training images were
    like, None if nothing is known about them.
    """

    path: Path
    plan: Plan
    opened: OpenedEngine
    weights_sha256: str
    network: nn.Module | None
    contract: InputContract | None


def open_model(path: Path, *, engine: str = TRAINED, listener: Listener = SILENT) -> OpenedModel:
    """A run folder, or a bundle as a folder or zip. engine: see `open_engine`.

    A bundle has one precision; its network runs by ONNX Runtime, or by OpenVINO where that is
    asked for or its form. Raises BadRun, BadBundle, BadPlan, MissingExtra.
    """
    use_threads(usable_cores())
    if is_bundle(path):
        bundle = open_bundle(path)
        opened = _open_bundle_engine(bundle, engine)
        sha256 = bundle.manifest.weights_sha256
        return OpenedModel(path, bundle.plan, opened, sha256, None, bundle.contract)
    run = open_run(path)
    plan = run.read_plan()
    network = load_network(run, plan)
    opened = open_engine(engine, run, plan, network, listener=listener)
    sha256 = str(run.read_status().get("weights_sha256"))
    return OpenedModel(path, plan, opened, sha256, network, run_contract(run, plan))


def run_contract(run: RunFolder, plan: Plan) -> InputContract | None:
    """What the training images of a run were like, from its facts; None if these have gone."""
    if not (run.path / "facts.json").is_file():
        return None
    resamples = bool(plan.geometry.spacing)
    return contract_of(plan.data, plan.intensity, run.read_facts(), resamples=resamples)


def _open_bundle_engine(bundle: Bundle, engine: str) -> OpenedEngine:
    network = bundle.manifest.network
    own = "openvino" if bundle.weights is not None else "onnx"
    library, _, precision = engine.partition("-")
    can = (own,) if own == "openvino" else ("onnx", "openvino")
    is_known = engine in (AUTO, TRAINED) or library in can
    if not is_known or precision not in ("", network.precision):
        raise BadPlan(
            f"the bundle cannot be run by the engine {engine!r}",
            f"one of {', '.join(f'{name}-{network.precision}' for name in can)}",
            "Export it in the precision or form that you want.",
            path=bundle.path,
            code="bundle-engine",
        )
    if own == "onnx" and library != "openvino":
        found: OnnxEngine | OpenVINOEngine = OnnxEngine(
            bundle.model, bundle.field, fixed=network.fixed, precision=network.precision
        )
    else:
        found = OpenVINOEngine(
            bundle.model,
            bundle.field,
            weights=bundle.weights,
            fixed=network.fixed,
            precision=network.precision,
        )
    return OpenedEngine(found, bundle.field)
