"""Augmentation: one spatial transform drawn per patch, then changes of intensity and colour.

The transform is carried out once, on image and labels together (`patch_warp`). It is drawn in
physical units: a turn stays a turn where voxels are longer than wide. Elastic deformation draws
random vectors on a coarse grid and interpolates them smoothly (Ronneberger et al. 2015,
section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from pixelwise.core.plan import AugmentationSection
from pixelwise.data.patch_warp import Floats, Warp

Matrix = npt.NDArray[np.float64]

ELASTIC_GRID = 64
"""Distance in pixels between the random vectors of the elastic deformation."""

_NARROWEST_BLUR = 0.25
"""A narrower Gaussian gives the neighbours less than a thousandth: not worth the time."""


def draw_warp(
    patch: tuple[int, ...],
    section: AugmentationSection,
    random: np.random.Generator,
    spacing: Sequence[float] | None = None,
) -> Warp:
    """Draw one spatial transform: mirroring, rotation, scaling, shear, elastic deformation.

    spacing: of the pixels, in any unit; equal along all axes if not given.
    """
    n_dims = len(patch)
    steps = np.ones(n_dims) if spacing is None else np.asarray(spacing) / min(spacing)
    matrix = _draw_matrix(n_dims, section, random)
    matrix = matrix * steps[None, :] / steps[:, None]
    shift = None
    if section.elastic > 0 and random.random() < 0.5:
        shift = _draw_elastic(patch, section.elastic * random.random(), steps, random)
        if section.still_axis is not None:
            shift[section.still_axis] = 0
    return Warp(patch, matrix.astype(np.float32), shift)


def identity_warp(patch: tuple[int, ...]) -> Warp:
    """The transform that only cuts a patch out."""
    return Warp(patch, np.eye(len(patch), dtype=np.float32))


def change_intensity(
    image: Tensor,
    section: AugmentationSection,
    random: np.random.Generator,
    spacing: Sequence[float] | None = None,
) -> Tensor:
    """Change a normalised (c, …) image as cameras, lamps and stains do.

    Contrast, brightness, gamma, uneven illumination, blur and noise, each now and then,
    their strength in standard deviations of the image times `section.intensity`; colour
    channels are shifted apart by `section.colour`. Blur is as wide along every axis in the
    unit of `spacing`.
    """
    strength, colour = section.intensity, section.colour
    if strength > 0:
        if random.random() < 0.5:
            contrast = float(np.exp(random.normal(0.0, 0.15 * strength)))
            image = image * contrast + float(random.normal(0.0, 0.15 * strength))
        if random.random() < 0.2:
            image = _change_gamma(image, float(np.exp(random.normal(0.0, 0.3 * strength))))
        if random.random() < 0.15:
            image = image * _draw_illumination(image.shape[1:], 0.2 * strength, random)
        if random.random() < 0.15:
            image = _blur(image, float(random.uniform(0.3, 0.3 + 0.7 * strength)), spacing)
        if random.random() < 0.2:
            noise = random.standard_normal(tuple(image.shape), dtype=np.float32)
            image = image + torch.from_numpy(noise) * float(random.uniform(0, 0.1 * strength))
    if colour > 0 and image.shape[0] > 1 and random.random() < 0.5:
        shape = (image.shape[0],) + (1,) * (image.ndim - 1)
        gain = np.exp(random.normal(0.0, 0.08 * colour, shape)).astype(np.float32)
        shift = random.normal(0.0, 0.08 * colour, shape).astype(np.float32)
        image = image * torch.from_numpy(gain) + torch.from_numpy(shift)
    return image


def _draw_matrix(n_dims: int, section: AugmentationSection, random: np.random.Generator) -> Matrix:
    """In physical units. A still axis is only ever mirrored."""
    free = [axis for axis in range(n_dims) if axis != section.still_axis]
    matrix = np.eye(n_dims)
    if section.scaling > 0 and random.random() < 0.5:
        matrix[free, free] *= np.exp(random.uniform(-1, 1) * np.log1p(section.scaling))
    if section.shear > 0 and random.random() < 0.2:
        slant = random.uniform(-section.shear, section.shear, (len(free), len(free)))
        np.fill_diagonal(slant, 1.0)
        matrix[np.ix_(free, free)] = matrix[np.ix_(free, free)] @ slant
    if section.rotation > 0 and random.random() < 0.75:
        for first, second in combinations(free, 2):
            angle = np.deg2rad(random.uniform(-section.rotation, section.rotation))
            turn = np.eye(n_dims)
            turn[first, first] = turn[second, second] = np.cos(angle)
            turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
            matrix = matrix @ turn
    for axis in section.mirror_axes:
        if random.random() < 0.5:
            matrix[:, axis] *= -1
    return matrix


def _draw_elastic(
    patch: tuple[int, ...], std: float, steps: Matrix, random: np.random.Generator
) -> Floats:
    """(d, …) displacement in pixels, from vectors on a grid that is coarse in physical units."""
    coarse = [max(2, round(n * s / ELASTIC_GRID)) + 1 for n, s in zip(patch, steps, strict=True)]
    vectors = random.normal(0.0, std, (len(patch), *coarse)).astype(np.float32)
    return spread_smoothly(vectors / steps.reshape(-1, *[1] * len(patch)), patch)


def spread_smoothly(coarse: npt.NDArray[np.floating], shape: Sequence[int]) -> Floats:
    """Values (c, …) on a coarse grid, ends included, interpolated cubically to (c, *shape)."""
    values = coarse.astype(np.float32)
    for axis, length in enumerate(shape, start=1):
        weights = _cubic_weights(values.shape[axis], length)
        values = np.moveaxis(np.tensordot(values, weights, axes=(axis, 1)), -1, axis)
    return np.ascontiguousarray(values)


@lru_cache(maxsize=64)
def _cubic_weights(n_coarse: int, n_fine: int) -> Floats:
    """(n_fine, n_coarse) weights of a cardinal cubic spline; ends continued straight.

    Source: Keys 1981, parameter -1/2: third-order exact, so linear fields stay linear.
    """
    places = np.linspace(0, n_coarse - 1, n_fine)
    t = np.abs(places[:, None] - np.arange(-1, n_coarse + 1))
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    weights = np.where(t <= 1, near, np.where(t < 2, far, 0.0))
    inner = weights[:, 1:-1].copy()
    if n_coarse == 1:
        return np.ones((n_fine, 1), np.float32)
    for outside, end, next_to in ((0, 0, 1), (-1, -1, -2)):
        inner[:, end] += 2 * weights[:, outside]
        inner[:, next_to] -= weights[:, outside]
    return inner.astype(np.float32)


def _change_gamma(image: Tensor, gamma: float) -> Tensor:
    low, high = float(image.min()), float(image.max())
    if high - low < 1e-6:
        return image
    return ((image - low) / (high - low)).pow(gamma) * (high - low) + low


def _draw_illumination(shape: torch.Size, strength: float, random: np.random.Generator) -> Tensor:
    coarse = random.normal(0.0, strength, (1,) + (3,) * len(shape))
    return torch.from_numpy(np.exp(spread_smoothly(coarse, shape)))


def _blur(image: Tensor, sigma: float, spacing: Sequence[float] | None) -> Tensor:
    """Gaussian blur; sigma in pixels of the finest axis."""
    steps = [1.0] * (image.ndim - 1) if spacing is None else [s / min(spacing) for s in spacing]
    values = image.numpy()
    for axis, step in enumerate(steps, start=1):
        if sigma / step >= _NARROWEST_BLUR and image.shape[axis] > 1:
            values = gaussian_filter1d(values, sigma / step, axis, mode="nearest", truncate=3.0)
    return torch.from_numpy(values)
