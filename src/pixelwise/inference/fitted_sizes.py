"""Tiles of any size for a model that takes some sizes only: mirrored up, the answer cut back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pixelwise.core.errors import ShapeMismatch
from pixelwise.inference.engines import Tiles
from pixelwise.networks import Field, check_size


def run_fitted(
    run: Callable[[Tiles], Tiles], images: Tiles, field: Field, fixed: tuple[int, ...] | None
) -> Tiles:
    """`run` on (n, c, [z,] y, x) tiles, mirrored at their ends to a shape that it takes.

    The answer is on the tiles' grid, less the margin of the field.
    Raises: ShapeMismatch for a tile that the model cannot take.
    """
    shape = images.shape[2:]
    given = fit(images, field, fixed)
    answer = run(given)
    if given.shape == images.shape:
        return answer
    return answer[(slice(None), slice(None), *(slice(0, size) for size in shape))]


def fit(images: Tiles, field: Field, fixed: tuple[int, ...] | None) -> Tiles:
    """Tiles mirrored at their ends to a shape that the model takes.

    With a margin the sizes must be right already: mirrored pixels would end up in the answer.
    Raises: ShapeMismatch for a tile that the model cannot take.
    """
    shape = images.shape[2:]
    if field.margin and fixed is None:
        check_size(field, shape, "the model")
        return images
    goal = fixed or _goal(field, shape)
    if goal == shape:
        return images
    if any(size > edge for size, edge in zip(shape, goal, strict=True)) or field.margin:
        raise ShapeMismatch(
            f"the model cannot take a tile of {'x'.join(map(str, shape))}",
            f"tiles of {'x'.join(map(str, goal))}",
            "Set inference.tile to what the run was exported with.",
            code="network-size",
        )
    missing = [(0, edge - size) for size, edge in zip(shape, goal, strict=True)]
    return np.pad(images, [(0, 0), (0, 0), *missing], mode="reflect")


def _goal(field: Field, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The next sizes that it takes; as in the networks, never one coarsest pixel in all."""
    goal = [field.valid_size(size) for size in shape]
    if field.multiple > 1 and all(size == field.multiple for size in goal):
        goal[-1] *= 2
    return tuple(goal)
