"""Built-in volumes: generated brains with a tumour in four contrasts, nested truth, seeded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pixelwise.core.errors import BadPlan

CHANNELS = ("t1", "t1ce", "t2", "flair")

REGIONS = {"whole tumour": (1, 2, 4), "tumour core": (1, 4), "enhancing tumour": (4,)}
"""Regions as unions of label values, as in the BraTS challenges: each holds the next one."""

LABEL_NAMES = {0: "background", 1: "necrosis", 2: "oedema", 4: "enhancing"}

_AIR, _GREY, _WHITE, _FLUID, _NECROSIS, _OEDEMA, _ENHANCING = range(7)

_BRIGHTNESS = np.array(
    #  air   grey  white fluid necrosis oedema enhancing
    [
        [0.02, 0.55, 0.75, 0.25, 0.32, 0.45, 0.50],  # T1
        [0.02, 0.55, 0.75, 0.25, 0.34, 0.46, 1.00],  # T1 with contrast agent
        [0.02, 0.55, 0.40, 1.00, 0.85, 0.78, 0.62],  # T2
        [0.02, 0.55, 0.45, 0.15, 0.50, 0.95, 0.80],  # FLAIR: T2 with dark fluid
    ]
)
"""How bright a tissue is in each channel, 1 the brightest."""

_LIGHTEST = 1600.0
"""Stored intensity of brightness 1, before each scan's own gain."""


@dataclass(frozen=True, slots=True)
class BrainScene:
    """How hard the volumes are. Lengths are shares of the shortest physical edge.

    radius: of the whole tumour. wobble: how far its rim is from a ball. noise: standard
    deviation of the scanner's noise, bias: height of the uneven field, gain: spread of the
    brightness from scan to scan; all as shares of the brightest tissue.
    """

    radius: tuple[float, float] = (0.16, 0.26)
    wobble: float = 0.35
    noise: float = 0.05
    bias: float = 0.15
    gain: float = 0.15


@dataclass(frozen=True, slots=True)
class BrainVolume:
    """A generated scan: image (4, z, y, x) in the order of CHANNELS, labels (z, y, x), mm.

    labels: 0 background, 1 necrotic core, 2 oedema, 4 enhancing rim of the core.
    """

    image: npt.NDArray[np.uint16]
    labels: npt.NDArray[np.uint8]
    spacing: tuple[float, ...]


def make_brain(
    seed: int | tuple[int, ...],
    shape: tuple[int, ...] = (40, 48, 48),
    *,
    spacing: tuple[float, ...] = (1.0, 1.0, 1.0),
    scene: BrainScene | None = None,
) -> BrainVolume:
    """Generate one scan with exact truth; the same arguments give the same scan.

    Shape: (z, y, x), at least 16 voxels an edge. Units: spacing in mm; shapes are drawn in
    space, so that anisotropic voxels show the same brain in coarser steps.
    Raises BadPlan for another number of axes or smaller volumes.
    """
    if len(shape) != 3 or len(spacing) != 3 or min(shape) < _SMALLEST or min(spacing) <= 0:
        raise BadPlan(
            f"a generated brain cannot have the shape {shape} with the spacing {spacing}",
            f"three edges of at least {_SMALLEST} voxels, and three positive spacings",
            "Give another shape.",
            code="bad-shape",
        )
    scene = scene or BrainScene()
    random = np.random.default_rng(seed)
    extent = np.array(shape) * spacing
    grid = np.meshgrid(
        *((np.arange(n) + 0.5) * s - e / 2 for n, s, e in zip(shape, spacing, extent, strict=True)),
        indexing="ij",
    )
    places = np.stack(grid)
    tissue = _draw_tissue(places, extent, spacing, random)
    depth = _draw_tumour(places, extent, tissue != _AIR, spacing, scene, random)
    ring = float(random.uniform(0.45, 0.7))
    tissue[depth < 1.0] = _OEDEMA
    tissue[depth < _CORE] = _ENHANCING
    tissue[depth < ring * _CORE] = _NECROSIS
    labels = np.zeros(shape, np.uint8)
    for kind, value in ((_OEDEMA, 2), (_ENHANCING, 4), (_NECROSIS, 1)):
        labels[tissue == kind] = value
    return BrainVolume(_scan(tissue, spacing, scene, random), labels, spacing)


