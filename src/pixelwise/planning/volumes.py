"""The planner's choices for volumes: grid, slices, patch, and poolings and kernels per axis.

The rules are those of nnU-Net (Isensee et al. 2021, released version 2) where nothing else is
said, with a budget of voxels in the place of its memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from pydantic import ValidationError

from pixelwise.core.plan import GeometrySection
from pixelwise.core.records import CaseFacts, Choice, Facts
from pixelwise.data.geometry import SAME_SHARE, target_shape

ANISOTROPIC = 3.0
"""Voxels longer than this many times their width are thick slices."""

_FINEST_SHARE = 10
"""Percentile of the spacings that thick slices are resampled to, instead of the median."""

FEWEST_SLICES = 8
"""With fewer slices there is nothing to pool along them: they are seen as slices."""

SEPARATE = 6.0
"""Slices this many times thicker than their pixels show little of their neighbours' shapes."""

_SHORTEST_POOLED, _SHORTEST_LAST = 8, 12
"""An axis is halved from this length on, the last one that is left from the second."""

Steps = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """What the network will see: its axes, their lengths in the median case and their spacing.

    steps: spacing relative to the finest axis. still_axis: the axis of thick slices, among
    those of the data, that augmentation leaves alone.
    """

    geometry: GeometrySection
    shape: tuple[int, ...]
    steps: Steps
    still_axis: int | None
    reasons: tuple[Choice, ...] = ()

    @property
    def n_slices(self) -> int:
        """How many slices become channels; 1 for volumes and images as they are."""
        geometry = self.geometry
        return 1 if geometry.slice_axis is None else 1 + 2 * geometry.neighbours


def choose_grid(
    facts: Facts,
    *,
    is_spacing_given: bool = False,
    asked: Mapping[str, Any] = MappingProxyType({}),
) -> Grid:
    """The grid that a network works on, from the spacings of the training cases.

    is_spacing_given: one spacing was stated for all images, whatever their files say; pictures
    are then left as they are. asked: fields of the geometry that the user has fixed.
    """
    reasons: list[Choice] = []
    own = _median_spacing(facts)
    geometry = GeometrySection()
    if own is not None and not (is_spacing_given and facts.n_dims == 2):
        geometry, reason = _choose_spacing(facts, own)
        reasons += reason
    if facts.n_dims == 3 and "slice_axis" not in asked:
        shape, steps = _on_grid(facts, geometry, own)
        geometry, reason = _choose_slices(geometry, shape, steps)
        reasons += reason
    if asked:
        geometry = _with_changes(geometry, asked)
        reasons = [r for r in reasons if r.field.removeprefix("geometry.") not in asked]
    shape, steps = _on_grid(facts, geometry, own)
    still = int(np.argmax(steps)) if max(steps) > ANISOTROPIC and facts.n_dims == 3 else None
    axis = geometry.slice_axis
    if axis is not None and 0 <= axis < len(shape):
        keep = [i for i in range(len(shape)) if i != axis]
        shape, steps = tuple(shape[i] for i in keep), tuple(steps[i] for i in keep)
        still = axis
    return Grid(geometry, shape, tuple(s / min(steps) for s in steps), still, tuple(reasons))


def _with_changes(geometry: GeometrySection, asked: Mapping[str, Any]) -> GeometrySection:
    try:
        return GeometrySection.model_validate(geometry.model_dump() | dict(asked))
    except ValidationError:
        return geometry  # told with all other problems when the whole plan is checked


def _on_grid(
    facts: Facts, geometry: GeometrySection, spacing: Steps | None
) -> tuple[tuple[int, ...], Steps]:
    """Shape of the median case on a grid, and its spacing relative to the finest axis."""
    shape = facts.median_shape
    if spacing is None:
        return shape, (1.0,) * len(shape)
    if geometry.spacing:
        given = geometry.spacing
        spacing = tuple(new or old for new, old in zip(given, spacing, strict=True))
        shape = _median_target(facts, geometry)
    return shape, tuple(step / min(spacing) for step in spacing)


def _median_spacing(facts: Facts) -> Steps | None:
    found = [case.spacing for case in _training(facts) if case.spacing]
    if not found:
        return facts.spacing
    return tuple(float(step) for step in np.median(found, axis=0))


def _training(facts: Facts) -> list[CaseFacts]:
    return [case for case in facts.cases if case.split == "train"] or list(facts.cases)


def _median_target(facts: Facts, geometry: GeometrySection) -> tuple[int, ...]:
    shapes = [
        target_shape(case.shape, case.spacing or facts.spacing or (), geometry.spacing)
        for case in _training(facts)
        if case.spacing or facts.spacing
    ]
    return tuple(int(n) for n in np.median(shapes, axis=0)) if shapes else facts.median_shape


