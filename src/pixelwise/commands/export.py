"""export: a run as one safe bundle that runs anywhere: network, contract, runner, test, hashes."""

from __future__ import annotations

import dataclasses
import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from torch import nn

from pixelwise.commands.choose_engine import choose_engine
from pixelwise.commands.export_bioimageio import bioimageio_files
from pixelwise.commands.export_card import anonymous_plan, plain_scores, write_card
from pixelwise.commands.export_test_pair import (
    TestImage,
    label_array,
    make_test_image,
    read_test_image,
)
from pixelwise.commands.open_model import run_contract
from pixelwise.commands.run_engines import REFERENCE, RunEngines
from pixelwise.core.errors import BadPlan, ProgramError
from pixelwise.core.plan import Plan, network_input
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.runtime import environment, usable_cores, use_threads
from pixelwise.core.user_parts import load_user_parts
from pixelwise.inference.onnx_network import OnnxNetwork
from pixelwise.inference.openvino_form import to_openvino
from pixelwise.runs.bundle import CONTRACT, write_bundle
from pixelwise.runs.engine_choice import valid_engine_choice
from pixelwise.runs.folder import RunFolder, open_run
from pixelwise.runs.runner_file import runner_source
from pixelwise.runs.runner_main import Runner
from pixelwise.runs.trained_network import load_network, planned_task

Form = Literal["onnx", "openvino", "bioimageio"]
Precision = Literal["float32", "int8"]

_VERSIONS = ("pixelwise", "torch", "numpy", "python")
_FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written. agreement: engine -> share of the test pixels with the same label."""

    out: Path
    form: str
    precision: str
    n_bytes: int
    agreement: Mapping[str, float]


def export(
    run: str | Path,
    *,
    to: str = "onnx",
    out: str | Path,
    precision: str = "float32",
    test_image: str | Path | None = None,
    overwrite: bool = False,
    use: str | Path | None = None,
    listener: Listener = SILENT,
) -> ExportResult:
    """Write a run as a bundle: a zip if `out` ends in .zip, else a folder.

    to: "onnx" (runs with onnxruntime and numpy), "openvino", or "bioimageio" (the first, with
    what the BioImage Model Zoo asks for). precision: "int8" only if `choose_engine` found it
    right. test_image: a file whose pixels become the bundle's test image; by default it is
    generated, so that no data of anybody leaves. The runner in the bundle labels the test
    image before anything is written: its labels are those of the engine, pixel for pixel.
    Raises BadPlan for a form or precision that cannot be had, BadOutput if `out` exists.
    """
    if use is not None:
        load_user_parts(Path(use))
    _check(to, precision)
    use_threads(usable_cores())
    folder = open_run(Path(run))
    plan = folder.read_plan()
    network = load_network(folder, plan)
    engines = RunEngines(folder, plan, network)
    name = f"{'openvino' if to == 'openvino' else 'onnx'}-{precision}"
    if precision == "int8":
        _require_accepted(folder, name, use, listener)
    listener.say(f"Converting {plan.network.name} to {name}")
    opened = engines.open(name)
    model = engines.int8_model if precision == "int8" else engines.float_model
    image = read_test_image(Path(test_image), plan) if test_image else make_test_image(plan)
    labels = label_array(image.values, plan, opened)
    plain = label_array(image.values, plan, engines.open(REFERENCE))
    agreement = {REFERENCE: float((labels == plain).mean())}
    files, entry = _network_files(to, model, plan, network, precision)
    head = {
        "form": to,
        "made_with": {key: environment()[key] for key in _VERSIONS},
        "weights_sha256": str(folder.read_status().get("weights_sha256")),
        "network": entry,
        "test": {"input": "test/input.npy", "labels": "test/labels.npy"},
    }
    files |= _documents(folder, plan, head, agreement)
    files |= {"test/input.npy": npy(image.stored), "test/labels.npy": npy(labels)}
    if to == "bioimageio":
        files |= bioimageio_files(folder, plan, opened, image.values, files)
    _require_runner_agrees(files, head, image, labels)
    write_bundle(Path(out), files, head, overwrite=overwrite)
    n_bytes = sum(len(content) for content in files.values())
    return ExportResult(Path(out), to, precision, n_bytes, agreement)


def _check(to: str, precision: str) -> None:
    for value, known, option in ((to, get_args(Form), "to"), (precision, get_args(Precision), "")):
        if value not in known:
            raise BadPlan(
                f"--{option or 'precision'} is {value!r}",
                f"one of {', '.join(known)}",
                "Choose one of these.",
                code="unknown-name",
            )


def _require_accepted(
    folder: RunFolder, name: str, use: str | Path | None, listener: Listener
) -> None:
    """Raise BadPlan unless int8 was found right on validation cases, on this machine."""
    choice = valid_engine_choice(folder)
    figures = choice.figures(name) if choice else None
    if figures is None or (figures.dice is None and not figures.is_accepted):
        choice = choose_engine(folder.path, all_engines=True, use=use, listener=listener)
        figures = choice.figures(name)
    if figures is None or not figures.is_accepted:
        raise BadPlan(
            f"{name} was not found right for this run: {figures.note if figures else 'unknown'}",
            "a mean Dice that falls by 0.002 at most, and no class by more than 0.005",
            "Export with --precision float32.",
            path=folder.path,
            code="int8-refused",
        )


def _network_files(
    to: str, model: OnnxNetwork, plan: Plan, network: nn.Module, precision: str
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The network's files, and its entry in the manifest."""
    entry = {
        "file": "network.onnx",
        "weights": None,
        "precision": precision,
        "n_outputs": planned_task(plan).n_outputs,
        "field": dataclasses.asdict(model.field),
        "fixed": model.fixed,
        "needs_bytes": 2 * len(model.model) + _tile_bytes(plan, network),
    }
    if to != "openvino":
        return {"network.onnx": model.model}, entry
    xml, weights = to_openvino(model.model)
    entry |= {"file": "network.xml", "weights": "network.bin"}
    return {"network.xml": xml, "network.bin": weights}, entry


