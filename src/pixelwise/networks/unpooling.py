"""Unpooling: values go back to where max pooling found them, zeros elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def pool_with_places(
    values: Tensor, stride: tuple[int, ...] | None = None
) -> tuple[Tensor, Tensor]:
    """Max pooling in ceil mode, and the flat index of each maximum in its map.

    stride: size and distance of the windows per axis, 2 if not given.
    Shape: (n, c, [z,] y, x) -> twice (n, c, [z/2,] y/2, x/2), rounded up.
    """
    pool = F.max_pool2d if values.ndim == 4 else F.max_pool3d
    windows = stride or (2,) * (values.ndim - 2)
    pooled, places = pool(values, windows, ceil_mode=True, return_indices=True)
    return pooled, places


def unpool(
    values: Tensor, places: Tensor, size: Sequence[int], stride: tuple[int, ...] | None = None
) -> Tensor:
    """Values at the places of the maxima on a grid of `size`, zeros elsewhere.

    PyTorch's own operation where the network runs, the portable form while it is exported.
    Size: `stride` times that of `values`, or less where the last windows reached over the end.
    """
    windows = stride or (2,) * (values.ndim - 2)
    if torch.compiler.is_exporting() or torch.onnx.is_in_onnx_export():
        return unpool_portably(values, places, size, windows)
    if values.ndim == 4:
        return F.max_unpool2d(values, places, windows, output_size=list(size))
    return F.max_unpool3d(values, places, windows, output_size=list(size))


def unpool_portably(
    values: Tensor, places: Tensor, size: Sequence[int], stride: tuple[int, ...] | None = None
) -> Tensor:
    """The same as `unpool`, made of operations that every exporter and runtime knows.

    For each position within the windows, values are kept where the place is that position;
    the maps of all positions are then interleaved. Exporters turn max_unpool2d into a scatter
    that assumes even sizes, or refuse.
    """
    windows = stride or (2,) * (values.ndim - 2)
    zero = torch.zeros((), dtype=values.dtype, device=values.device)
    corners = _first_places(places, size, windows)
    within = places - corners
    kept = [
        torch.where(within == _flat(offset, size), values, zero)
        for offset in itertools.product(*(range(step) for step in windows))
    ]
    for axis in reversed(range(len(windows))):
        kept = _interleave(kept, 2 + axis, windows[axis], size[axis])
    return kept[0]


def _first_places(places: Tensor, size: Sequence[int], windows: tuple[int, ...]) -> Tensor:
    """The flat index at which each window begins, ([z,] y, x)."""
    first = torch.zeros((1,) * len(size), dtype=places.dtype, device=places.device)
    for axis, step in enumerate(windows):
        steps = torch.arange(places.shape[2 + axis], dtype=places.dtype, device=places.device)
        shape = [-1 if other == axis else 1 for other in range(len(windows))]
        first = first * size[axis] + (steps * step).reshape(shape)
    return first


def _flat(offset: Sequence[int], size: Sequence[int]) -> int:
    """The flat index of a place in a map."""
    index = 0
    for place, length in zip(offset, size, strict=True):
        index = index * length + place
    return index


def _interleave(maps: list[Tensor], axis: int, step: int, length: int) -> list[Tensor]:
    """Every `step` maps as the neighbouring positions of one along an axis, cut to `length`."""
    if step == 1:
        return maps
    joined = []
    for index in range(0, len(maps), step):
        fine = torch.stack(maps[index : index + step], dim=axis + 1)
        shape = maps[index].shape
        fine = fine.reshape(*shape[:axis], step * shape[axis], *shape[axis + 1 :])
        joined.append(fine.narrow(axis, 0, length))
    return joined
