"""Which pixels of the background fill which loops of a volume, by linking numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled, prepare
from pixelwise.arrays.loop_generators import rooted_forest, spanning_forest, starting_neighbours

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]

N_SIDES = 6
"""Faces of a voxel, in the order in which they enter: the square that fills a loop is
voxel * 6 + side, voxels in reading order of the padded volume."""


def loop_deaths(object_mask: npt.NDArray[np.bool_], filled: npt.NDArray[np.bool_]) -> Ints:
    """Squares that fill the loops of an object while a larger one, `filled`, grows to the box.

    Shape: object_mask, filled (z, y, x), the first within the second; closed voxels. After
    `filled` all edges of the box enter, then the squares of its background voxels in reading
    order. A square is listed if the loops of the object that are still open become fewer.

    By duality the squares that have not entered join background voxels to a graph. Grown
    from the last square on, a square that closes a cycle of this graph is listed if that
    cycle links with the object's loops in a way that the earlier ones did not. The linking
    number, modulo 2, of a cycle and a loop is how often the cycle crosses the curtain that
    hangs from the loop along the x axis.
    """
    padded_object = np.pad(object_mask, 1).view(np.uint8)
    padded = np.pad(filled, 1).view(np.uint8)
    prepare("loops of linking numbers", _first_call)
    return _deaths(padded_object, padded, starting_neighbours())


def _first_call() -> None:
    ring = np.zeros((5, 5, 5), np.uint8)
    ring[2, 1:4, 1:4] = 1
    ring[2, 2, 2] = 0
    _deaths(ring, ring, starting_neighbours())


def _deaths(volume: Bytes, filled: Bytes, starts: npt.NDArray[np.int32]) -> Ints:
    joins, loops = spanning_forest(volume, starts)
    if loops.shape[1] == 0:
        return np.zeros(0, np.int64)
    order, parents = rooted_forest(joins, volume.size)
    n_words = (loops.shape[1] + 63) // 64
    found = [
        _linking_words(volume.shape, filled, order, parents, loops[:, 64 * k : 64 * (k + 1)])
        for k in range(n_words)
    ]
    squares = np.unique(np.concatenate([square for square, _ in found]))
    rows = np.zeros((squares.size, n_words), np.uint64)
    for k, (square, words) in enumerate(found):
        rows[np.searchsorted(squares, square), k] = words
    return np.asarray(squares[_independent(np.ascontiguousarray(rows[::-1]))[::-1]])


@compiled
def _hang(along_y: Words, along_z: Words, a: int, b: int, word: np.uint64) -> None:
    """Add the edges along y and z of a path between the first corners of two touching voxels."""
    height, width = along_y.shape[1], along_y.shape[2]
    az, ay, ax = a // (height * width), a // width % height, a % width
    bz, by, bx = b // (height * width), b // width % height, b % width
    top_z, top_y, top_x = max(az, bz), max(ay, by), max(ax, bx)
    for side in range(2):
        z, y = (az, ay) if side == 0 else (bz, by)
        if y < top_y:
            along_y[z, y, top_x] ^= word
        if z < top_z:
            along_z[z, top_y, top_x] ^= word


@compiled
def _curtains(
    shape: tuple[int, int, int], order: Ints, parents: Ints, loops: Ints
) -> tuple[Words, Words]:
    """Curtains of up to 64 loops, a bit each, crossed on the way to (z, y, x) along z and y."""
    along_y = np.zeros(shape, np.uint64)
    along_z = np.zeros(shape, np.uint64)
    ends = np.zeros(parents.size, np.uint64)
    for k in range(loops.shape[1]):
        word = np.uint64(1) << np.uint64(k)
        _hang(along_y, along_z, loops[0, k], loops[1, k], word)
        ends[loops[0, k]] ^= word
        ends[loops[1, k]] ^= word
    for k in range(order.size - 1, -1, -1):
        here = order[k]
        above = parents[here]
        if above != here and ends[here] != np.uint64(0):
            _hang(along_y, along_z, here, above, ends[here])
            ends[above] ^= ends[here]
    for z in range(shape[0]):
        for y in range(shape[1]):
            sum_y = sum_z = np.uint64(0)
            for x in range(shape[2] - 1, -1, -1):
                own_y, own_z = along_y[z, y, x], along_z[z, y, x]
                along_y[z, y, x], along_z[z, y, x] = sum_y, sum_z
                sum_y ^= own_y
                sum_z ^= own_z
    return along_y, along_z


@compiled
def _find(parents: Ints, words: Words, i: int) -> tuple[int, np.uint64]:
    """(root, word from i to the root); paths are halved on the way."""
    word = np.uint64(0)
    while parents[i] != i:
        above = parents[i]
        words[i] ^= words[above]
        parents[i] = parents[above]
        word ^= words[i]
        i = parents[i]
    return i, word


@compiled
def _is_inside(shape: tuple[int, int, int], z: int, y: int, x: int) -> bool:
    """Whether a voxel of the padded volume belongs to the box itself."""
    depth, height, width = shape
    return 0 < z < depth - 1 and 0 < y < height - 1 and 0 < x < width - 1


@compiled
def _other_side(
    shape: tuple[int, int, int], side: int, z: int, y: int, x: int
) -> tuple[int, int, int]:
    """The voxel across a face, (-1, -1, -1) beyond the padding or where another one asks.

    In the surroundings every face is asked once; in the box the voxel that comes first in
    reading order asks, and faces to the surroundings are asked from inside.
    """
    axis = side if side < 3 else 5 - side
    step = -1 if side < 3 else 1
    zz = z + (step if axis == 0 else 0)
    yy = y + (step if axis == 1 else 0)
    xx = x + (step if axis == 2 else 0)
    depth, height, width = shape
    if not (0 <= zz < depth and 0 <= yy < height and 0 <= xx < width):
        return -1, -1, -1
    from_inside, to_inside = _is_inside(shape, z, y, x), _is_inside(shape, zz, yy, xx)
    if (to_inside and not from_inside) or (step < 0 and to_inside == from_inside):
        return -1, -1, -1
    return zz, yy, xx


@compiled
def _linking_words(  # noqa: C901 - a compiled loop
    shape: tuple[int, int, int], filled: Bytes, order: Ints, parents: Ints, loops: Ints
) -> tuple[Ints, Words]:
    """(squares, words) of all squares that close a cycle of the background which links."""
    _, height, width = shape
    cross_z, cross_y = _curtains(shape, order, parents, loops)
    graph = np.arange(filled.size)
    words = np.zeros(filled.size, np.uint64)
    squares = np.empty(1024, np.int64)
    found = np.empty(1024, np.uint64)
    n = 0
    for in_box in (False, True):  # first the surroundings of the box, which never enter
        for i in range(filled.size - 1, -1, -1):
            z, y, x = i // (height * width), i // width % height, i % width
            if _is_inside(shape, z, y, x) != in_box or filled[z, y, x]:
                continue
            for side in range(N_SIDES - 1, -1, -1):
                zz, yy, xx = _other_side(shape, side, z, y, x)
                if zz < 0 or filled[zz, yy, xx]:
                    continue
                word = np.uint64(0)
                if zz != z:
                    word = cross_z[max(z, zz), y, x]
                elif yy != y:
                    word = cross_y[z, max(y, yy), x]
                a, from_a = _find(graph, words, i)
                b, from_b = _find(graph, words, (zz * height + yy) * width + xx)
                word ^= from_a ^ from_b
                if a != b:
                    graph[max(a, b)] = min(a, b)
                    words[max(a, b)] = word
                elif word != np.uint64(0) and in_box:
                    if n == squares.size:
                        squares = np.concatenate((squares, np.empty(n, np.int64)))
                        found = np.concatenate((found, np.empty(n, np.uint64)))
                    squares[n], found[n] = i * N_SIDES + side, word
                    n += 1
    return squares[:n].copy(), found[:n].copy()


@compiled
def _independent(rows: Words) -> npt.NDArray[np.bool_]:
    """Which rows of bits are no sum of rows before them."""
    n_words = rows.shape[1]
    basis = np.zeros((n_words * 64, n_words), np.uint64)
    is_set = np.zeros(n_words * 64, np.bool_)
    kept = np.zeros(rows.shape[0], np.bool_)
    row = np.zeros(n_words, np.uint64)
    for i in range(rows.shape[0]):
        row[:] = rows[i]
        for bit in range(n_words * 64):
            if not (row[bit >> 6] >> np.uint64(bit & 63)) & np.uint64(1):
                continue
            if is_set[bit]:
                row ^= basis[bit]
            else:
                basis[bit] = row
                is_set[bit] = True
                kept[i] = True
                break
    return kept
