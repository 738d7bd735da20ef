"""Uneven illumination: a smooth surface fitted to an image, and what taking it out improves."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import IGNORE
from pixelwise.core.image import Array, Closing, Header, Region, Source, whole_region

Correction = Literal["none", "divide", "subtract"]

DEGREE = 3
"""Of the polynomial: a lens that darkens towards its corners, a lamp on one side, and both."""

_CELLS = {2: 32, 3: 8}
_PER_CELL = {2: 8, 3: 4}
"""The image is reduced to medians of so many cells along an axis, of so many pixels each."""

_DARK = 0.2
"""Cells darker than this share of the median lie outside of the field of view."""

_TUKEY = 4.685 * 1.4826
_ROUNDS = 10
_FLOOR = 0.1
"""Nothing is brightened more than tenfold."""

_MOST_COMPARED = 20_000


@dataclass(frozen=True, slots=True)
class Surface:
    """A polynomial over each channel: coefficients (c, k, …) of powers per axis; level (c,)."""

    coefficients: npt.NDArray[np.float64]
    level: npt.NDArray[np.float64]
    shape: tuple[int, ...]

    def on(self, region: Region) -> npt.NDArray[np.float32]:
        """Its values (c, …) on a region of the image."""
        values = self.coefficients
        for axis, part in enumerate(region):
            places = (2 * np.arange(part.start, part.stop) + 1) / self.shape[axis] - 1
            powers = np.stack([places**k for k in range(DEGREE + 1)])
            values = np.tensordot(values, powers, (1, 0))
        return values.astype(np.float32)


@dataclass(frozen=True, slots=True)
class ShadingFacts:
    """How uneven an image is, and how well intensity tells its classes apart, as it is and after.

    unevenness: range of the surface (5 to 95 %) by the standard deviation of what is left.
    explained: share of the intensities' variance that the classes explain (eta squared): as
    stored, after dividing by the surface, after subtracting it; 0 to 1, mean over channels.
    """

    unevenness: float
    explained: tuple[float, float, float]


class CorrectedSource(Closing):
    """An image with its illumination evened out, by region; float32, its mean level stays."""

    def __init__(self, source: Source, correction: Correction) -> None:
        self._source = source
        self._correction = correction
        self._surface = fit_surface(sample_grid(source), source.header.shape)

    @property
    def header(self) -> Header:
        return replace(self._source.header, dtype=np.dtype(np.float32))

    def read(self, region: Region | None = None) -> Array:
        """(c, …) of a region, corrected."""
        wanted = whole_region(self._source.header.shape) if region is None else region
        return correct(self._source.read(wanted), self._surface, wanted, self._correction)

    def close(self) -> None:
        """Let go of the image."""
        self._source.close()


def evened(source: Source, correction: Correction) -> Source:
    """The image as a plan wants it: as it is, or with its illumination evened out."""
    return source if correction == "none" else CorrectedSource(source, correction)


def correct(
    values: Array, surface: Surface, region: Region, correction: Correction
) -> npt.NDArray[np.float32]:
    """(c, …) stored values of a region -> float32 with the surface taken out.

    "divide" keeps ratios, as lamps and lenses change them; "subtract" keeps differences.
    """
    level = surface.level.astype(np.float32).reshape((-1,) + (1,) * (values.ndim - 1))
    ground = surface.on(region)
    found = values.astype(np.float32)
    if correction == "divide":
        return np.asarray(found * _gain(ground, level), np.float32)
    return np.asarray(found - (ground - level), np.float32)


def _gain(ground: npt.NDArray[Any], level: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What evens the surface out; 1 for channels whose level is no light."""
    is_lit = level > 0
    safe = np.where(is_lit, level, level.dtype.type(1))
    return np.asarray(safe / np.where(is_lit, np.maximum(ground, _FLOOR * safe), safe))


def sample_grid(source: Source) -> Array:
    """(c, n, …) pixels on a regular grid, some in each cell; rows or planes are read one by one."""
    shape = source.header.shape
    places = [grid_places(length, len(shape)) for length in shape]
    rest: Any = (slice(None), slice(None), *np.ix_(*places[1:]))
    parts = []
    for first, repeats in zip(*np.unique(places[0], return_counts=True), strict=True):
        band = source.read((slice(int(first), int(first) + 1), *whole_region(shape[1:])))
        parts += [band[rest]] * int(repeats)
    return np.concatenate(parts, axis=1)


def grid_places(length: int, n_dims: int) -> npt.NDArray[np.int64]:
    """Pixel numbers along an axis that are looked at, a multiple of the cells; some repeat."""
    n = _CELLS[n_dims] * _PER_CELL[n_dims]
    return ((np.arange(n) + 0.5) * length / n).astype(np.int64)


