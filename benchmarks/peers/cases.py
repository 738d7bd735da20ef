"""Pairs of masks and of object numberings on which other tools are asked, and we after them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True)
class Case:
    """Truth and prediction on one grid, with the size of a pixel in array order."""

    name: str
    truth: np.ndarray
    predicted: np.ndarray
    spacing: tuple[float, ...]

    @property
    def checksum(self) -> int:
        """A number that tells whether two machines generate the same masks."""
        return zlib.crc32(self.truth.tobytes() + self.predicted.tobytes())


def mask_cases() -> list[Case]:
    """Random blobs inside and at the frame, noise, closed forms, and everything empty or full."""
    generator = np.random.default_rng(20)
    cases = []
    grids = (
        ((13, 18), (1.0, 1.0)), ((14, 11), (2.0, 0.7)), ((9, 10, 8), (1.0, 1.0, 1.0)),
        ((7, 9, 10), (3.0, 0.5, 1.25)),
    )  # fmt: skip
    for shape, spacing in grids:
        for kind, margin in (("blobs", 2), ("blobs at the frame", 0)):
            pair = [_blobs(generator, shape, margin) for _ in range(2)]
            cases.append(Case(f"{kind} {shape} {spacing}", pair[0], pair[1], spacing))
        noise = generator.random((2, *shape)) < 0.4
        cases.append(Case(f"noise {shape} {spacing}", noise[0], noise[1], spacing))
    square, spur = np.zeros((2, 30, 40), bool)
    square[5:25, 5:25] = spur[5:25, 5:25] = True
    spur[12, 25:37] = True
    cases.append(Case("square with a spur", square, spur, (1.0, 1.0)))
    box = np.zeros((12, 13, 14), bool)
    box[3:8, 3:9, 3:10] = True
    cases.append(Case("shifted box", box, np.roll(box, 2, 2), (2.0, 1.0, 0.5)))
    for spacing in ((3.0, 2.0), (3.0, 2.0, 1.0)):
        shape = (8, 9, 10)[: len(spacing)]
        empty, dot = np.zeros(shape, bool), np.zeros(shape, bool)
        dot[(4,) * len(shape)] = True
        full = np.ones(shape, bool)
        n = f"{len(shape)}D"
        cases += [
            Case(f"both empty {n}", empty, empty, spacing),
            Case(f"only truth {n}", dot, empty, spacing),
            Case(f"only predicted {n}", empty, dot, spacing),
            Case(f"both full {n}", full, full, spacing),
            Case(f"truth full {n}", full, dot, spacing),
            Case(f"equal {n}", dot, dot, spacing),
        ]
    return cases


def object_cases() -> list[Case]:
    """Numbered objects: blobs that differ a little, halves with an IoU of exactly 0.5, nothing."""
    generator = np.random.default_rng(21)
    cases = []
    for i in range(4):
        field = ndimage.gaussian_filter(generator.standard_normal((40, 44)), 1.7)
        truth = ndimage.label(field > 0.12)[0]
        moved = ndimage.label(np.roll(field, i, 1) + 0.05 * generator.random((40, 44)) > 0.12)[0]
        cases.append(Case(f"objects {i}", truth, moved, (1.0, 1.0)))
    whole, halves = np.zeros((2, 12, 12), int)
    whole[2:8, 2:8] = 1
    whole[9:11, 2:8] = 2
    halves[2:8, 2:5], halves[2:8, 5:8], halves[9:11, 2:5] = 1, 2, 3
    cases.append(Case("halves", whole, halves, (1.0, 1.0)))
    nothing = np.zeros_like(whole)
    cases.append(Case("no prediction", whole, nothing, (1.0, 1.0)))
    cases.append(Case("no truth", nothing, whole, (1.0, 1.0)))
    return cases


def probability_cases() -> list[Case]:
    """Truth and probabilities: smooth, rounded so that many are equal, with 0 and 1."""
    generator = np.random.default_rng(22)
    cases = []
    for digits in (8, 1):
        p = np.round(generator.random((1, 400)) ** 1.5, digits)
        truth = generator.random(p.shape) < p
        cases.append(Case(f"probabilities of {digits} digits", truth, p, (1.0, 1.0)))
    return cases


def _blobs(generator: np.random.Generator, shape: tuple[int, ...], margin: int) -> np.ndarray:
    field = ndimage.gaussian_filter(generator.standard_normal(shape), 1.3)
    mask = field > np.quantile(field, 0.6)
    inside = np.zeros(shape, bool)
    inside[tuple(slice(margin, n - margin) for n in shape)] = True
    return np.asarray(mask & inside)
