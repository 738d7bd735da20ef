"""Runs an ONNX model with ONNX Runtime, on the processor."""

from __future__ import annotations

from typing import Any

from pixelwise.core.errors import ProgramError
from pixelwise.core.runtime import usable_cores
from pixelwise.inference.engines import Tiles
from pixelwise.inference.fitted_sizes import run_fitted
from pixelwise.inference.optional_runtimes import require
from pixelwise.networks import Field

_FATAL_ONLY = 4
"""It prints what it also raises."""


class OnnxEngine:
    """An ONNX model, ready to run; its precision is what is written in it.

    model: the bytes of a model as `export_onnx` or the int8 conversion makes it. Its weights
    lie inside: references to other files are not followed.
    Raises: MissingExtra without onnxruntime, ProgramError if it cannot read the model.
    """

    def __init__(
        self,
        model: bytes,
        field: Field,
        *,
        fixed: tuple[int, ...] | None = None,
        precision: str = "float32",
        n_threads: int | None = None,
    ) -> None:
        runtime = require("onnxruntime", "the engine onnx")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = n_threads or usable_cores()
        options.log_severity_level = _FATAL_ONLY
        try:
            self._session: Any = runtime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions have no common class of their own
            raise ProgramError(f"ONNX Runtime cannot read the model: {error}") from error
        self._input = self._session.get_inputs()[0].name
        self._field = field
        self._fixed = fixed
        self._name = f"onnx-{precision}"

    @property
    def name(self) -> str:
        """Library and precision."""
        return self._name

    def logits(self, images: Tiles) -> Tiles:
        """(n, c, [z,] y, x) normalised tiles -> (n, k, [z,] y, x) logits."""
        return run_fitted(self._run, images, self._field, self._fixed)

    def _run(self, images: Tiles) -> Tiles:
        try:
            answer: Tiles = self._session.run(None, {self._input: images})[0]
        except Exception as error:  # its exceptions have no common class of their own
            raise ProgramError(f"ONNX Runtime cannot run the model: {error}") from error
        return answer
