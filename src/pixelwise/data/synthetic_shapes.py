"""Shapes of the built-in data: wobbly cells, alone or touching, and thin filaments."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

TOUCHING, DIM, THIN, ORDINARY = 1, 2, 3, 4
"""Values of the map of kinds; 0 is background."""

KIND_NAMES = {TOUCHING: "touching", DIM: "dim", THIN: "thin", ORDINARY: "ordinary"}

_GAP = 3
"""Free pixels around every object, so that only cells of one cluster ever touch."""
_TRIES = 12
_WOBBLE_WAVES = 4
_SMALLEST_CELL = 5
_STEP = 0.5
"""Pixels between two points of a filament: below 1, so that it has no holes."""

Mask = npt.NDArray[np.bool_]
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Blob:
    """A cell cut out of the canvas: its window, its pixels, 0 at its rim to 1 in its centre."""

    window: tuple[slice, ...]
    mask: Mask
    depth: Reals


@dataclass(slots=True)
class Canvas:
    """The exact truth while it is drawn: instance ids, kinds, and the light of each pixel."""

    shape: tuple[int, ...]
    instances: npt.NDArray[np.int32] = field(init=False)
    kinds: npt.NDArray[np.uint8] = field(init=False)
    light: npt.NDArray[np.float32] = field(init=False)
    near: Mask = field(init=False)
    n_objects: int = 0

    def __post_init__(self) -> None:
        self.instances = np.zeros(self.shape, np.int32)
        self.kinds = np.zeros(self.shape, np.uint8)
        self.light = np.zeros(self.shape, np.float32)
        self.near = np.zeros(self.shape, bool)

    def add_cell(self, blob: Blob, kind: int, contrast: float) -> None:
        """Draw a cell: brightest in its middle, fading to 45 % of that at its rim."""
        self.n_objects += 1
        self.instances[blob.window][blob.mask] = self.n_objects
        self.kinds[blob.window][blob.mask] = kind
        light = contrast * (0.45 + 0.55 * np.sqrt(blob.depth[blob.mask]))
        self.light[blob.window][blob.mask] = light

    def reserve(self, window: tuple[slice, ...], mask: Mask) -> None:
        """Keep the surroundings of an object free."""
        surroundings = np.ones((2 * _GAP + 1,) * mask.ndim)
        self.near[window] |= ndimage.binary_dilation(mask, surroundings)


def draw_cell(
    canvas: Canvas,
    generator: np.random.Generator,
    radius: tuple[float, float],
    *,
    kind: int,
    contrast: float,
) -> bool:
    """Draw one cell that touches no other; False if no free place was found."""
    for _ in range(_TRIES):
        centre = generator.uniform(0, canvas.shape)
        blob = _make_blob(canvas.shape, centre, generator.uniform(*radius), generator)
        if blob is not None and not canvas.near[blob.window][blob.mask].any():
            canvas.add_cell(blob, kind, contrast)
            canvas.reserve(blob.window, blob.mask)
            return True
    return False


def draw_cluster(
    canvas: Canvas,
    generator: np.random.Generator,
    radius: tuple[float, float],
    *,
    n_cells: int,
    contrast: tuple[float, float],
) -> int:
    """Draw cells that touch one another; returns how many. A single one counts as ordinary."""
    blobs: list[Blob] = []
    taken = np.zeros(canvas.shape, bool)
    centre, size = generator.uniform(0, canvas.shape), 0.0
    for _ in range(_TRIES + n_cells):
        if len(blobs) == n_cells:
            break
        next_size = generator.uniform(*radius)
        place = centre + _direction(len(canvas.shape), generator) * 0.85 * (size + next_size)
        if not blobs:
            place = centre = generator.uniform(0, canvas.shape)
        blob = _make_blob(canvas.shape, place, next_size, generator)
        blob = None if blob is None else _fit_to(blob, taken, canvas.near, is_first=not blobs)
        if blob is not None:
            blobs.append(blob)
            taken[blob.window] |= blob.mask
            centre, size = place, next_size
    for blob in blobs:
        kind = TOUCHING if len(blobs) > 1 else ORDINARY
        canvas.add_cell(blob, kind, generator.uniform(*contrast))
    for blob in blobs:
        canvas.reserve(blob.window, blob.mask)
    return len(blobs)


def draw_filament(
    canvas: Canvas,
    generator: np.random.Generator,
    *,
    length: float,
    thickness: float,
    contrast: float,
) -> bool:
    """Draw a bending filament that ends before it meets anything; False if it got too short."""
    for _ in range(_TRIES):
        points = _grow(canvas, generator, length)
        if len(points) * _STEP < length / 3:
            continue
        indices = _pixels_within(points, thickness / 2, canvas.shape)
        canvas.n_objects += 1
        canvas.instances[indices] = canvas.n_objects
        canvas.kinds[indices] = THIN
        canvas.light[indices] = contrast
        lower = [max(0, int(axis.min()) - _GAP) for axis in indices]
        upper = [int(axis.max()) + _GAP + 1 for axis in indices]
        window = tuple(slice(a, b) for a, b in zip(lower, upper, strict=True))
        canvas.reserve(window, canvas.instances[window] == canvas.n_objects)
        return True
    return False


def _make_blob(
    shape: tuple[int, ...], centre: Reals, size: float, generator: np.random.Generator
) -> Blob | None:
    """An ellipsoid whose rim a few random waves push in and out; None if hardly any is inside."""
    n_dims = len(shape)
    axes = size * generator.uniform(0.75, 1.25, n_dims)
    turn, _ = np.linalg.qr(generator.normal(size=(n_dims, n_dims)))
    waves = generator.normal(scale=1.6, size=(_WOBBLE_WAVES, n_dims))
    phases = generator.uniform(0, 2 * np.pi, _WOBBLE_WAVES)
    reach = 1.65 * size + _GAP + 1
    window = tuple(
        slice(max(0, int(c - reach)), min(n, int(c + reach) + 2))
        for c, n in zip(centre, shape, strict=True)
    )
    if any(part.stop <= part.start for part in window):
        return None
    offsets = np.stack(np.meshgrid(*(np.arange(w.start, w.stop) for w in window), indexing="ij"))
    local = np.tensordot(turn / axes[:, None], offsets - _column(centre, n_dims), axes=1)
    wobble = sum(
        np.cos(np.tensordot(wave, local, axes=1) + phase)
        for wave, phase in zip(waves, phases, strict=True)
    )
    distance = np.sqrt((local**2).sum(axis=0)) * (1 + 0.06 * np.asarray(wobble))
    blob = Blob(window, distance < 1, np.clip(1 - distance, 0, 1))
    return blob if _is_whole(blob.mask) else None


def _fit_to(blob: Blob, taken: Mask, near: Mask, *, is_first: bool) -> Blob | None:
    """Cut a cell against its cluster; None if it meets others, is cut too much or not at all."""
    if near[blob.window][blob.mask].any():
        return None
    mask = blob.mask & ~taken[blob.window]
    n_cut = int(blob.mask.sum() - mask.sum())
    if not is_first and not 0 < n_cut < 0.35 * blob.mask.sum():
        return None
    return Blob(blob.window, mask, blob.depth) if _is_whole(mask) else None


def _grow(canvas: Canvas, generator: np.random.Generator, length: float) -> Reals:
    point = generator.uniform(0, canvas.shape)
    direction = _direction(len(canvas.shape), generator)
    bend = np.zeros(len(canvas.shape))
    points: list[Reals] = []
    while len(points) * _STEP < length:
        index = tuple(np.floor(point).astype(int))
        is_inside = all(0 <= i < n for i, n in zip(index, canvas.shape, strict=True))
        if not is_inside or canvas.near[index]:
            break
        points.append(point)
        bend = 0.97 * bend + generator.normal(scale=0.006, size=len(bend))
        direction = direction + bend
        direction /= np.linalg.norm(direction)
        point = point + _STEP * direction
    return np.array(points).reshape(-1, len(canvas.shape))


def _pixels_within(points: Reals, radius: float, shape: tuple[int, ...]) -> tuple[Reals, ...]:
    """Indices of all pixels whose centre lies within `radius` of a point, and the points' own."""
    n_dims = len(shape)
    reach = int(np.ceil(radius)) + 1
    grid = np.meshgrid(*[np.arange(-reach, reach + 1)] * n_dims, indexing="ij")
    offsets = np.stack(grid).reshape(n_dims, -1).T
    pixels = np.floor(points).astype(int)[:, None] + offsets
    distance = np.linalg.norm(pixels + 0.5 - points[:, None], axis=-1)
    chosen = pixels[(distance <= radius) | (offsets == 0).all(axis=1)]
    inside = ((chosen >= 0) & (chosen < np.array(shape))).all(axis=1)
    return tuple(np.unique(chosen[inside], axis=0).T)


def _is_whole(mask: Mask) -> bool:
    structure = np.ones((3,) * mask.ndim)
    return int(mask.sum()) >= _SMALLEST_CELL and ndimage.label(mask, structure)[1] == 1


def _direction(n_dims: int, generator: np.random.Generator) -> Reals:
    vector = generator.normal(size=n_dims)
    return np.asarray(vector / np.linalg.norm(vector))


def _column(vector: Reals, n_dims: int) -> Reals:
    return vector.reshape(-1, *(1,) * n_dims)
