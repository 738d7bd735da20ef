"""A forest that spans the touching voxels of an object, and the contacts that close its loops."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@functools.cache
def starting_neighbours() -> npt.NDArray[np.int32]:
    """For every set of the 13 earlier neighbours one of each group that meets at the voxel.

    Shape: (8192,) bit masks. Two neighbours meet if their cubes and the voxel's share a point.
    """
    offsets = [(z, y, x) for z in (-1, 0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1)][:13]
    meets = [
        sum(
            1 << j
            for j, other in enumerate(offsets)
            if all(a * b != -1 for a, b in zip(one, other, strict=True))
        )
        for one in offsets
    ]
    return _first_of_groups(np.array(meets, np.int32))


@compiled
def _first_of_groups(meets: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    table = np.zeros(8192, np.int32)
    for present in range(8192):
        left = present
        while left:
            first = left & -left
            table[present] |= first
            group = first
            grown = True
            while grown:
                grown = False
                for j in range(13):
                    if (left >> j & 1) and not (group >> j & 1) and (meets[j] & group):
                        group |= 1 << j
                        grown = True
            left &= ~group
    return table


@compiled
def _root(parents: Ints, i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@compiled
def spanning_forest(  # noqa: C901 - a compiled loop
    volume: Bytes, starts: npt.NDArray[np.int32]
) -> tuple[Ints, Ints]:
    """(joins, loops): contacts (2, n) that span the object, and those that close a loop.

    The loops with paths in the forest generate all loops of the object.
    """
    depth, height, width = volume.shape
    parents = np.arange(volume.size)
    n_voxels = 0
    flat = volume.reshape(-1)
    for i in range(flat.size):
        n_voxels += flat[i]
    joins = np.empty((2, n_voxels), np.int64)
    loops = np.empty((2, max(1, n_voxels // 4)), np.int64)
    n_joins = n_loops = 0
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            for x in range(1, width - 1):
                if not volume[z, y, x]:
                    continue
                here = (z * height + y) * width + x
                present = np.int64(0)
                for j in range(13):
                    dz, dy, dx = j // 9 - 1, j // 3 % 3 - 1, j % 3 - 1
                    present |= np.int64(volume[z + dz, y + dy, x + dx]) << j
                first = starts[present]
                for j in range(13):
                    if not (first >> j) & 1:
                        continue
                    dz, dy, dx = j // 9 - 1, j // 3 % 3 - 1, j % 3 - 1
                    other = here + (dz * height + dy) * width + dx
                    a, b = _root(parents, here), _root(parents, other)
                    if a != b:
                        parents[max(a, b)] = min(a, b)
                        joins[0, n_joins], joins[1, n_joins] = here, other
                        n_joins += 1
                    else:
                        if n_loops == loops.shape[1]:
                            wider = np.empty((2, 2 * n_loops), np.int64)
                            wider[:, :n_loops] = loops
                            loops = wider
                        loops[0, n_loops], loops[1, n_loops] = here, other
                        n_loops += 1
    return joins[:, :n_joins].copy(), loops[:, :n_loops].copy()


@compiled
def rooted_forest(joins: Ints, size: int) -> tuple[Ints, Ints]:
    """(voxels in an order with parents first, their parents or themselves), breadth first."""
    first = np.zeros(size + 1, np.int64)
    for k in range(joins.shape[1]):
        first[joins[0, k] + 1] += 1
        first[joins[1, k] + 1] += 1
    for i in range(size):
        first[i + 1] += first[i]
    place = first[:-1].copy()
    ends = np.empty(2 * joins.shape[1], np.int64)
    for k in range(joins.shape[1]):
        for side in range(2):
            a = joins[side, k]
            ends[place[a]] = joins[1 - side, k]
            place[a] += 1
    order = np.empty(joins.shape[1] * 2, np.int64)
    parents = np.full(size, -1, np.int64)
    n = 0
    for start in range(size):
        if first[start] == first[start + 1] or parents[start] >= 0:
            continue
        parents[start] = start
        order[n] = start
        at = n
        n += 1
        while at < n:
            here = order[at]
            at += 1
            for k in range(first[here], first[here + 1]):
                if parents[ends[k]] < 0:
                    parents[ends[k]] = here
                    order[n] = ends[k]
                    n += 1
    return order[:n].copy(), parents