def _choose_spacing(facts: Facts, median: Steps) -> tuple[GeometrySection, list[Choice]]:
    """The median spacing per axis; a finer one for thick slices, so that few are made up."""
    own = np.asarray([case.spacing or facts.spacing or median for case in _training(facts)])
    spread = float((own.max(axis=0) / own.min(axis=0)).max())
    if spread <= 1 + SAME_SHARE:
        return GeometrySection(), []
    target = list(median)
    coarse = int(np.argmax(target))
    others = [step for axis, step in enumerate(target) if axis != coarse]
    lengths = [n for axis, n in enumerate(facts.median_shape) if axis != coarse]
    is_thick = target[coarse] > ANISOTROPIC * max(others)
    if is_thick and facts.n_dims == 3 and facts.median_shape[coarse] * 3 < min(lengths):
        target[coarse] = max(float(np.percentile(own[:, coarse], _FINEST_SHARE)), max(others))
    is_thick = facts.n_dims == 3 and max(target) > ANISOTROPIC * max(others)
    geometry = GeometrySection(spacing=tuple(target), nearest_axes=(coarse,) if is_thick else ())
    reason = Choice(
        field="geometry.spacing",
        value=" x ".join(f"{step:.3g}" for step in target) + f" {facts.unit}",
        fact=f"spacings of the training cases differ by a factor of up to {spread:.2g}",
        reason="A structure then has one size in pixels for the network; answers come back on "
        "each image's own grid."
        + (" Between thick slices nothing is interpolated." if is_thick else ""),
    )
    return geometry, [reason]


def _choose_slices(
    geometry: GeometrySection, shape: tuple[int, ...], steps: Steps
) -> tuple[GeometrySection, list[Choice]]:
    """Slice by slice where there are too few slices, or where they are too far apart."""
    axis = int(np.argmax(steps)) if max(steps) > 1 + SAME_SHARE else int(np.argmin(shape))
    is_few, is_far = shape[axis] < FEWEST_SLICES, max(steps) >= SEPARATE
    if not is_few and not is_far:
        return geometry, []
    neighbours = 1 if shape[axis] >= 3 else 0
    spacing = geometry.spacing
    if spacing:
        spacing = (*spacing[:axis], None, *spacing[axis + 1 :])
    changed = geometry.model_copy(
        update={
            "slice_axis": axis,
            "neighbours": neighbours,
            "spacing": spacing if any(step is not None for step in spacing) else (),
            "nearest_axes": (),
        }
    )
    name = "zyx"[axis]
    fact = (
        f"the median volume has {shape[axis]} slices across {name}"
        if is_few
        else f"slices across {name} are {max(steps):.1f} times as far apart as their pixels"
    )
    reason = Choice(
        field="geometry.slice_axis",
        value=f"{name}, with {neighbours} neighbours on each side as channels",
        fact=fact,
        reason="A network of two dimensions sees slice by slice: convolutions across such slices "
        "would cost three times as much and have next to nothing to join.",
    )
    return changed, [reason]


def volume_patch(shape: Sequence[int], steps: Steps, n_voxels: int) -> tuple[int, ...]:
    """Edges of a patch of about `n_voxels`: as long along every axis in space as the median
    case permits, and multiples of what the axis will be divided by."""
    edges = [0.0] * len(shape)
    free = list(range(len(shape)))
    left = float(n_voxels)
    while free:
        scale = (left * math.prod(steps[axis] for axis in free)) ** (1 / len(free))
        clipped = [axis for axis in free if scale / steps[axis] >= shape[axis]]
        if not clipped:
            for axis in free:
                edges[axis] = scale / steps[axis]
            break
        for axis in clipped:
            edges[axis] = float(shape[axis])
            left = max(1.0, left / shape[axis])
            free.remove(axis)
    rounded = [
        max(1, math.ceil(edge) if math.ceil(edge) >= n else round(edge))
        for edge, n in zip(edges, shape, strict=True)
    ]
    strides, _ = topology(rounded, steps, most=4)
    divisors = [math.prod(axis) for axis in zip(*strides, strict=True)]
    return tuple(-(-edge // step) * step for edge, step in zip(rounded, divisors, strict=True))


def topology(
    patch: Sequence[float], steps: Steps, most: int
) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]:
    """Strides and kernels per grid of a network that halves at most `most` times.

    Axes are halved while they are at least 8 long and less than twice as coarse as the finest
    of these; a kernel is 1 along an axis until its voxels are less than twice as long as the
    finest.
    """
    sizes, spacing = list(patch), list(steps)
    kernel = [1] * len(sizes)
    strides, kernels = [(1,) * len(sizes)], []
    while True:
        finest = min(spacing)
        kernel = [3 if s < 2 * finest else k for s, k in zip(spacing, kernel, strict=True)]
        kernels.append(tuple(kernel))
        axes = [axis for axis, size in enumerate(sizes) if size >= _SHORTEST_POOLED]
        limit = 2 * min((spacing[axis] for axis in axes), default=0.0)
        axes = [axis for axis in axes if spacing[axis] < limit]
        is_short = len(axes) == 1 and sizes[axes[0]] < _SHORTEST_LAST
        if not axes or is_short or len(strides) > most:
            break
        strides.append(tuple(2 if axis in axes else 1 for axis in range(len(sizes))))
        for axis in axes:
            sizes[axis], spacing[axis] = -(-sizes[axis] // 2), spacing[axis] * 2
    kernels[-1] = (3,) * len(sizes)
    return tuple(strides), tuple(kernels)
