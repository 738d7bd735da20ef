"""Built-in data: generated, seeded pictures of cells and filaments with exact truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pixelwise.core.errors import BadPlan
from pixelwise.data.synthetic_shapes import (
    DIM,
    KIND_NAMES,
    ORDINARY,
    Canvas,
    draw_cell,
    draw_cluster,
    draw_filament,
)

__all__ = ["KIND_NAMES", "Scene", "SyntheticCase", "make_case"]

_UNEVEN_SPACING = 56.0
"""Pixels between the knots of the uneven background: much wider than a cell."""


@dataclass(frozen=True, slots=True)
class Scene:
    """How crowded and how hard a picture is. Light is 0 (black) to 1 (the camera's limit).

    radius: of cells, in pixels, None for a size that fits the number of dimensions.
    cover: share of the pixels that is foreground. The shares of touching, dim and thin
    objects are shares of that; the rest are ordinary cells.
    unevenness: height of the hills in the background. blur: width of the optics in pixels.
    noise: standard deviation of the camera's noise; photon noise of the same size is added.
    """

    radius: tuple[float, float] | None = None
    cover: float = 0.16
    touching: float = 0.4
    dim: float = 0.15
    thin: float = 0.12
    contrast: tuple[float, float] = (0.24, 0.4)
    dim_contrast: tuple[float, float] = (0.11, 0.15)
    thickness: tuple[float, float] = (2.4, 3.6)
    unevenness: float = 0.6
    blur: tuple[float, float] = (0.7, 1.3)
    noise: float = 0.03


@dataclass(frozen=True, slots=True)
class SyntheticCase:
    """A picture and everything that is true about it, all on one grid ([z,] y, x).

    image: grey, 0 to 255. labels: 0 background, 1 foreground. instances: one id per
    object from 1 on, each in one piece. kinds: 1 touching cell, 2 dim cell, 3 thin
    filament, 4 ordinary cell, 0 background.
    """

    image: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.int32]
    kinds: npt.NDArray[np.uint8]


def make_case(
    seed: int | tuple[int, ...], shape: tuple[int, ...], scene: Scene | None = None
) -> SyntheticCase:
    """Generate one case; the same seed, shape and scene give the same case.

    Shape: ([z,] y, x), any size of at least one pixel; one of a few pixels may hold no object.
    Raises: BadPlan if the shape has not two or three axes of one pixel or more.
    """
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise BadPlan(
            f"a generated image cannot have the shape {shape}",
            "two or three whole numbers, ([z,] y, x), each at least 1",
            "Give another shape.",
            code="bad-shape",
        )
    scene = scene or Scene()
    generator = np.random.default_rng(seed)
    canvas = _draw_objects(shape, scene, generator)
    image = _photograph(canvas, scene, generator)
    labels = (canvas.instances > 0).astype(np.uint8)
    return SyntheticCase(image, labels, canvas.instances, canvas.kinds)


def _draw_objects(shape: tuple[int, ...], scene: Scene, generator: np.random.Generator) -> Canvas:
    canvas = Canvas(shape)
    radius = scene.radius or ((7.0, 13.0) if len(shape) == 2 else (4.0, 7.0))
    middle = sum(radius) / 2
    cell = np.pi * middle**2 if len(shape) == 2 else 4 / 3 * np.pi * middle**3
    n_pixels = scene.cover * float(np.prod(shape))
    thickness = sum(scene.thickness) / 2
    length = 7.0 * middle
    filament = length * (thickness if len(shape) == 2 else np.pi / 4 * thickness**2)

    for _ in range(_draw_count(n_pixels * scene.touching / (3.5 * cell), generator)):
        n_cells = int(generator.integers(2, 6))
        draw_cluster(canvas, generator, radius, n_cells=n_cells, contrast=scene.contrast)
    for kind, share, contrast in (
        (DIM, scene.dim, scene.dim_contrast),
        (ORDINARY, 1 - scene.touching - scene.dim - scene.thin, scene.contrast),
    ):
        for _ in range(_draw_count(n_pixels * share / cell, generator)):
            draw_cell(canvas, generator, radius, kind=kind, contrast=generator.uniform(*contrast))
    for _ in range(_draw_count(n_pixels * scene.thin / (0.8 * filament), generator)):
        draw_filament(
            canvas,
            generator,
            length=length * generator.uniform(0.6, 1.4),
            thickness=generator.uniform(*scene.thickness),
            contrast=generator.uniform(*scene.contrast),
        )
    if canvas.n_objects == 0:
        draw_cell(
            canvas, generator, radius, kind=ORDINARY, contrast=generator.uniform(*scene.contrast)
        )
    return canvas


def _photograph(
    canvas: Canvas, scene: Scene, generator: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Uneven light behind the objects, then the blur of the optics, then noise."""
    field = _smooth_field(canvas.shape, generator)
    texture = ndimage.gaussian_filter(generator.normal(size=canvas.shape), 1.5) * 2.5
    light = canvas.light * np.clip(1 + 0.25 * texture, 0.4, 1.6)
    light = ndimage.gaussian_filter(light, generator.uniform(*scene.blur))
    light = 0.06 + scene.unevenness * field + light
    photons = generator.normal(size=canvas.shape) * np.sqrt(np.clip(light, 0, None))
    light = light + scene.noise * (photons + generator.normal(size=canvas.shape))
    pixels: npt.NDArray[np.uint8] = np.clip(np.rint(light * 255), 0, 255).astype(np.uint8)
    return pixels


def _smooth_field(
    shape: tuple[int, ...], generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Hills and valleys from 0 to 1, wider than any cell, from a coarse grid of random knots."""
    n_knots = [int(np.ceil(n / _UNEVEN_SPACING)) + 4 for n in shape]
    knots = generator.uniform(-0.35, 1.35, size=n_knots)
    start = 1 + generator.uniform(0, 1, size=len(shape))
    scale = np.full(len(shape), 1 / _UNEVEN_SPACING)
    field = ndimage.affine_transform(
        knots, scale, offset=start, output_shape=shape, order=3, mode="nearest"
    )
    heights: npt.NDArray[np.float64] = np.clip(field, 0, 1)
    return heights


def _draw_count(expected: float, generator: np.random.Generator) -> int:
    """A whole number whose mean is `expected`, small as it may be."""
    return int(expected) + int(generator.uniform() < expected % 1)
