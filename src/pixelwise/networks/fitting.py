"""Making sizes fit: padding up to a multiple inside a network, cropping back, cropping skips."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor


def pad_to_multiple(images: Tensor, multiple: int | Sequence[int]) -> Tensor:
    """Images extended at the end of each spatial axis to a multiple of `multiple`.

    Mirrored where the image is large enough for it, else the last pixel is repeated. Never
    smaller than two coarsest pixels in all, since a norm cannot learn from a single one.
    """
    n_dims = images.ndim - 2
    multiples = [multiple] * n_dims if isinstance(multiple, int) else list(multiple)
    sizes = list(images.shape[2:])
    wanted = [-(-size // step) * step for size, step in zip(sizes, multiples, strict=True)]
    if wanted == multiples:
        wanted[-1] *= 2
    if wanted == sizes:
        return images
    return extend(images, [(0, goal - size) for size, goal in zip(sizes, wanted, strict=True)])


def extend(images: Tensor, amounts: Sequence[tuple[int, int]]) -> Tensor:
    """Images extended by (before, after) pixels along each spatial axis: mirrored, or repeated
    where an axis is too short to mirror."""
    can_mirror = all(
        max(amount) < size for amount, size in zip(amounts, images.shape[2:], strict=True)
    )
    flat = [number for amount in reversed(amounts) for number in amount]
    return F.pad(images, flat, mode="reflect" if can_mirror else "replicate")


def crop_to_start(values: Tensor, shape: Sequence[int]) -> Tensor:
    """The first `shape` pixels along the spatial axes, a view."""
    if tuple(values.shape[2:]) == tuple(shape):
        return values
    return _take(values, [slice(0, size) for size in shape])


def crop_to_centre(values: Tensor, shape: Sequence[int]) -> Tensor:
    """The middle `shape` pixels along the spatial axes, a view."""
    if tuple(values.shape[2:]) == tuple(shape):
        return values
    starts = [(size - goal) // 2 for size, goal in zip(values.shape[2:], shape, strict=True)]
    return _take(values, [slice(a, a + goal) for a, goal in zip(starts, shape, strict=True)])


def _take(values: Tensor, parts: Sequence[slice]) -> Tensor:
    for axis, part in enumerate(parts, start=2):
        values = values.narrow(axis, part.start, part.stop - part.start)
    return values
