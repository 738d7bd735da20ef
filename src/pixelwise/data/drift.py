"""How far an image is from those of a training: its intensities, its texture and its colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixelwise.core.plan import IntensitySection
from pixelwise.core.records import ImageLook

Floats = npt.NDArray[np.float64]

PARTS = ("intensities", "texture", "colour")

_USUAL = 0.9
"""The training image whose distance to its nearest neighbour is taken for usual: the farthest of
all may be a single odd one (a dark first frame of a film is ten times as far as the others)."""

_LEAST_LIMITS = (0.1, 0.1, 0.2)
"""Distances that are nothing, where training images are all alike (frames of a film)."""

_FEW = 5
_LIMITS_OF_FEW = (0.3, 0.3, 0.5)
"""With fewer training images their own distances tell nothing."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How far an image is from the nearest training images, in each of `PARTS`.

    Each is a multiple of how far training images are from their own nearest: 1 is what nine
    in ten of them keep to.
    Source: Laxhammar and Falkman 2011 (distance to the nearest example, judged by the
    examples' own); Rubner, Tomasi and Guibas 2000 (mean difference of quantiles is the
    earth mover's distance of two distributions).
    """

    intensities: float
    texture: float
    colour: float

    @property
    def score(self) -> float:
        return max(self.intensities, self.texture, self.colour)


@dataclass(frozen=True, slots=True)
class Reference:
    """Training images to compare with: features (n, f) of each part, and what is usual."""

    parts: tuple[Floats, ...]
    limits: tuple[float, ...]


def reference_of(looks: Sequence[ImageLook], intensity: IntensitySection) -> Reference:
    """The features of training images, and the distance that is usual in each part."""
    rows = [_features(look, intensity) for look in looks]
    parts = tuple(np.stack([row[i] for row in rows]) for i in range(len(PARTS)))
    if len(looks) < _FEW:
        return Reference(parts, _LIMITS_OF_FEW)
    limits = tuple(
        max(least, float(np.quantile(_own_distances(part), _USUAL)))
        for part, least in zip(parts, _LEAST_LIMITS, strict=True)
    )
    return Reference(parts, limits)


def measure_drift(reference: Reference, look: ImageLook, intensity: IntensitySection) -> Drift:
    """How far an image is from the training images."""
    found = _features(look, intensity)
    return Drift(
        *(
            _nearest(part, own) / limit
            for part, own, limit in zip(reference.parts, found, reference.limits, strict=True)
        )
    )


def _own_distances(part: Floats) -> list[float]:
    """Of each example to the nearest of the others."""
    return [_nearest(np.delete(part, i, axis=0), part[i]) for i in range(len(part))]


def _nearest(others: Floats, own: Floats) -> float:
    """Mean absolute difference to the nearest of (n, f); what either does not know is left out."""
    differences = np.abs(others - own)
    known = np.isfinite(differences)
    n_known = known.sum(axis=1)
    sums = np.where(known, differences, 0).sum(axis=1)
    return float(np.min(np.where(n_known > 0, sums / np.maximum(n_known, 1), 0)))


def _features(look: ImageLook, intensity: IntensitySection) -> tuple[Floats, Floats, Floats]:
    """Intensities as the network sees them, log steps in the image's deviation, log colour."""
    if intensity.scheme == "image":
        centre, scale = np.asarray(look.means), np.asarray(look.stds)
    else:
        centre, scale = np.asarray(intensity.centre), np.asarray(intensity.scale)
    quantiles = (np.asarray(look.quantiles) - centre[:, None]) / np.maximum(scale, 1e-6)[:, None]
    steps = np.asarray(look.steps)
    own = np.maximum(np.asarray(look.stds), 1e-12)[:, None, None]
    with np.errstate(divide="ignore"):
        texture = np.where(steps > 0, np.log(steps / own), np.nan)
    return quantiles.ravel(), texture.ravel(), np.array([np.log(look.colourfulness + 0.02)])
