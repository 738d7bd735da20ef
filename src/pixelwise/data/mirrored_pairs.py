"""Classes that only their side tells apart, as left and right; and where they are exchanged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixelwise.core.case import ClassInfo
from pixelwise.data.object_sizes import ClassObjects

FEWEST_CASES = 4
_CONSISTENT = 0.85
"""Share of the cases in which the order along the axis is the same."""

_APART = 0.7
"""Distance of the centres in the sum of both spreads, at least."""

_LIKE_SIZE, _LIKE_SPREAD = 1.6, 1.6
_ACROSS = 0.5
"""Along other axes the centres are at most this share of that distance apart."""

_SIDES = (("left", "right"), ("l", "r"), ("anterior", "posterior"), ("upper", "lower"),
          ("superior", "inferior"), ("top", "bottom"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class MirroredPair:
    """Two classes on two sides of an axis (0 is the first of [z,] y, x).

    first lies at lower coordinates. n_cases: with both; swapped: indices of the cases where
    they lie the other way round.
    """

    first: int
    second: int
    axis: int
    n_dims: int
    n_cases: int
    swapped: tuple[int, ...]


def find_pairs(
    cases: Sequence[Sequence[ClassObjects]], classes: Sequence[ClassInfo]
) -> list[MirroredPair]:
    """Pairs of classes of like size and extent that lie side by side in a fixed order.

    Two classes that are named as sides of one thing ("left lung", "right lung") need only the
    order. cases: what each holds, see `measure_classes`.
    """
    names = {c.id: c.name for c in classes}
    ids = sorted({found.class_id for case in cases for found in case})
    pairs = []
    for i, first in enumerate(ids):
        for second in ids[i + 1 :]:
            both = _with_both(cases, first, second)
            if len(both) >= FEWEST_CASES:
                are_named = _are_sides(names.get(first, ""), names.get(second, ""))
                pair = _judge(both, first, second, are_named)
                pairs += [pair] if pair is not None else []
    return pairs


_Both = list[tuple[int, ClassObjects, ClassObjects]]


def _with_both(cases: Sequence[Sequence[ClassObjects]], first: int, second: int) -> _Both:
    found = []
    for index, case in enumerate(cases):
        known = {objects.class_id: objects for objects in case}
        if first in known and second in known:
            found.append((index, known[first], known[second]))
    return found


def _judge(both: _Both, first: int, second: int, are_named: bool) -> MirroredPair | None:
    centres = np.array([[a.centre, b.centre] for _, a, b in both])
    spreads = np.array([[a.spread, b.spread] for _, a, b in both])
    distance = centres[:, 1] - centres[:, 0]
    axis = int(np.argmax(np.median(np.abs(distance), axis=0)))
    along = distance[:, axis]
    sign = 1.0 if np.median(along) >= 0 else -1.0
    is_usual = along * sign > 0
    if is_usual.mean() < _CONSISTENT:
        return None
    if not are_named and not _look_alike(both, distance, spreads, axis):
        return None
    width = spreads[:, :, axis].sum(axis=1)
    is_apart = np.abs(along) > 0.5 * _APART * width
    swapped = tuple(
        index
        for (index, _, _), usual, apart in zip(both, is_usual, is_apart, strict=True)
        if not usual and apart
    )
    ordered = (first, second) if sign > 0 else (second, first)
    return MirroredPair(*ordered, axis, centres.shape[2], len(both), swapped)


def _look_alike(both: _Both, distance: np.ndarray, spreads: np.ndarray, axis: int) -> bool:
    """Whether both are of like size and extent, clearly apart, and side by side."""
    sizes = np.array([[a.n_pixels, b.n_pixels] for _, a, b in both], dtype=np.float64)
    ratio = np.median(np.log(sizes[:, 0] / sizes[:, 1]))
    thick = np.median([np.log(a.thickness / b.thickness) for _, a, b in both])
    extents = np.median(np.log(np.maximum(spreads, 1e-4)), axis=0)
    along = np.median(np.abs(distance[:, axis]))
    others = [a for a in range(distance.shape[1]) if a != axis]
    across = np.median(np.abs(distance[:, others]), axis=0).max() if others else 0.0
    return bool(
        abs(ratio) < np.log(_LIKE_SIZE)
        and abs(thick) < np.log(_LIKE_SPREAD)
        and np.abs(extents[0] - extents[1]).max() < np.log(_LIKE_SPREAD)
        and along > _APART * np.median(spreads[:, :, axis].sum(axis=1))
        and across < _ACROSS * along
    )


def _are_sides(first: str, second: str) -> bool:
    """Whether two names differ only in the side that they name."""
    one, other = (re.split(r"[^a-z]+", name.lower()) for name in (first, second))
    if len(one) != len(other):
        return False
    differing = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    return len(differing) == 1 and any(set(differing[0]) == set(sides) for sides in _SIDES)
