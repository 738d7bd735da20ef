"""Bare networks: a library, a network and a ready tile, with nothing of ours around them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from pixelwise.commands.load_predictor import make_predictor
from pixelwise.commands.run_engines import RunEngines
from pixelwise.core.plan import Plan
from pixelwise.core.runtime import usable_cores, use_threads
from pixelwise.inference.engines import fold_batch_norms
from pixelwise.inference.fitted_sizes import fit
from pixelwise.inference.predictor import Predictor
from pixelwise.runs.folder import RunFolder
from pixelwise.runs.trained_network import load_network

Tiles = npt.NDArray[np.float32]
Bare = Callable[[Tiles], Any]


class OpenedRun:
    """A run with its engines, our predictor for each, and the bare network of each."""

    def __init__(self, run: RunFolder) -> None:
        use_threads(usable_cores())
        self.folder = run
        self.plan: Plan = run.read_plan()
        self.network: nn.Module = load_network(run, self.plan)
        self.engines = RunEngines(run, self.plan, self.network)

    def predictor(self, engine: str, **changes: object) -> Predictor:
        """Our predictor with an engine; changes: of the plan's inference section."""
        opened = self.engines.open(engine)
        section = self.plan.inference.model_copy(update=changes)
        found = make_predictor(opened.engine, opened.field, self.plan, section)
        if not isinstance(found, Predictor):
            raise RuntimeError("the plan has a grid of its own: this compares equal tiles")
        return found

    def bare(self, engine: str) -> Bare:
        """The network of an engine, called directly."""
        library, precision = engine.split("-")
        if library == "torch":
            return bare_torch(self.network, precision)
        model = self.engines.int8_model if precision == "int8" else self.engines.float_model
        run = bare_openvino(model.model, precision)
        return lambda tiles: run(fit(tiles, model.field, model.fixed))


def bare_torch(network: nn.Module, precision: str) -> Bare:
    """Batch norms folded, channels last, bfloat16 by autocast."""
    ready: Any = fold_batch_norms(copy.deepcopy(network).eval())
    ready.to(memory_format=torch.channels_last)
    is_half = precision == "bfloat16"

    def run(tiles: Tiles) -> Any:
        given = torch.from_numpy(tiles).to(memory_format=torch.channels_last)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=is_half):
            return ready(given)

    return run


def bare_openvino(model: bytes, precision: str) -> Bare:
    """A compiled model, inferred in the calling thread; the answer stays in its own memory."""
    import openvino

    hint = "bf16" if precision == "bfloat16" else "f32"
    settings = {
        "INFERENCE_PRECISION_HINT": hint,
        "INFERENCE_NUM_THREADS": usable_cores(),
        "PERFORMANCE_HINT": "LATENCY",
    }
    core = openvino.Core()
    request = core.compile_model(core.read_model(model), "CPU", settings).create_infer_request()
    return lambda tiles: request.infer([tiles], share_inputs=True, share_outputs=True)