def fit_surface(sample: Array, shape: tuple[int, ...]) -> Surface:
    """Fit a polynomial to the medians of cells, with objects weighted down as outliers.

    sample: (c, n, …) of `sample_grid`. A channel that is dark everywhere gets a flat surface.
    Source: iteratively reweighted least squares with Tukey's biweight (Beaton, Tukey, 1974).
    """
    n_dims = len(shape)
    cells, per_cell = _CELLS[n_dims], _PER_CELL[n_dims]
    folded = sample.astype(np.float64).reshape(
        len(sample), *itertools.chain.from_iterable((cells, per_cell) for _ in shape)
    )
    inner = tuple(range(2, 2 + 2 * n_dims, 2))
    with np.errstate(invalid="ignore"):
        medians = np.median(np.moveaxis(folded, inner, range(-n_dims, 0)).reshape(
            len(sample), cells**n_dims, -1), axis=-1)  # fmt: skip
    places = [(2 * grid_places(length, n_dims) + 1) / length - 1 for length in shape]
    centres = [line.reshape(cells, per_cell).mean(axis=1) for line in places]
    grid = np.stack(np.meshgrid(*centres, indexing="ij")).reshape(n_dims, -1)
    powers = [p for p in np.ndindex(*(DEGREE + 1,) * n_dims) if sum(p) <= DEGREE]
    basis = np.stack([np.prod([grid[a] ** k for a, k in enumerate(p)], axis=0) for p in powers])
    coefficients = np.zeros((len(sample), *(DEGREE + 1,) * n_dims))
    level = np.zeros(len(sample))
    for channel, values in enumerate(medians):
        fitted, kept = _fit(basis.T, values)
        for power, number in zip(powers, fitted, strict=True):
            coefficients[(channel, *power)] = number
        level[channel] = float((basis.T[kept] @ fitted).mean()) if kept.any() else 0.0
    return Surface(coefficients, level, tuple(shape))


def measure_shading(pixels: Array, labels: npt.NDArray[np.uint8]) -> ShadingFacts | None:
    """What uneven illumination does to an image (c, …) with labels (…), 255 void.

    None where one class is all there is, so that nothing can be told apart.
    """
    stride = max(1, labels.size // _MOST_COMPARED)
    classes = labels.reshape(-1)[::stride]
    counts = classes != IGNORE
    if len(np.unique(classes[counts])) < 2:
        return None
    shape = labels.shape
    chosen = np.ix_(np.arange(len(pixels)), *(grid_places(n, len(shape)) for n in shape))
    surface = fit_surface(pixels[chosen], shape)
    region = whole_region(shape)
    ground = surface.on(region).reshape(len(pixels), -1)[:, ::stride][:, counts]
    stored = pixels.reshape(len(pixels), -1)[:, ::stride][:, counts].astype(np.float64)
    if not np.isfinite(stored).all():
        return None
    level = surface.level[:, None]
    classes = classes[counts]
    divided = stored * _gain(ground, level)
    subtracted = stored - (ground - level)
    low, high = np.percentile(ground, [5, 95], axis=1)
    left = np.maximum(subtracted.std(axis=1), 1e-9)
    return ShadingFacts(
        float(np.mean((high - low) / left)),
        (
            _explained(stored, classes),
            _explained(divided, classes),
            _explained(subtracted, classes),
        ),
    )


def _fit(
    basis: npt.NDArray[np.float64], values: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    kept = np.isfinite(values)
    if kept.any() and values[kept].min() >= 0:
        kept &= values > _DARK * float(np.median(values[kept]))
    flat = np.zeros(basis.shape[1])
    if kept.sum() < 2 * basis.shape[1]:
        flat[0] = float(values[kept].mean()) if kept.any() else 0.0
        return flat, kept
    inside, wanted = basis[kept], values[kept]
    weights = np.ones(len(wanted))
    fitted: npt.NDArray[Any] = flat
    for _ in range(_ROUNDS):
        weighted = inside * weights[:, None]
        normal = inside.T @ weighted + 1e-9 * len(wanted) * np.eye(basis.shape[1])
        fitted = np.linalg.solve(normal, weighted.T @ wanted)
        residual = np.abs(wanted - inside @ fitted)
        width = _TUKEY * float(np.median(residual))
        if width <= 0:
            break
        weights = np.clip(1 - (residual / width) ** 2, 0, None) ** 2
    return fitted, kept


def _explained(values: npt.NDArray[Any], classes: npt.NDArray[np.uint8]) -> float:
    """Share of the variance of (c, n) values that lies between classes, mean over channels."""
    total = values.var(axis=1)
    mean = values.mean(axis=1)
    between = np.zeros(len(values))
    for class_id in np.unique(classes):
        part = values[:, classes == class_id]
        between += part.shape[1] / values.shape[1] * (part.mean(axis=1) - mean) ** 2
    return float(np.mean(between / np.maximum(total, 1e-12)))
