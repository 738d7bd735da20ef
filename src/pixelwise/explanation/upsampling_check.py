"""The checkerboard test: is a constant map still constant after every step up?"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pixelwise.core.records import Record
from pixelwise.explanation.operation_names import plain_name
from pixelwise.explanation.watching import watched
from pixelwise.networks import field_of

_EVEN = 0.02
"""Relative unevenness below which no checkerboard can be seen."""

_ENLARGING = ("upsample", "_upsample", "max_unpool", "pixel_shuffle")


class UpsamplingCheck(Record):
    """Whether a step up answers a constant map evenly.

    unevenness: standard deviation over neighbouring output pixels, relative to their mean
    size, per channel and then averaged. overlap: kernel taps that fall on one output pixel
    (one number if even). `is_even_by_design`: the taps are even, so weights can learn it away.
    """

    module: str
    kind: str
    unevenness: float
    overlap: tuple[int, ...]
    is_even_by_design: bool
    verdict: str


@dataclass(frozen=True, slots=True)
class _StepUp:
    """An operation that enlarged a map: where, its word, how to repeat it, kernel overlap."""

    module: str
    kind: str
    repeat: Callable[[Tensor], Tensor]
    sample: Tensor
    overlap: tuple[int, ...]


def check_upsampling(
    network: nn.Module, n_channels: int, n_dims: int = 2
) -> tuple[UpsamplingCheck, ...]:
    """Feed everything that enlarges its map a constant, and see whether the answer is even.

    Where a module does nothing but one step up (a convolution with the shuffle of its pixels,
    say), the module is tested as a whole, otherwise the operation alone.
    Source of the concern: Odena, Dumoulin, Olah 2016, on overlapping transposed convolutions.
    """
    twin = copy.deepcopy(network).float().eval()
    found: list[_StepUp] = []

    def note(module: str, name: str, arguments: dict[str, Any], results: tuple[Any, ...]) -> None:
        source = next((v for v in arguments.values() if isinstance(v, Tensor)), None)
        is_step = name.startswith(_ENLARGING) or bool(arguments.get("transposed"))
        if is_step and source is not None and _is_larger(source, results[0]):
            found.append(_step_up(module, name, arguments, source))

    size = max(field_of(network).valid_size(64), 64)
    with torch.no_grad(), watched(twin, note):
        twin(torch.randn(1, n_channels, *(size,) * n_dims))
    modules = dict(twin.named_modules())
    counts = {step.module: sum(s.module == step.module for s in found) for step in found}
    with torch.no_grad():
        return tuple(
            _check(step, modules[step.module] if counts[step.module] == 1 else None)
            for step in found
        )


def _is_larger(source: Tensor, output: object) -> bool:
    """Whether some axis has at least three halves of its length, and none has less than before."""
    if not isinstance(output, Tensor) or output.ndim != source.ndim or source.ndim < 4:
        return False
    ratios = [b / a for a, b in zip(source.shape[2:], output.shape[2:], strict=True)]
    return max(ratios) >= 1.5 and min(ratios) >= 1


def _step_up(module: str, name: str, arguments: dict[str, Any], source: Tensor) -> _StepUp:
    key = next(key for key, value in arguments.items() if value is source)
    operation = getattr(torch.ops.aten, name)

    def repeat(values: Tensor) -> Tensor:
        result: Tensor = operation(**{**arguments, key: values})
        return result

    overlap: tuple[int, ...] = (1,)
    if name == "convolution":
        overlap = _overlap(arguments["weight"].shape[2:], arguments["stride"])
    elif name.startswith("max_unpool"):
        overlap = (0, 1)
    return _StepUp(module, plain_name(name, arguments), repeat, source, overlap)


def _overlap(kernel: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...]:
    """How many taps of a transposed convolution fall on one output pixel, along each axis."""
    counts = set()
    for size, stride in zip(kernel, strides, strict=True):
        counts |= {len(range(phase, size, stride)) for phase in range(stride)}
    return tuple(sorted(counts))


def _check(step: _StepUp, module: nn.Module | None) -> UpsamplingCheck:
    answer = _try(module, step)
    if answer is None:
        answer = step.repeat(_constant(step.sample.shape[1], step.sample.shape[2:]))
    for axis in range(2, answer.ndim):
        length = answer.shape[axis]
        answer = answer.narrow(axis, length // 3, max(1, math.ceil(length / 3)))
    flat = answer.flatten(2)[0]
    scale = flat.abs().mean(dim=1).clamp_min(1e-12)
    unevenness = float((flat.std(dim=1) / scale).mean())
    is_even = len(set(step.overlap)) <= 1
    if unevenness < _EVEN:
        verdict = "even"
    elif is_even:
        verdict = "uneven at the start, since random taps differ; training can even it out"
    elif step.overlap == (0, 1):
        verdict = "uneven by design: zeros between the values, for the next convolution to fill"
    else:
        verdict = "uneven by design: the kernel is no multiple of the stride"
    return UpsamplingCheck(
        module=step.module,
        kind=step.kind,
        unevenness=round(unevenness, 5),
        overlap=step.overlap,
        is_even_by_design=is_even,
        verdict=verdict,
    )


def _try(module: nn.Module | None, step: _StepUp) -> Tensor | None:
    """A module's answer to a constant map, None if it is more than a step up."""
    layers = [] if module is None else [module, *module.children()]
    channels = next((n for layer in layers if (n := getattr(layer, "in_channels", None))), None)
    if module is None or channels is None:
        return None
    probe = torch.ones(1, channels, *(12,) * (step.sample.ndim - 2))
    try:
        answer = module(probe)
    except (RuntimeError, TypeError, ValueError, IndexError):
        return None
    return answer if isinstance(answer, Tensor) and _is_larger(probe, answer) else None


def _constant(n_channels: int, sizes: tuple[int, ...]) -> Tensor:
    """A map that is constant in each channel, as features are where the image is."""
    values = torch.randn(n_channels, generator=torch.Generator().manual_seed(0))
    return values.reshape(1, -1, *(1,) * len(sizes)).expand(1, -1, *sizes).contiguous()
