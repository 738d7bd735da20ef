"""The engines of a run: its network in PyTorch, and converted, each in several precisions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from torch import nn

from pixelwise.commands.calibration_tiles import calibration_tiles
from pixelwise.commands.int8_network import to_int8
from pixelwise.commands.run_cases import split_cases
from pixelwise.core.errors import BadPlan
from pixelwise.core.plan import Plan, network_input
from pixelwise.core.registry import suggest
from pixelwise.core.runtime import has_bfloat16
from pixelwise.inference.engines import Engine, TorchEngine
from pixelwise.inference.fitted_sizes import fit
from pixelwise.inference.onnx_engine import OnnxEngine
from pixelwise.inference.onnx_network import OnnxNetwork, export_onnx
from pixelwise.inference.openvino_engine import OpenVINOEngine, lacking_bfloat16
from pixelwise.inference.optional_runtimes import version_of
from pixelwise.networks import NETWORKS, Field, field_of
from pixelwise.runs.converted_models import read_model, save_model
from pixelwise.runs.folder import RunFolder

ENGINES = (
    "torch-float32",
    "torch-bfloat16",
    "onnx-float32",
    "onnx-int8",
    "openvino-float32",
    "openvino-bfloat16",
    "openvino-int8",
)
"""Library and precision. ONNX Runtime has no bfloat16 convolutions for processors."""

REFERENCE = "torch-float32"
SHORT = {"torch": "torch-float32", "onnx": "onnx-float32", "openvino": "openvino-float32"}


@dataclass(frozen=True, slots=True)
class OpenedEngine:
    """An engine, and the sizes that it takes: those of the network, or fewer."""

    engine: Engine
    field: Field


class RunEngines:
    """Opens engines of one run; what was converted is kept in the run folder."""

    def __init__(self, run: RunFolder, plan: Plan, network: nn.Module) -> None:
        self._run = run
        self._plan = plan
        self._network = network
        self._n_dims, self._n_channels = network_input(plan)
        self.n_calibration = 0

    def open(self, name: str) -> OpenedEngine:
        """The engine of a full name. Raises UserError for what it needs and is not there."""
        check_engine_name(name)
        library, precision = name.split("-")
        if library == "torch":
            return self._open_torch(precision)
        found = self.int8_model if precision == "int8" else self.float_model
        kind: Callable[..., Engine] = OnnxEngine if library == "onnx" else OpenVINOEngine
        engine = kind(found.model, found.field, fixed=found.fixed, precision=precision)
        return OpenedEngine(engine, found.field)

    def _open_torch(self, precision: str) -> OpenedEngine:
        if precision == "bfloat16" and not has_bfloat16():
            raise lacking_bfloat16()
        engine = TorchEngine(
            self._network,
            precision=precision,
            memory_format="channels_last",
            n_dims=self._n_dims,
        )
        return OpenedEngine(engine, field_of(self._network))

    @cached_property
    def float_model(self) -> OnnxNetwork:
        """The network as an ONNX model in float32. Raises BadPlan if it is not exported."""
        self._require_exported()
        return self._kept("network", self._export)

    @cached_property
    def int8_model(self) -> OnnxNetwork:
        """The network in 8-bit integers, calibrated on training cases.

        Raises BadData if these have gone and nothing was kept.
        """
        return self._kept("network-int8", self._quantise)

    def _kept(self, name: str, make: Callable[[], tuple[OnnxNetwork, int]]) -> OnnxNetwork:
        made_of = {
            "weights_sha256": self._run.read_status().get("weights_sha256"),
            "network": self._plan.network.model_dump(mode="json"),
            "tile": list(self._tile),
            "versions": {name: version_of(name) for name in ("torch", "onnxruntime")},
        }
        stored = read_model(self._run, name, made_of)
        if stored is not None:
            model, notes = stored
            self.n_calibration = notes["n_calibration"] or self.n_calibration
            fixed = notes["fixed"] and tuple(notes["fixed"])
            return OnnxNetwork(model, Field(**notes["field"]), fixed)
        found, n_tiles = make()
        self.n_calibration = n_tiles or self.n_calibration
        notes = {"field": dataclasses.asdict(found.field), "fixed": found.fixed}
        save_model(self._run, name, found.model, made_of | notes | {"n_calibration": n_tiles})
        return found

    @property
    def _tile(self) -> tuple[int, ...]:
        section, field = self._plan.inference, field_of(self._network)
        return tuple(
            core + 2 * (halo + field.margin)
            for core, halo in zip(section.tile, section.halo, strict=True)
        )

    def _require_exported(self) -> None:
        name = self._plan.network.name
        reason = NETWORKS.find(name).facts.get("no_export")
        if reason:
            raise BadPlan(
                f"network {name} is not exported: {reason}",
                "a network that can be written as an ONNX model",
                "Predict with --engine torch.",
                code="no-export",
            )

    def _export(self) -> tuple[OnnxNetwork, int]:
        name = self._plan.network.name
        return (
            export_onnx(
                self._network, n_channels=self._n_channels, tile=self._tile, name=f"network {name}"
            ),
            0,
        )

    def _quantise(self) -> tuple[OnnxNetwork, int]:
        plain = self.float_model
        tiles = calibration_tiles(
            self._plan, plain.field, split_cases(self._run, self._plan, "train")
        )
        fitting = [fit(tile, plain.field, plain.fixed) for tile in tiles]
        return dataclasses.replace(plain, model=to_int8(plain.model, fitting)), len(fitting)


def check_engine_name(name: str) -> None:
    """Raise BadPlan unless there is an engine of that full name."""
    if name == "onnx-bfloat16":
        raise BadPlan(
            "ONNX Runtime does not compute convolutions in bfloat16 on processors",
            f"one of {', '.join(ENGINES)}",
            "Take torch-bfloat16 or openvino-bfloat16 instead.",
            code="no-bfloat16",
        )
    if name not in ENGINES:
        raise BadPlan(
            f"there is no engine called {name!r}",
            f"auto, trained, one of {', '.join(SHORT)}, or one of {', '.join(ENGINES)}",
            suggest(name, (*ENGINES, *SHORT, "auto", "trained")),
            code="unknown-name",
        )
