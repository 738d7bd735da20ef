"""Whether a mask lies where its image's edges are, and if not, how far off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from pixelwise.core.case import IGNORE

REACH = 8
"""Shifts of up to this many pixels along each axis are tried."""

_SMALL_REACH = 5
"""In images of less than 33 pixels, which are too small for that."""

_LARGEST_EDGE = 768
"""Of larger images the middle part of this size is looked at."""

_FEWEST_PIXELS = 40
"""With fewer boundary pixels nothing can be said."""

NOTICEABLE = 2.5
"""Shifts of fewer pixels than this are not told from how annotators draw."""

_SPREADS = 4.0
"""A shift must stand out from those of the other cases by this many of their spreads."""

_MOST_PERCENT = 80
"""So many percent of the cases say how far offsets spread where nothing is wrong."""


_TOLERANCE = 2.0
"""Edges are blurred by so many pixels before masks are turned over: no turn fits exactly."""

_CLEARLY = 0.3
"""A turn must gain this much agreement at least."""

_TURNS = {
    "left to right": (slice(None), slice(None, None, -1)),
    "top to bottom": (slice(None, None, -1), slice(None)),
    "by half a turn": (slice(None, None, -1), slice(None, None, -1)),
}


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where a mask fits its image best.

    offset: (dy, dx) pixels that the mask would have to move; (0, 0) is aligned.
    agreement: mean edge strength under the mask's outline as it lies, in standard deviations
    of the image's edge strength above its mean. gain: how much more there is at `offset`.
    mirrored: how the mask would have to be turned over to fit best; mirrored_gain: how much
    more (or less) agreement that gives, edges taken with a tolerance of some pixels.
    """

    offset: tuple[int, int]
    agreement: float
    gain: float
    mirrored: str = ""
    mirrored_gain: float = -math.inf


def measure_alignment(image: npt.NDArray[Any], labels: npt.NDArray[np.uint8]) -> Alignment | None:
    """Try shifts of the mask against the edges of the image.

    Shape: image (c, y, x), labels (y, x) class ids, 255 void. None if there is too little
    outline, or no edge, to tell. Edge strength is the root of the Sobel magnitude after a
    slight blur, so that a few strong edges do not outvote all others.
    """
    middle = tuple(_middle(length) for length in labels.shape)
    labels, image = labels[middle], image[(slice(None), *middle)]
    reach = REACH if min(labels.shape) > 4 * REACH else _SMALL_REACH
    if min(labels.shape) <= 4 * reach:
        return None
    outline = _outline(labels, reach)
    n_pixels = float(outline.sum())
    strength = _edge_strength(image)
    spread = float(strength.std())
    if n_pixels < _FEWEST_PIXELS or spread == 0:
        return None
    scores = (_correlate(outline, strength, reach) / n_pixels - float(strength.mean())) / spread
    best = np.unravel_index(int(np.argmax(scores)), scores.shape)
    here = float(scores[reach, reach])
    offset = (int(best[0]) - reach, int(best[1]) - reach)
    return Alignment(offset, here, float(scores[best]) - here, *_mirrored(outline, strength))


def find_shifted(alignments: Sequence[Alignment | None]) -> list[int]:
    """Indices of the cases whose mask lies off, as seen against the other cases.

    A set whose outlines follow no edges anyway (fuzzy objects) has widely spread offsets,
    and then only what stands out from them is named.
    """
    known = [index for index, found in enumerate(alignments) if found is not None]
    offsets = np.array(
        [found.offset for found in alignments if found is not None], dtype=np.float64
    ).reshape(-1, 2)
    if not len(known):
        return []
    centre = np.median(offsets, axis=0)
    away = np.hypot(*(offsets - centre).T)
    # the common offset of a whole set is a finding too, unless it is a pixel of convention
    own = np.hypot(*offsets.T)
    distance = np.maximum(away, own) if np.hypot(*centre) < NOTICEABLE else own
    # offsets are whole pixels: one more or less says nothing about how widely they spread
    usual = max(0.0, float(np.percentile(away, _MOST_PERCENT)) - 1)
    limit = max(NOTICEABLE, 1 + _SPREADS * usual)
    return [index for index, far in zip(known, distance, strict=True) if far >= limit]


def find_mirrored(alignments: Sequence[Alignment | None]) -> list[int]:
    """Indices of the cases whose mask fits far better turned over, as seen against the others."""
    known = [(index, found) for index, found in enumerate(alignments) if found is not None]
    gains = np.array([found.mirrored_gain for _, found in known])
    if not len(gains):
        return []
    usual = float(np.median(gains))
    spread = 1.4826 * float(np.median(np.abs(gains - usual)))
    limit = max(_CLEARLY, usual + _SPREADS * spread)
    return [index for (index, found) in known if found.mirrored_gain >= limit]


def _mirrored(
    outline: npt.NDArray[np.float32], strength: npt.NDArray[np.float32]
) -> tuple[str, float]:
    """The turn that fits best and what it gains over the mask as it lies."""
    near = ndimage.gaussian_filter(strength, _TOLERANCE)
    spread = float(near.std())
    if spread == 0:
        return "", -math.inf
    here = _mean_under(outline, near)
    turns = {name: _mean_under(outline[turn], near) for name, turn in _TURNS.items()}
    best = max(turns, key=lambda name: turns[name])
    return best, (turns[best] - here) / spread


def _mean_under(outline: npt.NDArray[np.float32], values: npt.NDArray[np.float32]) -> float:
    return float((outline * values).sum(dtype=np.float64) / outline.sum(dtype=np.float64))


def _middle(length: int) -> slice:
    start = max(0, (length - _LARGEST_EDGE) // 2)
    return slice(start, start + min(length, _LARGEST_EDGE))


def _outline(labels: npt.NDArray[np.uint8], reach: int) -> npt.NDArray[np.float32]:
    """1 on both sides of every border between classes, away from the image's own border."""
    found = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        first = tuple(slice(None, -1) if a == axis else slice(None) for a in (0, 1))
        second = tuple(slice(1, None) if a == axis else slice(None) for a in (0, 1))
        differs = labels[first] != labels[second]
        differs &= (labels[first] != IGNORE) & (labels[second] != IGNORE)
        found[first] |= differs
        found[second] |= differs
    inside = np.zeros(labels.shape, np.float32)
    inside[reach:-reach, reach:-reach] = found[reach:-reach, reach:-reach]
    return inside


def _edge_strength(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    total = np.zeros(image.shape[1:], np.float32)
    for channel in image:
        smooth = ndimage.gaussian_filter(channel.astype(np.float32), 1.0)
        scale = float(smooth.std()) or 1.0
        total += np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1)) / scale
    return np.sqrt(total)


def _correlate(
    outline: npt.NDArray[np.float32], strength: npt.NDArray[np.float32], reach: int
) -> npt.NDArray[np.float32]:
    """Sum of strength under the outline, for every shift of it up to `reach`."""
    sizes = [fft.next_fast_len(length + 2 * reach, real=True) for length in outline.shape]
    product = np.conj(fft.rfft2(outline, sizes)) * fft.rfft2(strength, sizes)
    shifts = np.arange(-reach, reach + 1)
    return np.asarray(fft.irfft2(product, sizes)[np.ix_(shifts, shifts)], np.float32)
