"""How each tensor operation changes what a feature map can see, and how much it multiplies."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from pixelwise.explanation.intervals import (
    Sight,
    everything,
    mirror,
    pick,
    repeat_edge,
    resample,
    shift,
    slide,
    slide_back,
)

Sights = tuple[Sight, ...]
"""One per spatial axis."""

Arguments = Mapping[str, Any]
"""The arguments of an operation by the name in its schema."""

Rule = Callable[[Sights, Arguments, tuple[int, ...]], Sights]
"""(sights of the first input, arguments, spatial output shape) -> sights of the output."""


def kernel_numbers(arguments: Arguments, n_dims: int) -> dict[str, tuple[int, ...]]:
    """kernel, stride, padding and dilation of a convolution or pooling, one number per axis."""
    weight = arguments.get("weight")
    kernel = tuple(weight.shape[2:]) if weight is not None else arguments["kernel_size"]
    kernel = _per_axis(kernel, n_dims, 1)
    return {
        "kernel": kernel,
        "stride": _per_axis(arguments.get("stride") or kernel, n_dims, 1),
        "padding": _per_axis(arguments.get("padding"), n_dims, 0),
        "dilation": _per_axis(arguments.get("dilation"), n_dims, 1),
    }


def multiplications(name: str, arguments: Arguments, output: Tensor) -> int:
    """Multiply-accumulates of an operation: convolutions and matrix products, nothing else."""
    if name == "convolution":
        weight, groups = arguments["weight"], arguments["groups"]
        taps = math.prod(weight.shape[2:])
        if arguments["transposed"]:
            return int(arguments["input"].numel() * weight.shape[1] * taps)
        return int(output.numel() * (arguments["input"].shape[1] // groups) * taps)
    if name == "addmm":
        return int(output.numel() * arguments["mat1"].shape[-1])
    if name in ("mm", "bmm"):
        return int(output.numel() * arguments["self"].shape[-1])
    return 0


def step_of(
    name: str, arguments: Arguments, before: tuple[int, ...], after: tuple[int, ...]
) -> float:
    """Factor by which an operation moves neighbours apart, along the first spatial axis."""
    if not before or len(before) != len(after):
        return 1.0
    if name.startswith(("upsample", "_upsample", "max_unpool", "pixel_shuffle", "adaptive")):
        return 2.0 ** round(math.log2(before[0] / after[0]))
    if name == "convolution" or "pool" in name:
        stride = kernel_numbers(arguments, len(after))["stride"][0]
        return 1 / stride if arguments.get("transposed") else float(stride)
    return 1.0


def rule_for(name: str) -> Rule | None:
    """The rule of an operation, None where it is pointwise or not known."""
    return next((rule for prefix, rule in _RULES if name.startswith(prefix)), None)


def _convolution(sights: Sights, arguments: Arguments, shape: tuple[int, ...]) -> Sights:
    numbers = kernel_numbers(arguments, len(shape))
    move = slide_back if arguments.get("transposed") else slide
    return _each_axis(move, sights, shape, numbers)


def _pooling(sights: Sights, arguments: Arguments, shape: tuple[int, ...]) -> Sights:
    return _each_axis(slide, sights, shape, kernel_numbers(arguments, len(shape)))


def _each_axis(
    move: Callable[..., Sight],
    sights: Sights,
    shape: tuple[int, ...],
    numbers: Mapping[str, tuple[int, ...]],
) -> Sights:
    return tuple(
        move(sight, size, **{key: values[axis] for key, values in numbers.items()})
        for axis, (sight, size) in enumerate(zip(sights, shape, strict=True))
    )


def _adaptive(sights: Sights, arguments: Arguments, shape: tuple[int, ...]) -> Sights:
    return tuple(everything(s, n) for s, n in zip(sights, shape, strict=True))


def _unpooling(sights: Sights, arguments: Arguments, shape: tuple[int, ...]) -> Sights:
    return tuple(
        pick(sight, np.arange(size) // max(1, round(size / len(sight))))
        for sight, size in zip(sights, shape, strict=True)
    )


def _interpolation(n_taps: int) -> Rule:
    def rule(sights: Sights, arguments: Arguments, shape: tuple[int, ...]) -> Sights:
        return tuple(resample(s, n, n_taps=n_taps) for s, n in zip(sights, shape, strict=True))

    return rule


def _padding(move: Callable[[Sight, int, int], Sight], key: str) -> Rule:
    def rule(sights: Sights, arguments: Arguments, shape: tuple[int, ...]) -> Sights:
        flat = list(arguments[key])
        pairs = [(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)][::-1]
        pairs = [(0, 0)] * (len(shape) - len(pairs)) + pairs[-len(shape) :]
        return tuple(
            move(sight, before, after) for sight, (before, after) in zip(sights, pairs, strict=True)
        )

    return rule


def _slicing(sights: Sights, arguments: Arguments, shape: tuple[int, ...]) -> Sights:
    axis = arguments["dim"] % (len(shape) + 2) - 2
    if axis < 0:
        return sights
    start = arguments.get("start") or 0
    start = start + len(sights[axis]) if start < 0 else start
    positions = start + np.arange(shape[axis]) * arguments.get("step", 1)
    return (*sights[:axis], pick(sights[axis], positions), *sights[axis + 1 :])


def _shuffle(sights: Sights, arguments: Arguments, shape: tuple[int, ...]) -> Sights:
    return tuple(
        pick(sight, np.arange(size) * len(sight) // size)
        for sight, size in zip(sights, shape, strict=True)
    )


def _per_axis(value: Any, n_dims: int, default: int) -> tuple[int, ...]:
    if value is None:
        return (default,) * n_dims
    numbers: Sequence[int] = (value,) if isinstance(value, int) else tuple(value)
    numbers = numbers or (default,)
    return tuple(numbers) * n_dims if len(numbers) == 1 else tuple(numbers)


_RULES: tuple[tuple[str, Rule], ...] = (
    ("convolution", _convolution),
    ("max_pool", _pooling),
    ("avg_pool", _pooling),
    ("_adaptive_avg_pool", _adaptive),
    ("adaptive_", _adaptive),
    ("max_unpool", _unpooling),
    ("upsample_nearest", _interpolation(1)),
    ("upsample_bilinear", _interpolation(2)),
    ("upsample_trilinear", _interpolation(2)),
    ("upsample_linear", _interpolation(2)),
    ("upsample_bicubic", _interpolation(4)),
    ("_upsample_bilinear", _interpolation(2)),
    ("reflection_pad", _padding(mirror, "padding")),
    ("replication_pad", _padding(repeat_edge, "padding")),
    ("constant_pad", _padding(shift, "pad")),
    ("slice", _slicing),
    ("pixel_shuffle", _shuffle),
)
