"""Which input pixels each feature can see: exact index intervals, carried through every layer.

A `Sight` holds, for every position along one axis of a feature map, the first and the last
input index that can reach it. Rules below say how a layer changes it. Positions that see
nothing (zero padding) have first > last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]

_NOTHING_FIRST = np.iinfo(np.int64).max // 4
_NOTHING_LAST = -_NOTHING_FIRST


@dataclass(frozen=True, slots=True)
class Sight:
    """First and last input index (inclusive) seen from every position along one axis."""

    first: Indices
    last: Indices

    def __len__(self) -> int:
        return len(self.first)

    def sizes(self) -> Indices:
        """How many input pixels each position spans."""
        sizes: Indices = np.maximum(self.last - self.first + 1, 0)
        return sizes


def of_input(size: int) -> Sight:
    """Every input pixel sees itself."""
    index = np.arange(size, dtype=np.int64)
    return Sight(index, index.copy())


def pick(sight: Sight, positions: Indices) -> Sight:
    """The sight at some positions; those outside see nothing."""
    inside = (positions >= 0) & (positions < len(sight))
    safe = np.clip(positions, 0, max(len(sight) - 1, 0))
    first = np.where(inside, sight.first[safe], _NOTHING_FIRST)
    last = np.where(inside, sight.last[safe], _NOTHING_LAST)
    return Sight(first, last)


def join(sights: Sequence[Sight]) -> Sight:
    """What several maps see together, position by position."""
    return Sight(
        np.minimum.reduce([sight.first for sight in sights]),
        np.maximum.reduce([sight.last for sight in sights]),
    )


def slide(
    sight: Sight, size: int, *, kernel: int, stride: int, padding: int, dilation: int
) -> Sight:
    """A convolution or a pooling with an output of `size` positions."""
    starts = np.arange(size, dtype=np.int64) * stride - padding
    return join([pick(sight, starts + tap * dilation) for tap in range(kernel)])


def slide_back(
    sight: Sight, size: int, *, kernel: int, stride: int, padding: int, dilation: int
) -> Sight:
    """A transposed convolution with an output of `size` positions."""
    targets = np.arange(size, dtype=np.int64) + padding
    seen = []
    for tap in range(kernel):
        distance = targets - tap * dilation
        positions = np.where(distance % stride == 0, distance // stride, -1)
        seen.append(pick(sight, positions))
    return join(seen)


def resample(sight: Sight, size: int, *, n_taps: int) -> Sight:
    """Interpolation to `size` positions: 1 tap (nearest), 2 (linear) or 4 (cubic)."""
    scale = len(sight) / size
    if n_taps == 1:
        nearest = np.floor(np.arange(size) * scale).astype(np.int64)
        return pick(sight, np.minimum(nearest, len(sight) - 1))
    centre = (np.arange(size) + 0.5) * scale - 0.5
    base = np.floor(centre).astype(np.int64)
    is_exact = np.isclose(centre, base)
    offsets = range(1 - n_taps // 2, n_taps // 2 + 1)
    seen = []
    for offset in offsets:
        positions = np.clip(base + offset, 0, len(sight) - 1)
        seen.append(pick(sight, np.where(is_exact, np.clip(base, 0, len(sight) - 1), positions)))
    return join(seen)


def mirror(sight: Sight, before: int, after: int) -> Sight:
    """Reflection padding: added positions see what their mirror images see."""
    positions = np.abs(np.arange(-before, len(sight) + after, dtype=np.int64))
    last = len(sight) - 1
    return pick(sight, last - np.abs(last - positions))


def repeat_edge(sight: Sight, before: int, after: int) -> Sight:
    """Replication padding: added positions see what the border pixel sees."""
    positions = np.arange(-before, len(sight) + after, dtype=np.int64)
    return pick(sight, np.clip(positions, 0, len(sight) - 1))


def shift(sight: Sight, before: int, after: int) -> Sight:
    """Zero padding, or cropping where an amount is negative."""
    return pick(sight, np.arange(-before, len(sight) + after, dtype=np.int64))


def everything(sight: Sight, size: int) -> Sight:
    """Every one of `size` positions sees all that the map sees (global pooling and the like)."""
    first = np.full(size, sight.first.min(), dtype=np.int64)
    return Sight(first, np.full(size, sight.last.max(), dtype=np.int64))
