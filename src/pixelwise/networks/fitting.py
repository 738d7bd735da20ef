"""Making sizes fit: padding up to a multiple inside a network, cropping back, cropping skips."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor


def pad_to_multiple(images: Tensor, multiple: int | Sequence[int]) -> Tensor:
    """Images extended at the end of each spatial axis to a multiple of `multiple`.

    Never smaller than two coarsest pixels in all: a norm cannot learn from a single one.
    """
    n_dims = images.ndim - 2
    multiples = [multiple] * n_dims if isinstance(multiple, int) else list(multiple)
    sizes = list(images.shape[2:])
    wanted = [-(-size // step) * step for size, step in zip(sizes, multiples, strict=True)]
    if wanted == multiples:
        wanted[-1] *= 2
    if wanted == sizes:
        return images
    return extend_to(images, wanted)


def extend(images: Tensor, amounts: Sequence[tuple[int, int]]) -> Tensor:
    """Images extended by (before, after) pixels along each spatial axis, mirrored.

    The border pixel itself is not repeated; where an axis is shorter than the amount the
    mirror image is mirrored again, and an axis of one pixel repeats that pixel.
    """
    left = [list(amount) for amount in amounts]
    while any(amount != [0, 0] for amount in left):
        sizes = images.shape[2:]
        step = [
            [min(part, size - 1 if size > 1 else part) for part in amount]
            for amount, size in zip(left, sizes, strict=True)
        ]
        is_single = any(
            size == 1 and amount != [0, 0] for amount, size in zip(left, sizes, strict=True)
        )
        if is_single:
            step = [
                amount if size == 1 else [0, 0] for amount, size in zip(left, sizes, strict=True)
            ]
        flat = [number for amount in reversed(step) for number in amount]
        images = F.pad(images, flat, mode="replicate" if is_single else "reflect")
        left = [
            [part - done for part, done in zip(amount, taken, strict=True)]
            for amount, taken in zip(left, step, strict=True)
        ]
    return images


def extend_to(images: Tensor, shape: Sequence[int]) -> Tensor:
    """Images mirrored at the end of each spatial axis until they are at least `shape`."""
    return extend(
        images,
        [(0, max(0, goal - size)) for size, goal in zip(images.shape[2:], shape, strict=True)],
    )


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
