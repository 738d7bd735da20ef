"""Receptive fields: what an output pixel can see, and what it really looks at."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from pixelwise.core.errors import PixelwiseError
from pixelwise.core.records import Record
from pixelwise.explanation.intervals import Sight
from pixelwise.explanation.tracing import Trace, trace_network
from pixelwise.explanation.watching import first_tensor
from pixelwise.networks import Field, field_of

_LARGEST_TRIED = 4096
_STRONG = 0.0455
"""Share of the strongest gradient above which an input pixel counts: two standard
deviations of a Gaussian (Luo et al. 2016)."""


class ReceptiveField(Record):
    """What an output pixel can see, in input pixels.

    sizes: all widths along the first axis that occur away from the border, smallest first
    (more than one where an output pixel's place in the coarse grid matters). None: the whole
    image, however large. by_axis: the same for every axis. reach: the furthest that anything
    counts along any axis. margin: output pixels missing per side.
    """

    sizes: tuple[int, ...] | None
    by_axis: tuple[tuple[int, ...], ...] = ()
    reach: int | None
    margin: int
    is_exact: bool


class EffectiveField(Record):
    """What an output pixel looks at, by gradients: a diameter, and how it falls off.

    diameter: of a disc (ball) with as many pixels as have a gradient of at least 4.55 % of
    the strongest. profile: mean absolute gradient at each distance from the middle,
    strongest = 1.
    """

    diameter: float
    profile: tuple[float, ...]
    n_images: int


def receptive_field(network: nn.Module, n_channels: int, n_dims: int = 2) -> ReceptiveField:
    """The exact theoretical receptive field, from a trace on a large enough input.

    Norms over whole maps are left out; global pooling makes it the whole image.
    """
    field = field_of(network)
    size = 64
    while size <= _LARGEST_TRIED:
        trace = _try_trace(network, field, size, n_channels, n_dims)
        found = _away_from_border(trace, field) if trace else None
        if found is not None:
            return found
        size *= 2
    return ReceptiveField(sizes=None, reach=None, margin=field.margin, is_exact=False)


def seen_region(trace: Trace, pixel: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """First and last input index (inclusive) per axis that an output pixel can see."""
    return tuple(
        (int(sight.first[index]), int(sight.last[index]))
        for sight, index in zip(trace.sights, pixel, strict=True)
    )


def influenced_region(trace: Trace, pixel: Sequence[int]) -> tuple[tuple[int, int] | None, ...]:
    """First and last output index per axis that an input pixel can change; None for nothing."""
    found: list[tuple[int, int] | None] = []
    for sight, index in zip(trace.sights, pixel, strict=True):
        hit = np.flatnonzero((sight.first <= index) & (sight.last >= index))
        found.append((int(hit[0]), int(hit[-1])) if len(hit) else None)
    return tuple(found)


def effective_field(
    network: nn.Module, n_channels: int, n_dims: int = 2, *, size: int = 256, n_images: int = 4
) -> EffectiveField:
    """Measure the effective receptive field with the gradients of the middle output pixel.

    Gradients of the sum of all classes are averaged in absolute value over random images.
    Source: Luo, Li, Urtasun, Zemel, NeurIPS 2016.
    """
    twin = copy.deepcopy(network).float().eval()
    edge = field_of(network).valid_size(size)
    total: npt.NDArray[np.float64] = np.zeros((edge,) * n_dims)
    generator = torch.Generator().manual_seed(0)
    for _ in range(n_images):
        image = torch.randn(1, n_channels, *(edge,) * n_dims, generator=generator)
        image.requires_grad_()
        answer = first_tensor(twin(image))
        if answer is None or answer.ndim != image.ndim:
            break
        middle = tuple(length // 2 for length in answer.shape[2:])
        for axis, index in enumerate(middle, start=2):
            answer = answer.narrow(axis, index, 1)
        answer.sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        if image.grad is not None:
            total += image.grad[0].abs().sum(dim=0).numpy()
    return _describe(total, n_images)


def _describe(total: npt.NDArray[np.float64], n_images: int) -> EffectiveField:
    strongest = float(total.max()) or 1.0
    n_strong = int((total >= _STRONG * strongest).sum())
    n_dims = total.ndim
    volume = n_strong if n_dims == 2 else n_strong * 3 / 4
    diameter = 2 * (volume / np.pi) ** (1 / n_dims)
    middle = np.unravel_index(int(total.argmax()), total.shape)
    axes = np.indices(total.shape).reshape(n_dims, -1)
    distance = np.sqrt(sum((axis - m) ** 2 for axis, m in zip(axes, middle, strict=True)))
    bins = distance.astype(int)
    sums, counts = np.bincount(bins, total.ravel()), np.bincount(bins)
    profile = (sums / np.maximum(counts, 1) / strongest)[: max(total.shape) // 2]
    return EffectiveField(
        diameter=round(float(diameter), 1),
        profile=tuple(round(float(value), 5) for value in profile),
        n_images=n_images,
    )


def _try_trace(
    network: nn.Module, field: Field, size: int, n_channels: int, n_dims: int
) -> Trace | None:
    shape = (1, n_channels, *(field.valid_size(size),) * n_dims)
    try:
        return trace_network(network, shape)
    except PixelwiseError:
        return None


def _away_from_border(trace: Trace, field: Field) -> ReceptiveField | None:
    """The field over one period in the middle, None if the image's border still cuts it."""
    found = [
        _along_axis(sight, size, field, trace.output_jump)
        for sight, size in zip(trace.sights, trace.input_shape[2:], strict=False)
    ]
    axes = [axis for axis in found if axis is not None]
    if not axes or len(axes) < len(found):
        return None
    return ReceptiveField(
        sizes=axes[0][0],
        by_axis=tuple(sizes for sizes, _ in axes),
        reach=max(reach for _, reach in axes),
        margin=field.margin,
        is_exact=all(row.is_exact for row in trace.rows),
    )


def _along_axis(
    sight: Sight, size: int, field: Field, jump: float
) -> tuple[tuple[int, ...], int] | None:
    """All widths and the furthest reach along one axis."""
    period = min(max(field.alignment, 64), len(sight) // 4)
    if period < 1 or len(sight) < size // 4:
        return None
    start = len(sight) // 2 - period // 2
    first, last = sight.first[start : start + period], sight.last[start : start + period]
    if first.min() <= 0 or last.max() >= size - 1:
        return None
    place = (np.arange(start, start + period) + 0.5) * jump - 0.5 + field.margin
    reach = math.ceil(max((place - first).max(), (last - place).max()))
    return tuple(sorted({int(width) for width in last - first + 1})), reach
