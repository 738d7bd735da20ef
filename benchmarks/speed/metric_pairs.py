"""Generated pairs of truth and prediction that the speed of metrics is measured on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Labels = npt.NDArray[Any]
Pair = tuple[Labels, Labels]

N_WRONG_BOXES = 12
BOX = 9


def vessels(size: int, seed: int) -> Pair:
    """Winding thin lines, about 18 % of the image, and a wobbled copy with gaps and spots."""
    generator = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(generator.standard_normal((size, size)), 9 * size / 512)
    truth = (np.abs(field) < np.quantile(np.abs(field), 0.18)).astype(np.uint8)
    return truth, wobble(truth, generator, 1.2)


def regions(shape: tuple[int, ...], n_classes: int, share: float, seed: int) -> Pair:
    """Smooth regions of many classes; the rest is class 0."""
    generator = np.random.default_rng(seed)
    fields = [
        ndimage.gaussian_filter(generator.standard_normal(shape).astype(np.float32), shape[-1] / 28)
        for _ in range(n_classes)
    ]
    best, top = np.argmax(fields, axis=0), np.max(fields, axis=0)
    truth = np.where(top > np.quantile(top, 1 - share), best + 1, 0).astype(np.uint8)
    return truth, wobble(truth, generator, 1.5)


def objects(edge: int, seed: int) -> Pair:
    """Numbered blobs, about 900 in an image of 1024 x 1024."""
    generator = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(generator.standard_normal((edge, edge)), 5)
    truth = ndimage.label(field > np.quantile(field, 0.75))[0].astype(np.int32)
    return truth, wobble(truth, generator, 1.0)


def wobble(labels: Labels, generator: np.random.Generator, amount: float) -> Labels:
    """A warped copy with some wrong boxes, as a decent prediction looks."""
    grid = np.meshgrid(*[np.arange(n, dtype=np.float32) for n in labels.shape], indexing="ij")
    moved = []
    for axis in grid:
        noise = generator.standard_normal(labels.shape).astype(np.float32)
        shift = ndimage.gaussian_filter(noise, 8)
        moved.append(axis + shift * (amount / shift.std()))
    copy = ndimage.map_coordinates(labels, moved, order=0, mode="nearest")
    for _ in range(N_WRONG_BOXES):
        corner = [int(generator.integers(0, max(1, n - BOX))) for n in labels.shape]
        copy[tuple(slice(c, c + BOX) for c in corner)] = generator.integers(0, labels.max() + 1)
    return copy


def hard_pairs(shape: tuple[int, ...], seed: int) -> Iterator[tuple[str, Pair]]:
    """(name, pair) of what is hard for a search: far apart, noise, dots, nothing, everything."""
    generator = np.random.default_rng(seed)
    blank = np.zeros(shape, np.uint8)
    for name, make in _HARD.items():
        yield name, make(blank, generator)


def _corners(blank: Labels, _generator: np.random.Generator) -> Pair:
    one, other = blank.copy(), blank.copy()
    one[tuple(slice(2, n // 8) for n in blank.shape)] = 1
    other[tuple(slice(-n // 8, -2) for n in blank.shape)] = 1
    return one, other


def _noise(share: float) -> Callable[[Labels, np.random.Generator], Pair]:
    def make(blank: Labels, generator: np.random.Generator) -> Pair:
        one, other = generator.random((2, *blank.shape)) < share
        return one.astype(np.uint8), other.astype(np.uint8)

    return make


def _shells(blank: Labels, _generator: np.random.Generator) -> Pair:
    """A ball inside a hollow one: every pixel of the one is as far from the other."""
    grid = np.meshgrid(*[np.linspace(-1, 1, n) for n in blank.shape], indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in grid))
    return (radius < 0.4).astype(np.uint8), ((radius > 0.8) & (radius < 0.9)).astype(np.uint8)


def _dots_and_full(blank: Labels, generator: np.random.Generator) -> Pair:
    dots = (generator.random(blank.shape) < 1e-4).astype(np.uint8)
    return np.ones_like(blank), dots


def _planes(blank: Labels, _generator: np.random.Generator) -> Pair:
    one, other = blank.copy(), blank.copy()
    one[2:4], other[-4:-2] = 1, 1
    return one, other


def _noise_and_corner(blank: Labels, generator: np.random.Generator) -> Pair:
    return _noise(0.5)(blank, generator)[0], _corners(blank, generator)[1]


_HARD: dict[str, Callable[[Labels, np.random.Generator], Pair]] = {
    "far corners": _corners,
    "far planes": _planes,
    "shells": _shells,
    "noise": _noise(0.5),
    "sparse noise": _noise(0.01),
    "noise and a corner": _noise_and_corner,
    "full and dots": _dots_and_full,
    "full": lambda blank, _: (np.ones_like(blank), np.ones_like(blank)),
    "empty": lambda blank, _: (blank, blank),
    "full and empty": lambda blank, _: (np.ones_like(blank), blank),
}
