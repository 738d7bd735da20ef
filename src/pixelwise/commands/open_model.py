"""A run or a bundle, opened to label images: plan, engine, and the sizes that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pixelwise.commands.open_engine import AUTO, TRAINED, open_engine
from pixelwise.commands.run_engines import OpenedEngine
from pixelwise.core.errors import BadPlan
from pixelwise.core.plan import Plan
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.runtime import usable_cores, use_threads
from pixelwise.inference.onnx_engine import OnnxEngine
from pixelwise.inference.openvino_engine import OpenVINOEngine
from pixelwise.runs.bundle import Bundle, is_bundle, open_bundle
from pixelwise.runs.folder import open_run
from pixelwise.runs.trained_network import load_network


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """What labels images, wherever it came from: hand engine and field to `make_predictor`."""

    path: Path
    plan: Plan
    opened: OpenedEngine
    weights_sha256: str


def open_model(path: Path, *, engine: str = TRAINED, listener: Listener = SILENT) -> OpenedModel:
    """A run folder, or a bundle as a folder or zip. engine: see `open_engine`.

    A bundle has one precision; its network runs by ONNX Runtime, or by OpenVINO where that is
    asked for or its form. Raises BadRun, BadBundle, BadPlan, MissingExtra.
    """
    use_threads(usable_cores())
    if is_bundle(path):
        bundle = open_bundle(path)
        opened = _open_bundle_engine(bundle, engine)
        return OpenedModel(path, bundle.plan, opened, bundle.manifest.weights_sha256)
    run = open_run(path)
    plan = run.read_plan()
    opened = open_engine(engine, run, plan, load_network(run, plan), listener=listener)
    return OpenedModel(path, plan, opened, str(run.read_status().get("weights_sha256")))


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
