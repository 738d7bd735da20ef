"""nnU-Net's own planning in numbers: spacing, topology, patch and batch from a fingerprint.

The rules are those of the released version 2 (Isensee et al., Nature Methods 2021), worked out
anew; axes are in nnU-Net's order in here, the coarsest first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixelwise.planning.volumes import ANISOTROPIC, topology

Floats = npt.NDArray[np.float64]
Sizes = tuple[tuple[int, ...], ...]

USUAL_MEMORY_GB = 8.0
"""Of a graphics card; nnU-Net plans for it unless it is told otherwise."""

WIDTH = 32
_MOST_MAPS = {2: 512, 3: 320}
_CONVOLUTIONS = 2
"""Per stage, on the way down and on the way up."""

_FIRST_PATCH = {2: 2048**2, 3: 256**3}
_REFERENCE = {2: 85e6, 3: 560e6}
"""Feature map elements of one image that go with the reference batch in 8 GB."""

_REFERENCE_BATCH = {2: 12, 3: 2}
_SMALLEST_BATCH = 2
_MOST_OF_THE_SET = 0.05
"""A batch holds at most this share of all voxels of the set."""

_FINEST_SHARE = 10
_SLIGHTLY = 1e-5
_LOW_RESOLUTION_BELOW = 0.25
"""A patch that shows less than this share of the median case calls for a coarser network before."""

_COARSER, _COARSE_AXIS, _WORTH_IT = 1.03, 2.0, 2.0
_NO_LIMIT = 99

PICTURE_SPACING = (999.0, 1.0, 1.0)
"""What nnU-Net takes pictures for: volumes of one slice, far from any other."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What nnU-Net knows of a data set when it plans: everything per case, axes as stored.

    shapes: (z, y, x) of what is left when zeros around the object are cut off; pictures have
    one slice. spacings likewise. n_labels: background and an ignored label count.
    """

    shapes: tuple[tuple[int, int, int], ...]
    spacings: tuple[tuple[float, float, float], ...]
    n_labels: int

    @property
    def n_cases(self) -> int:
        """How many cases it was taken from."""
        return len(self.shapes)


@dataclass(frozen=True, slots=True)
class Configuration:
    """One network as nnU-Net plans it: axes in its own order, without the first one in 2D.

    spacing: that images are resampled to. median_shape: of the cases there. estimate: elements
    of all feature maps of one image, its measure of memory.
    """

    spacing: tuple[float, ...]
    median_shape: tuple[float, ...]
    patch: tuple[int, ...]
    batch: int
    strides: Sizes
    kernels: Sizes
    estimate: int

    @property
    def stages(self) -> int:
        """Grids of the network, the full one included."""
        return len(self.strides)


@dataclass(frozen=True, slots=True)
class NnunetPlans:
    """All configurations that nnU-Net would train, and which stored axis is which of theirs.

    axes: stored axes in nnU-Net's order. three: at the full resolution, None for pictures.
    low: the coarser network whose answer the full one would be given (a cascade), if any.
    """

    axes: tuple[int, int, int]
    two: Configuration
    three: Configuration | None
    low: Configuration | None


def plan_configurations(
    fingerprint: Fingerprint, memory_gb: float = USUAL_MEMORY_GB
) -> NnunetPlans:
    """Every configuration for a data set. memory_gb: of the graphics card that is planned for."""
    target = target_spacing(fingerprint)
    first = int(np.argmax(target))
    axes = (first, *(axis for axis in range(3) if axis != first))
    shapes = [
        [round(old / new * n) for old, new, n in zip(spacing, target, shape, strict=True)]
        for spacing, shape in zip(fingerprint.spacings, fingerprint.shapes, strict=True)
    ]
    median = np.median(shapes, axis=0)[list(axes)]
    spacing = target[list(axes)]
    limits = _Limits(memory_gb, fingerprint.n_labels, float(median.prod()) * fingerprint.n_cases)
    three, low = None, None
    if median[0] != 1:
        three = _configure(spacing, median, limits)
        low = _low_resolution(three, fingerprint, limits)
    return NnunetPlans(axes, _configure(spacing[1:], median[1:], limits), three, low)  # type: ignore[arg-type]  # three axes


def target_spacing(fingerprint: Fingerprint) -> Floats:
    """The median per axis; for few thick slices the tenth percentile, so that fewer are made up."""
    spacings = np.asarray(fingerprint.spacings, dtype=np.float64)
    target: Floats = np.percentile(spacings, 50, axis=0)
    lengths = np.percentile(np.asarray(fingerprint.shapes), 50, axis=0)
    coarse = int(np.argmax(target))
    others = [axis for axis in range(3) if axis != coarse]
    next_step = max(target[axis] for axis in others)
    is_thick = target[coarse] > ANISOTROPIC * next_step
    if is_thick and lengths[coarse] * ANISOTROPIC < min(lengths[axis] for axis in others):
        finer = float(np.percentile(spacings[:, coarse], _FINEST_SHARE))
        target[coarse] = finer if finer >= next_step else next_step + _SLIGHTLY
    return target


@dataclass(frozen=True, slots=True)
class _Limits:
    """What bounds patch and batch: memory, output channels, voxels of the whole set."""

    memory_gb: float
    n_labels: int
    n_voxels: float


def _configure(spacing: Floats, median: Floats, limits: _Limits) -> Configuration:
    """The largest patch with the median case's proportions that fits twice, and how many fit."""
    n_dims = len(spacing)
    steps = tuple(float(step) for step in spacing)
    inverse = 1 / spacing
    scale = (_FIRST_PATCH[n_dims] / inverse.prod()) ** (1 / n_dims)
    wanted = [min(round(i * scale), n) for i, n in zip(inverse, median, strict=True)]
    patch, strides, kernels = _fit(wanted, steps)
    estimate = count_elements(patch, strides, limits.n_labels)
    budget = _REFERENCE[n_dims] * limits.memory_gb / USUAL_MEMORY_GB
    while estimate / _REFERENCE_BATCH[n_dims] * _SMALLEST_BATCH > budget:
        axis = max(range(n_dims), key=lambda i: (patch[i] / median[i], i))
        smaller = list(patch)
        smaller[axis] -= _divisors(strides)[axis]
        # A smaller patch may be halved less often, so that smaller reductions become possible.
        _, fewer, _ = _fit(smaller, steps)
        smaller[axis] = patch[axis] - _divisors(fewer)[axis]
        patch, strides, kernels = _fit(smaller, steps)
        estimate = count_elements(patch, strides, limits.n_labels)
    fitting = round(budget / estimate * _REFERENCE_BATCH[n_dims])
    most = round(limits.n_voxels * _MOST_OF_THE_SET / math.prod(patch))
    return Configuration(
        spacing=steps,
        median_shape=tuple(float(n) for n in median),
        patch=patch,
        batch=max(min(fitting, most), _SMALLEST_BATCH),
        strides=strides,
        kernels=kernels,
        estimate=estimate,
    )


