"""A network as an ONNX model: its weights and operations as data that any runtime can read."""

from __future__ import annotations

import copy
import io
import math
import warnings
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from pixelwise.core.errors import BadPlan, ProgramError, ShapeMismatch
from pixelwise.inference.engines import fold_batch_norms
from pixelwise.inference.onnx_engine import OnnxEngine
from pixelwise.inference.optional_runtimes import require
from pixelwise.networks import Field, field_of

INPUT, OUTPUT = "images", "logits"
OPSET = 17
"""Of ONNX: the first with every operation used here; runtimes since 2022 read it."""

TOLERANCE = 1e-4
"""Largest difference to PyTorch that is rounding, as a share of the largest logit."""

DRAWS = 3
"""Images of noise of one shape, of which one must agree: in networks that keep the place of a
maximum (SegNet) rounding now and then exchanges two that are equal, and moves a block. What a
model does otherwise by construction shows in every image."""

_DOUBLINGS = 4
_SMALLEST_LOGIT = 1e-6


@dataclass(frozen=True, slots=True)
class OnnxNetwork:
    """An ONNX model in memory, and how its sizes relate.

    model: (n, c, [z,] y, x) float32 "images" -> (n, k, [z,] y, x) float32 "logits", weights
    inside. n is free. field: spatial sizes that it takes; `fixed`: the only spatial shape
    that it takes, None where sizes are free.
    """

    model: bytes
    field: Field
    fixed: tuple[int, ...] | None = None


def export_onnx(
    network: nn.Module, *, n_channels: int, tile: tuple[int, ...], name: str = "the network"
) -> OnnxNetwork:
    """A network, batch norms folded, as an ONNX model that was compared with it.

    Sizes are free if the model gives the network's logits at sizes that it was not made
    with; otherwise it takes tiles of the shape `tile` only. The smallest size is found by
    trying, since some networks treat small images apart.
    Raises BadPlan if the network holds an operation that ONNX cannot express, or computes
    something else there; MissingExtra without onnxruntime.
    """
    require("onnx", "writing an ONNX model")
    plain = fold_batch_norms(copy.deepcopy(network).to("cpu", torch.float32).eval())
    source = _Source(plain, n_channels, len(tile), name)
    field = field_of(network)
    aligned = replace(field, multiple=math.lcm(field.alignment, field.multiple))
    largest = tuple(aligned.valid_size(max(edge, 2 * aligned.multiple)) for edge in tile)
    edges = _edges_to_try(aligned, max(largest))
    odd = aligned.multiple if field.margin else 1
    trials = [(edge, rule, odd) for edge in edges for rule in (field, aligned)]
    trials += [(edge, aligned, aligned.multiple) for edge in edges if odd < aligned.multiple]
    models: dict[int, bytes] = {}
    for edge, rule, step in trials:
        if edge not in models:
            models[edge] = source.trace((edge,) * len(tile), is_free=True)
        found = OnnxNetwork(models[edge], replace(rule, smallest=edge))
        if source.equals(found, _shapes_to_compare(aligned, edge, step, largest)):
            return _with_smaller_sizes(source, found, field.smallest)
    found = OnnxNetwork(source.trace(largest, is_free=False), field, largest)
    if not source.equals(found, (largest,)):
        raise BadPlan(
            f"{name} computes something else as an ONNX model",
            f"logits that differ by rounding at most ({TOLERANCE:g} of the largest)",
            "A network must not decide by the values of its input, nor draw random numbers.",
            code="onnx-differs",
        )
    return found


def _with_smaller_sizes(source: _Source, found: OnnxNetwork, smallest: int) -> OnnxNetwork:
    """The same, taking images smaller than what it was made with if that works."""
    for edge in (smallest, found.field.alignment + 1):
        lower = replace(found, field=replace(found.field, smallest=edge))
        edges = [lower.field.valid_size(edge + more) for more in (0, 1, 5)]
        shapes = [(first, *(edge,) * (source.n_dims - 1)) for first in edges for edge in edges]
        if edge < found.field.smallest and source.equals(lower, tuple(shapes)):
            return lower
    return found


def _edges_to_try(field: Field, largest: int) -> list[int]:
    """Small sizes first: one coarsest pixel is left out, since norms treat it apart."""
    smallest = field.valid_size(max(field.smallest, 2 * field.multiple))
    doubled = [field.valid_size(smallest * 2**power) for power in range(1, _DOUBLINGS + 1)]
    return [smallest, smallest + field.multiple, *(edge for edge in doubled if edge < 2 * largest)]


def _shapes_to_compare(
    field: Field, edge: int, step: int, largest: tuple[int, ...]
) -> tuple[tuple[int, ...], ...]:
    """What the model was made with, sizes that differ by axis, and a whole tile last."""
    n_dims = len(largest)
    double = field.valid_size(2 * edge)
    shapes = [(edge,) * n_dims, tuple(edge + step * (1 + 2 * axis) for axis in range(n_dims))]
    if double <= max(largest):
        shapes.append(tuple(double + step * axis for axis in range(n_dims)))
    return (*shapes, tuple(max(edge, size) for size in largest))


@dataclass(frozen=True, slots=True)
class _Source:
    """The network that a model is made from, and compared with."""

    network: nn.Module
    n_channels: int
    n_dims: int
    name: str

    def noise(self, n: int, shape: tuple[int, ...], seed: int = 0) -> Tensor:
        random = torch.Generator().manual_seed(seed)
        return torch.randn((n, self.n_channels, *shape), generator=random)

    def trace(self, shape: tuple[int, ...], *, is_free: bool) -> bytes:
        """PyTorch's exporter by tracing: a hundred times quicker than the one by symbols."""
        names = dict(enumerate(("z", "y", "x")[-self.n_dims :], start=2)) if is_free else {}
        axes = {0: "n", **names}
        stream = io.BytesIO()
        try:
            with warnings.catch_warnings(), torch.no_grad():
                warnings.simplefilter("ignore")
                torch.onnx.export(
                    self.network,
                    (self.noise(2, shape),),
                    stream,  # type: ignore[arg-type]  # taken by the exporter that traces
                    dynamo=False,
                    input_names=[INPUT],
                    output_names=[OUTPUT],
                    dynamic_axes={INPUT: axes, OUTPUT: axes},
                    opset_version=OPSET,
                )
        except (RuntimeError, TypeError, ValueError) as error:
            reason = str(error).strip().split("\n", 1)[0]
            raise BadPlan(
                f"{self.name} cannot be written as an ONNX model: {reason}",
                "operations that ONNX knows",
                "Predict with --engine torch, or replace that operation.",
                code="no-onnx",
            ) from error
        return stream.getvalue()

    def equals(self, found: OnnxNetwork, shapes: tuple[tuple[int, ...], ...]) -> bool:
        """Whether runtime and network agree up to rounding on noise of these shapes, n = 1."""
        try:
            engine = OnnxEngine(found.model, found.field, fixed=found.fixed)
            return all(
                any(
                    self._equals_on(engine, self.noise(1, shape, number + draw * len(shapes)))
                    for draw in range(DRAWS)
                )
                for number, shape in enumerate(shapes)
            )
        except (ProgramError, ShapeMismatch):
            return False

    def _equals_on(self, engine: OnnxEngine, images: Tensor) -> bool:
        with torch.inference_mode():
            wanted: Tensor = self.network(images)
        answer = engine.logits(images.numpy())
        limit = TOLERANCE * max(float(wanted.abs().max()), _SMALLEST_LOGIT)
        same_shape = answer.shape == tuple(wanted.shape)
        return same_shape and float(np.abs(answer - wanted.numpy()).max()) <= limit
