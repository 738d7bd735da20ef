"""Runs an ONNX model with OpenVINO, on the processor: in float32, bfloat16 or 8-bit integers."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from pixelwise.core.errors import BadPlan, ProgramError
from pixelwise.core.runtime import processor_name, usable_cores
from pixelwise.inference.engines import Tiles
from pixelwise.inference.fitted_sizes import run_fitted
from pixelwise.inference.optional_runtimes import openvino_core
from pixelwise.networks import Field

_HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}
"""What is not in 8-bit integers in an int8 model stays in float32."""


class OpenVINOEngine:
    """A model, ready to run by OpenVINO; sizes may change from call to call.

    model: the bytes of an ONNX model, or of OpenVINO's own form with its weights apart.
    precision: "float32", "bfloat16", or "int8" for a model that was converted to it.
    Raises: MissingExtra without openvino, BadPlan for a precision that the processor
    lacks, ProgramError if it cannot read the model.
    """

    def __init__(
        self,
        model: bytes,
        field: Field,
        *,
        weights: bytes | None = None,
        fixed: tuple[int, ...] | None = None,
        precision: str = "float32",
        n_threads: int | None = None,
    ) -> None:
        core = openvino_core()
        require_precision(precision, core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
        settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": n_threads or usable_cores(),
            "PERFORMANCE_HINT": "LATENCY",
        }
        try:
            read = core.read_model(model, weights) if weights else core.read_model(model)
            self._compiled = core.compile_model(read, "CPU", settings)
        except RuntimeError as error:
            raise ProgramError(f"OpenVINO cannot read the model: {error}") from error
        self._requests = threading.local()
        self._field = field
        self._fixed = fixed
        self._name = f"openvino-{precision}"

    @property
    def name(self) -> str:
        """Library and precision."""
        return self._name

    def logits(self, images: Tiles) -> Tiles:
        """(n, c, [z,] y, x) normalised tiles -> (n, k, [z,] y, x) logits."""
        return run_fitted(self._run, images, self._field, self._fixed)

    def _run(self, images: Tiles) -> Tiles:
        request: Any = getattr(self._requests, "own", None)
        if request is None:
            request = self._requests.own = self._compiled.create_infer_request()
        try:
            request.infer([np.ascontiguousarray(images)], share_inputs=True)
        except RuntimeError as error:
            raise ProgramError(f"OpenVINO cannot run the model: {error}") from error
        answer: Tiles = request.get_output_tensor(0).data.copy()
        return answer


def require_precision(precision: str, capabilities: list[str]) -> None:
    """Raise BadPlan unless a processor with these capabilities computes in a precision."""
    if precision == "bfloat16" and "BF16" not in capabilities:
        raise lacking_bfloat16()


def lacking_bfloat16() -> BadPlan:
    """The error for a processor that would have to emulate bfloat16."""
    return BadPlan(
        f"this processor ({processor_name()}) does not compute in bfloat16",
        "a processor with AVX-512 BF16, AMX or SVE BF16",
        "Use float32 or int8 instead, for example --engine auto.",
        code="no-bfloat16",
    )