def _fit(patch: Sequence[float], steps: tuple[float, ...]) -> tuple[tuple[int, ...], Sizes, Sizes]:
    """A patch made divisible by its halvings, with strides and kernels per stage."""
    strides, kernels = topology(patch, steps, most=_NO_LIMIT)
    divisors = _divisors(strides)
    fitted = tuple(math.ceil(n / step) * step for n, step in zip(patch, divisors, strict=True))
    return fitted, strides, kernels


def _divisors(strides: Sizes) -> tuple[int, ...]:
    return tuple(math.prod(axis) for axis in zip(*strides, strict=True))


def count_elements(patch: Sequence[int], strides: Sizes, n_labels: int) -> int:
    """Elements of all feature maps that the plain U-Net makes of one patch, its scores included.

    Two convolutions a stage on the way down; on the way up an upsampling and two convolutions.
    """
    n_dims, last = len(patch), len(strides) - 1
    total, sizes = n_labels * math.prod(patch), list(patch)
    for stage, stride in enumerate(strides):
        sizes = [n // step for n, step in zip(sizes, stride, strict=True)]
        maps = min(WIDTH * 2**stage, _MOST_MAPS[n_dims])
        layers = _CONVOLUTIONS if stage == last else 2 * _CONVOLUTIONS + 1
        total += layers * maps * math.prod(sizes)
    return total


def _low_resolution(
    full: Configuration, fingerprint: Fingerprint, limits: _Limits
) -> Configuration | None:
    """A coarser grid on which a patch shows a quarter of the median case, None if not needed."""
    fine, median = np.asarray(full.spacing), np.asarray(full.median_shape)
    spacing, found = fine.copy(), full
    whole = n_voxels = float(median.prod())
    while math.prod(found.patch) / n_voxels < _LOW_RESOLUTION_BELOW:
        is_fine = spacing.max() / spacing > _COARSE_AXIS
        spacing = (
            np.where(is_fine, spacing * _COARSER, spacing)
            if is_fine.any()
            else (spacing * _COARSER)
        )
        exact = fine / spacing * median
        n_voxels = float(exact.prod())
        shape = np.asarray([round(n) for n in exact], dtype=np.float64)
        coarser = _Limits(limits.memory_gb, limits.n_labels, n_voxels * fingerprint.n_cases)
        found = _configure(spacing, shape, coarser)
    return found if whole / n_voxels >= _WORTH_IT else None
