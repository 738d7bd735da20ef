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

    PyTorch's own operation where the network runs, the portable form while it is exported.
    Size: twice that of `values`, or one less (ceil mode).
    """
    if torch.compiler.is_exporting() or torch.onnx.is_in_onnx_export():
        return unpool_portably(values, places, size)
    if values.ndim == 4:
        return F.max_unpool2d(values, places, (2, 2), output_size=list(size))
    return F.max_unpool3d(values, places, (2, 2, 2), output_size=list(size))


def unpool_portably(values: Tensor, places: Tensor, size: Sequence[int]) -> Tensor:
    """The same as `unpool`, made of operations that every exporter and runtime knows.

    Values and places are repeated to the fine grid; a pixel keeps the value if the place
    is its own. Exporters turn max_unpool2d into a scatter that assumes even sizes, or refuse.
    """
    grid = torch.arange(math.prod(size), device=values.device).reshape(tuple(size))
    zero = torch.zeros((), dtype=values.dtype, device=values.device)
    return torch.where(_repeat(places, size) == grid, _repeat(values, size), zero)


def _repeat(values: Tensor, size: Sequence[int]) -> Tensor:
    for axis, length in enumerate(size, start=2):
        shape = values.shape
        paired = values.unsqueeze(axis + 1).expand(*shape[: axis + 1], 2, *shape[axis + 1 :])
        doubled = paired.reshape(*shape[:axis], 2 * shape[axis], *shape[axis + 1 :])
        values = doubled.narrow(axis, 0, length)
    return values
