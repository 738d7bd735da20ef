"""Strides and kernels per axis, for volumes whose voxels are not cubes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pixelwise.core.errors import BadPlan, Problem, raise_errors

Sizes = tuple[tuple[int, ...], ...]
"""One tuple per stage of a network, with one number per axis."""


@dataclass(frozen=True, slots=True)
class AxisSteps:
    """strides: on entering each stage, 1 or 2 per axis. kernels: of its convolutions."""

    strides: Sizes
    kernels: Sizes

    def spread(self, stage: int) -> tuple[int, ...]:
        """Input pixels between neighbours of a stage's grid, per axis; -1 is the deepest."""
        entered = self.strides[: stage % len(self.strides) + 1]
        return tuple(math.prod(axis) for axis in zip(*entered, strict=True))

    @property
    def widest(self) -> int:
        """The coarsest stride of all, over all axes."""
        return max(self.spread(-1))

    def reach(self, convolutions: int, up_reach: int = 1) -> int:
        """How far an encoder and a mirrored decoder look, the deepest stage passed once.

        convolutions: per stage and side. up_reach: pixels of the coarser grid that an
        upsampled pixel is made from, on either side, plus one.
        """
        reaches = []
        for axis in range(len(self.strides[0])):
            total = 0
            for stage, kernel in enumerate(self.kernels):
                n = convolutions * (1 if stage == len(self.kernels) - 1 else 2)
                total += n * (kernel[axis] // 2) * self.spread(stage)[axis]
            reaches.append(total + up_reach * (self.spread(-1)[axis] - 1))
        return max(reaches)


def axis_steps(
    name: str,
    n_dims: int,
    stages: int,
    strides: Sizes | None,
    kernels: Sizes | None,
    *,
    first: int = 1,
) -> AxisSteps:
    """Strides and kernels of a network with `stages` grids; halvings and threes if not given.

    first: stride of the first stage if none are given; given ones must begin with it, or
    with 1 on some axes. Raises BadPlan with everything that is wrong.
    """
    problems = []
    for option, sizes in (("strides", strides), ("kernels", kernels)):
        if sizes is not None and [len(size) for size in sizes] != [n_dims] * stages:
            wanted = f"{stages} tuples (one per stage) of {n_dims} numbers"
            problems.append(_problem(name, f"option {option} is {sizes}", wanted))
    if strides is not None and not _are_halvings(strides, first):
        beginning = "ones" if first == 1 else "1 or 2 for each axis"
        wanted = f"{beginning} for the first stage, then 1 or 2 for each axis"
        problems.append(_problem(name, f"option strides is {strides}", wanted))
    if kernels is not None and any(number < 1 or number % 2 == 0 for k in kernels for number in k):
        problems.append(_problem(name, f"option kernels is {kernels}", "odd numbers"))
    raise_errors(problems, BadPlan)
    halvings: Sizes = ((first,) * n_dims, *((2,) * n_dims for _ in range(stages - 1)))
    threes: Sizes = ((3,) * n_dims,) * stages
    return AxisSteps(strides or halvings, kernels or threes)


def _are_halvings(strides: Sizes, first: int) -> bool:
    starts = all(number <= first for number in strides[0]) if strides else True
    return starts and all(number in (1, 2) for stride in strides for number in stride)


def _problem(name: str, what: str, expected: str) -> Problem:
    return Problem(f"network {name}: {what}", expected, "Change that option.", code="bad-option")
