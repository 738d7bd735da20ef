"""Distances to the nearest and the second nearest of many numbered objects, in one sweep an axis.

Squared Euclidean distance is a sum over axes, so the two nearest objects of a line are all that
the next axis needs to know of it: an object beaten there by two others is beaten by them
everywhere along that axis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled, prepare

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int32]

Pair = tuple[Any, Any, Any, Any]
"""Squared distances to the nearest and the second nearest object, and their numbers."""

_FAR = np.float32(np.inf)


def two_nearest(
    objects: npt.NDArray[np.integer[Any]], spacing: Sequence[float], limit: float
) -> tuple[Floats, Floats]:
    """Distance of every pixel to its nearest and its second nearest object, infinite beyond.

    Shape: objects ([z,] y, x), 0 is background. Inside an object the first distance is 0.
    Units: spacing one number per axis, limit (what is farther does not matter) and the
    result in its unit.
    """
    prepare("loops of border weights", _first_call)
    numbers = np.array(objects, np.int32, order="C")  # a copy: the loops write into it
    shape = numbers.shape
    first, second = (np.full(shape, _FAR, np.float32) for _ in range(2))
    other = np.zeros(shape, np.int32)
    width = shape[-1]
    _along_rows(
        numbers.reshape(-1, width),
        other.reshape(-1, width),
        first.reshape(-1, width),
        second.reshape(-1, width),
        float(spacing[-1]),
        float(limit),
    )
    for axis in reversed(range(len(shape) - 1)):
        inner = math.prod(shape[axis + 1 :])
        view = (-1, shape[axis], inner)
        reach = min(int(limit / spacing[axis]), shape[axis] - 1)
        found = _across(
            numbers.reshape(view),
            other.reshape(view),
            first.reshape(view),
            second.reshape(view),
            float(spacing[axis]),
            reach,
        )
        numbers, other = found[0].reshape(shape), found[1].reshape(shape)
        first, second = found[2].reshape(shape), found[3].reshape(shape)
    return np.sqrt(first), np.sqrt(second)


@compiled
def _better(pair: Pair, squared: Any, number: Any) -> Pair:
    """The two nearest objects after another one was met, their squared distances first."""
    first, second, nearest, other = pair
    if number == 0 or squared >= second:
        return pair
    if squared < first:
        if number != nearest:
            return squared, first, number, nearest
        return squared, second, number, other
    if number != nearest:
        return first, squared, nearest, number
    return pair


@compiled
def _along_rows(
    numbers: Numbers, other: Numbers, first: Floats, second: Floats, step: float, limit: float
) -> None:
    """The two nearest objects within each row; `numbers` becomes the number of the nearest."""
    n_rows, width = numbers.shape
    own = np.empty(width, np.int32)
    for row in range(n_rows):
        own[:] = numbers[row]
        for direction in (1, -1):
            here, here_at, before, before_at = np.int32(0), 0, np.int32(0), 0
            for count in range(width):
                x = count if direction == 1 else width - 1 - count
                if own[x] != 0:
                    if own[x] != here:
                        before, before_at = here, here_at
                        here = own[x]
                    here_at = x
                pair = (first[row, x], second[row, x], numbers[row, x], other[row, x])
                for number, at in ((here, here_at), (before, before_at)):
                    gap = np.float32(step * (x - at))
                    if abs(gap) <= limit:
                        pair = _better(pair, gap * gap, number)
                first[row, x], second[row, x], numbers[row, x], other[row, x] = pair


@compiled
def _across(
    numbers: Numbers, other: Numbers, first: Floats, second: Floats, step: float, reach: int
) -> tuple[Numbers, Numbers, Floats, Floats]:
    """The same along the middle axis of (outer, n, inner), from what the lines found."""
    n_outer, length, inner = numbers.shape
    new_numbers, new_other = np.empty_like(numbers), np.empty_like(other)
    new_first, new_second = np.empty_like(first), np.empty_like(second)
    for outer in range(n_outer):
        for i in range(length):
            for x in range(inner):
                here = (outer, i, x)
                pair = (first[here], second[here], numbers[here], other[here])
                for away in range(1, reach + 1):
                    squared = np.float32(step * away) * np.float32(step * away)
                    if squared >= pair[1]:
                        break
                    for j in (i - away, i + away):
                        if 0 <= j < length and first[outer, j, x] + squared < pair[1]:
                            there = (outer, j, x)
                            pair = _better(pair, first[there] + squared, numbers[there])
                            pair = _better(pair, second[there] + squared, other[there])
                new_first[here], new_second[here] = pair[0], pair[1]
                new_numbers[here], new_other[here] = pair[2], pair[3]
    return new_numbers, new_other, new_first, new_second


def _first_call() -> None:
    for shape in ((2, 2), (1, 2, 2)):
        numbers, other = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        first, second = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        if len(shape) == 2:
            _along_rows(numbers, other, first, second, 1.0, 1.0)
        else:
            _across(numbers, other, first, second, 1.0, 1)
