"""Unpooling: values go back to where max pooling found them, zeros elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def pool_with_places(values: Tensor) -> tuple[Tensor, Tensor]:
    """Max pooling 2/2 in ceil mode, and the flat index of each maximum in its map.

    Shape: (n, c, [z,] y, x) -> twice (n, c, [z/2,] y/2, x/2), halves rounded up.
    """
    pool = F.max_pool2d if values.ndim == 4 else F.max_pool3d
    pooled, places = pool(values, 2, ceil_mode=True, return_indices=True)
    return pooled, places


def unpool(values: Tensor, places: Tensor, size: Sequence[int]) -> Tensor:
    """Values at the places of the maxima on a grid of `size`, zeros elsewhere.

    Equal to max_unpool2d and max_unpool3d, made of operations that every exporter knows:
    both are repeated to the fine grid and kept where the place is the pixel's own.
    Size: twice that of `values`, or one less (ceil mode).
    """
    grid = torch.arange(math.prod(size), device=values.device).reshape(tuple(size))
    return torch.where(_repeat(places, size) == grid, _repeat(values, size), 0)


def _repeat(values: Tensor, size: Sequence[int]) -> Tensor:
    for axis, length in enumerate(size, start=2):
        values = values.repeat_interleave(2, dim=axis).narrow(axis, 0, length)
    return values
