"""Components, holes, cavities and the Euler number of a mask from its horizontal runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled, prepare

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Betti:
    """components, loops (holes in 2D, handles in 3D) and cavities (0 in 2D)."""

    components: int
    loops: int
    cavities: int

    @property
    def euler(self) -> int:
        """Euler characteristic: components - loops + cavities."""
        return self.components - self.loops + self.cavities


def betti_of_runs(
    rows: Ints, starts: Ints, ends: Ints, shape: tuple[int, int, int], is_volume: bool
) -> Betti:
    """Betti numbers of a mask with full connectivity (8 or 26; background 4 or 6).

    Runs in row-major order, ends exclusive. Background that reaches the frame is outside.
    Source: nerve of the closed runs (2D), Euler number by fibres over the row grid (3D).
    """
    nothing = np.zeros(1, np.int32)
    prepare("topology loops", lambda: _volume_betti(nothing, nothing, nothing + 1, 1, 1))
    prepare("image topology loops", lambda: _image_betti(nothing, nothing, nothing + 1, 1))
    if is_volume:
        components, euler, cavities = _volume_betti(rows, starts, ends, shape[0], shape[1])
        return Betti(components, components + cavities - euler, cavities)
    components, holes = _image_betti(rows, starts, ends, shape[1])
    return Betti(components, holes, 0)


@compiled
def _root(parents: Ints, i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@compiled
def _first_of_row(rows: Ints, n_rows: int) -> Ints:
    first = np.zeros(n_rows + 1, np.int32)
    for i in range(rows.size):
        first[rows[i] + 1] += 1
    for r in range(n_rows):
        first[r + 1] += first[r]
    return first


@compiled
def _join_rows(
    starts: Ints, ends: Ints, parents: Ints, a: int, a_end: int, b: int, b_end: int
) -> tuple[int, int]:
    """Join touching runs (corners count) of two rows; (contacts, joins that united two)."""
    contacts = joins = 0
    while a < a_end and b < b_end:
        if starts[b] <= ends[a] and starts[a] <= ends[b]:
            contacts += 1
            one, other = _root(parents, a), _root(parents, b)
            if one != other:
                parents[max(one, other)] = min(one, other)
                joins += 1
        if ends[a] < ends[b]:
            a += 1
        else:
            b += 1
    return contacts, joins


@compiled
def _image_betti(rows: Ints, starts: Ints, ends: Ints, height: int) -> tuple[int, int]:
    first = _first_of_row(rows, height)
    parents = np.arange(rows.size).astype(np.int32)
    contacts = joins = 0
    for y in range(1, height):
        c, j = _join_rows(starts, ends, parents, first[y - 1], first[y], first[y], first[y + 1])
        contacts += c
        joins += j
    return rows.size - joins, contacts - joins


@compiled
def _union_runs(starts: Ints, ends: Ints, at: Ints, stop: Ints) -> int:
    """How many runs the union of up to four rows has; `at` is used up."""
    n = 0
    reach = -1
    while True:
        pick = -1
        for j in range(at.size):
            if at[j] < stop[j] and (pick < 0 or starts[at[j]] < starts[at[pick]]):
                pick = j
        if pick < 0:
            return n
        i = at[pick]
        at[pick] += 1
        if starts[i] > reach:
            n += 1
        reach = max(reach, ends[i])


@compiled
def _euler(first: Ints, starts: Ints, ends: Ints, depth: int, height: int) -> int:
    """Rows count +, unions over faces between rows -, unions around corners of rows +."""
    euler = starts.size
    at = np.zeros(4, np.int32)
    stop = np.zeros(4, np.int32)
    for z in range(depth + 1):
        for y in range(height + 1):
            n = 0
            for k in range(4):
                zz, yy = z - (k >> 1), y - (k & 1)
                at[k] = stop[k] = 0
                if 0 <= zz < depth and 0 <= yy < height:
                    at[k] = first[zz * height + yy]
                    stop[k] = first[zz * height + yy + 1]
                    n += stop[k] - at[k]
            if n == 0:
                continue
            for skip in range(1, 3):
                pair_at = np.array([at[0], at[skip]], np.int32)
                pair_stop = np.array([stop[0], stop[skip]], np.int32)
                inside = z < depth if skip == 1 else y < height
                if inside:
                    euler -= _union_runs(starts, ends, pair_at, pair_stop)
            euler += _union_runs(starts, ends, at, stop)
    return euler


@compiled
def _join_gaps(
    starts: Ints, ends: Ints, parents: Ints, a: int, a_end: int, b: int, b_end: int
) -> None:
    """Join the inner gaps of row a with the gaps of row b that they share a face with."""
    outside = parents.size - 1
    first_b = b
    for i in range(a, a_end - 1):
        low, high = ends[i], starts[i + 1]
        is_open = first_b == b_end or low < starts[first_b] or high > ends[b_end - 1]
        if is_open:
            parents[_root(parents, i)] = _root(parents, outside)
        while b < b_end - 1 and starts[b + 1] <= low:
            b += 1
        j = b
        while j < b_end - 1 and ends[j] < high:
            parents[_root(parents, i)] = _root(parents, j)
            j += 1


@compiled
def _cavities(first: Ints, starts: Ints, ends: Ints, depth: int, height: int) -> int:
    parents = np.arange(starts.size + 1).astype(np.int32)
    for z in range(depth):
        for y in range(height):
            a, a_end = first[z * height + y], first[z * height + y + 1]
            if a_end - a < 2:
                continue
            for k in range(4):
                zz, yy = z, y
                if k < 2:
                    yy += 1 if k == 0 else -1
                else:
                    zz += 1 if k == 2 else -1
                b = b_end = 0
                if 0 <= zz < depth and 0 <= yy < height:
                    b, b_end = first[zz * height + yy], first[zz * height + yy + 1]
                _join_gaps(starts, ends, parents, a, a_end, b, b_end)
    n = 0
    outside = _root(parents, parents.size - 1)
    for r in range(depth * height):
        for i in range(first[r], first[r + 1] - 1):
            n += parents[i] == i and i != outside
    return n


@compiled
def _volume_betti(
    rows: Ints, starts: Ints, ends: Ints, depth: int, height: int
) -> tuple[int, int, int]:
    first = _first_of_row(rows, depth * height)
    parents = np.arange(rows.size).astype(np.int32)
    joins = 0
    for z in range(depth):
        for y in range(height):
            r = z * height + y
            if first[r] == first[r + 1]:
                continue
            for k in range(4):
                zz = z if k == 0 else z - 1
                yy = y - 1 if k == 0 else y + k - 2
                if zz < 0 or yy < 0 or yy >= height:
                    continue
                b = zz * height + yy
                joins += _join_rows(
                    starts, ends, parents, first[r], first[r + 1], first[b], first[b + 1]
                )[1]
    euler = _euler(first, starts, ends, depth, height)
    return rows.size - joins, euler, _cavities(first, starts, ends, depth, height)