def _tile_bytes(plan: Plan, network: nn.Module) -> int:
    """A tile and the widest maps on it: less than a runtime takes, never more."""
    n_dims, n_channels = network_input(plan)
    pixels = int(np.prod([t + 2 * h for t, h in zip(plan.inference.tile, plan.inference.halo)]))
    first = next((m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Conv3d)), None)
    width = n_channels
    if first is not None:
        width += first.out_channels // max(first.stride) ** n_dims
    return plan.inference.batch * pixels * width * _FLOAT_BYTES


def _documents(
    folder: RunFolder, plan: Plan, head: Mapping[str, Any], agreement: Mapping[str, float]
) -> dict[str, bytes]:
    texts = {
        "plan.json": _json(anonymous_plan(plan).model_dump(mode="json")),
        "scores.json": _json(plain_scores(folder.read_scores())),
        "runner.py": runner_source(),
        "README.md": write_card(folder, plan, head, agreement),
    }
    contract = run_contract(folder, plan)
    if contract is not None:
        texts[CONTRACT] = _json(contract.model_dump(mode="json"))
    return {name: text.encode("utf-8") for name, text in texts.items()}


def _require_runner_agrees(
    files: Mapping[str, bytes], head: Mapping[str, Any], image: TestImage, labels: Any
) -> None:
    """Label the test image with the runner that ships: a bundle that differs is never written."""
    with tempfile.TemporaryDirectory(prefix="pixelwise-") as place:
        folder = Path(place) / "bundle"
        write_bundle(folder, files, head)
        found = Runner(folder).label(image.stored)
    if found.shape != labels.shape or (found != labels).any():
        share = float((found == labels).mean()) if found.shape == labels.shape else 0.0
        raise ProgramError(f"the runner gives other labels: {share:.6%} of the pixels are equal")


def npy(values: Any) -> bytes:
    """An array as the bytes of a .npy file."""
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(values), allow_pickle=False)
    return stream.getvalue()


def _json(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