_SMALLEST = 16
_CORE = 0.62
"""Radius of the core as a share of that of the whole tumour."""


def _draw_tissue(
    places: npt.NDArray[np.float64],
    extent: npt.NDArray[np.float64],
    spacing: tuple[float, ...],
    random: np.random.Generator,
) -> npt.NDArray[np.uint8]:
    """Grey matter around white matter around two ventricles, inside an ellipsoid of air."""
    half = extent.reshape(3, 1, 1, 1) / 2
    far = np.sqrt((np.square(places / (half * 0.92))).sum(axis=0))
    folds = _smooth_noise(places.shape[1:], spacing, float(extent.min()) / 14, random)
    tissue = np.full(places.shape[1:], _AIR, np.uint8)
    tissue[far < 1.0] = _GREY
    tissue[far + 0.09 * folds < 0.80] = _WHITE
    for side in (-1.0, 1.0):
        centre = np.array([0.02, 0.0, side * 0.14]).reshape(3, 1, 1, 1) * extent.min()
        radii = np.array([0.10, 0.22, 0.06]).reshape(3, 1, 1, 1) * extent.min()
        tissue[np.square((places - centre) / radii).sum(axis=0) < 1.0] = _FLUID
    return tissue


def _draw_tumour(
    places: npt.NDArray[np.float64],
    extent: npt.NDArray[np.float64],
    is_brain: npt.NDArray[np.bool_],
    spacing: tuple[float, ...],
    scene: BrainScene,
    random: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Distance from the tumour's centre in units of its own wobbly radius, infinite in air."""
    radius = float(random.uniform(*scene.radius) * extent.min())
    direction = random.normal(size=3)
    direction /= np.linalg.norm(direction)
    centre = direction * random.uniform(0.25, 0.55) * (extent / 2 - radius)
    stretch = random.uniform(0.8, 1.25, size=3).reshape(3, 1, 1, 1)
    far = np.sqrt(np.square((places - centre.reshape(3, 1, 1, 1)) / stretch).sum(axis=0))
    wobble = _smooth_noise(places.shape[1:], spacing, radius * 0.6, random)
    depth: npt.NDArray[np.float64] = far / (radius * np.exp(0.5 * scene.wobble * wobble))
    return np.where(is_brain, depth, np.inf)


def _scan(
    tissue: npt.NDArray[np.uint8],
    spacing: tuple[float, ...],
    scene: BrainScene,
    random: np.random.Generator,
) -> npt.NDArray[np.uint16]:
    """What a scanner makes of the tissues: gain, texture, uneven field, blur and noise."""
    channels = []
    for brightness in _BRIGHTNESS:
        light = brightness[tissue]
        light *= 1 + 0.05 * _smooth_noise(tissue.shape, spacing, 1.5 * min(spacing), random)
        light = ndimage.gaussian_filter(light, [0.6 * min(spacing) / s for s in spacing])
        width = 0.3 * min(n * s for n, s in zip(tissue.shape, spacing, strict=True))
        field = _smooth_noise(tissue.shape, spacing, width, random)
        light *= np.exp(scene.bias * np.clip(field, -2, 2) + scene.gain * random.normal())
        noisy = np.hypot(
            light + scene.noise * random.normal(size=tissue.shape),
            scene.noise * random.normal(size=tissue.shape),
        )
        channels.append(np.rint(np.clip(noisy * _LIGHTEST, 0, 65535)).astype(np.uint16))
    return np.stack(channels)


def _smooth_noise(
    shape: tuple[int, ...],
    spacing: tuple[float, ...],
    width: float,
    random: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Noise of mean 0 and deviation 1 that changes over about `width` in the unit of spacing."""
    noise = random.normal(size=shape)
    noise = ndimage.gaussian_filter(noise, [width / s for s in spacing], mode="wrap")
    smooth: npt.NDArray[np.float64] = (noise - noise.mean()) / max(float(noise.std()), 1e-12)
    return smooth
