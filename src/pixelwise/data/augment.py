"""Augmentation: one fused spatial transform, then changes of intensity and colour.

The image is interpolated once, labels are taken from the nearest pixel, and both follow
the same coordinates. Elastic deformation draws random vectors on a coarse grid and
interpolates them smoothly (Ronneberger et al. 2015, section 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.core.plan import AugmentationSection

ELASTIC_GRID = 64
"""Distance in pixels between the random vectors of the elastic deformation."""


@dataclass(frozen=True, slots=True)
class Warp:
    """Where each pixel of a patch comes from: offsets from its centre, (d, [z,] y, x)."""

    offsets: Tensor


def draw_warp(
    patch: tuple[int, ...], section: AugmentationSection, random: np.random.Generator
) -> Warp:
    """Draw one spatial transform: mirroring, rotation, scaling, shear, elastic deformation."""
    n_dims = len(patch)
    matrix = torch.from_numpy(_draw_matrix(n_dims, section, random)).float()
    offsets = torch.tensordot(matrix, identity_warp(patch).offsets, dims=1)
    if section.elastic > 0 and random.random() < 0.5:
        offsets += _draw_elastic(patch, section.elastic * random.random(), random)
    return Warp(offsets)


def identity_warp(patch: tuple[int, ...]) -> Warp:
    """The transform that only cuts a patch out."""
    axes = [torch.arange(length, dtype=torch.float32) - (length - 1) / 2 for length in patch]
    return Warp(torch.stack(torch.meshgrid(*axes, indexing="ij")))


def fold(positions: Tensor, length: int) -> Tensor:
    """Mirror coordinates at the borders of an axis until they lie in [0, length - 1]."""
    if length == 1:
        return torch.zeros_like(positions)
    period = 2.0 * (length - 1)
    positions = torch.remainder(positions, period)
    return torch.minimum(positions, period - positions)


def sample_image(image: Tensor, positions: Tensor) -> Tensor:
    """Interpolate (c, [z,] y, x) float linearly at (d, …) positions inside it -> (c, …)."""
    lengths = image.shape[1:]
    scaled = [
        2.0 * axis / max(length - 1, 1) - 1.0
        for axis, length in zip(positions, lengths, strict=True)
    ]
    grid = torch.stack(scaled[::-1], dim=-1)[None]
    return F.grid_sample(
        image[None], grid, mode="bilinear", padding_mode="border", align_corners=True
    )[0]


def sample_labels(labels: Tensor, positions: Tensor) -> Tensor:
    """Take ([z,] y, x) labels at the nearest pixel of (d, …) positions inside them."""
    indices = tuple(torch.round(axis).long() for axis in positions)
    return labels[indices]


def change_intensity(
    image: Tensor, section: AugmentationSection, random: np.random.Generator
) -> Tensor:
    """Change a normalised (c, …) image as cameras, lamps and stains do.

    Contrast, brightness, gamma, uneven illumination, blur and noise, each now and then,
    their strength in standard deviations of the image times `section.intensity`; colour
    channels are shifted apart by `section.colour`.
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
            image = _blur(image, float(random.uniform(0.3, 0.3 + 0.7 * strength)))
        if random.random() < 0.2:
            noise = random.standard_normal(tuple(image.shape), dtype=np.float32)
            image = image + torch.from_numpy(noise) * float(random.uniform(0, 0.1 * strength))
    if colour > 0 and image.shape[0] > 1 and random.random() < 0.5:
        shape = (image.shape[0],) + (1,) * (image.ndim - 1)
        gain = np.exp(random.normal(0.0, 0.08 * colour, shape)).astype(np.float32)
        shift = random.normal(0.0, 0.08 * colour, shape).astype(np.float32)
        image = image * torch.from_numpy(gain) + torch.from_numpy(shift)
    return image


def _draw_matrix(
    n_dims: int, section: AugmentationSection, random: np.random.Generator
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    matrix = np.eye(n_dims)
    if section.scaling > 0 and random.random() < 0.5:
        matrix *= np.exp(random.uniform(-1, 1) * np.log1p(section.scaling))
    if section.shear > 0 and random.random() < 0.2:
        matrix = matrix @ (np.eye(n_dims) + _off_diagonal(n_dims, section.shear, random))
    if section.rotation > 0 and random.random() < 0.75:
        first, second = sorted(random.choice(n_dims, 2, replace=False))
        angle = np.deg2rad(random.uniform(-section.rotation, section.rotation))
        turn = np.eye(n_dims)
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    for axis in section.mirror_axes:
        if random.random() < 0.5:
            matrix[:, axis] *= -1
    return matrix


def _off_diagonal(
    n_dims: int, strength: float, random: np.random.Generator
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    values = random.uniform(-strength, strength, (n_dims, n_dims))
    np.fill_diagonal(values, 0.0)
    return values


def _draw_elastic(patch: tuple[int, ...], std: float, random: np.random.Generator) -> Tensor:
    coarse = [max(2, round(length / ELASTIC_GRID)) + 1 for length in patch]
    vectors = random.normal(0.0, std, (1, len(patch), *coarse)).astype(np.float32)
    mode = "bicubic" if len(patch) == 2 else "trilinear"
    return F.interpolate(torch.from_numpy(vectors), size=patch, mode=mode, align_corners=True)[0]


def _change_gamma(image: Tensor, gamma: float) -> Tensor:
    low, high = float(image.min()), float(image.max())
    if high - low < 1e-6:
        return image
    return ((image - low) / (high - low)).pow(gamma) * (high - low) + low


def _draw_illumination(shape: torch.Size, strength: float, random: np.random.Generator) -> Tensor:
    coarse = random.normal(0.0, strength, (1, 1) + (3,) * len(shape)).astype(np.float32)
    mode = "bicubic" if len(shape) == 2 else "trilinear"
    field = F.interpolate(
        torch.from_numpy(coarse), size=tuple(shape), mode=mode, align_corners=True
    )
    return field[0].exp()


def _blur(image: Tensor, sigma: float) -> Tensor:
    radius = max(1, int(3 * sigma))
    x = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (x / sigma) ** 2)
    kernel /= kernel.sum()
    n_dims = image.ndim - 1
    convolve = F.conv2d if n_dims == 2 else F.conv3d
    result = image[:, None]
    for axis in range(n_dims):
        if image.shape[1 + axis] <= radius:
            continue
        shape = [1, 1] + [1] * n_dims
        shape[2 + axis] = len(kernel)
        padding = [0] * (2 * n_dims)
        padding[2 * (n_dims - 1 - axis)] = padding[2 * (n_dims - 1 - axis) + 1] = radius
        padded = F.pad(result, padding, mode="replicate")
        result = convolve(padded, kernel.reshape(shape))
    return result[:, 0]
