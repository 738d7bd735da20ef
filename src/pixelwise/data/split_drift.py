"""Whether validation and test images look like the training images, and which do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixelwise.core.records import CaseFacts

_FEWEST = 8
"""With fewer training images nobody can say what is usual."""

_FEWEST_OF_SPLIT = 5
_MOST = 1000
_LEAST_LIMIT = 0.1
STRANGE = 3.0
"""From this score on an image is named; as `predict` warns."""

_N_SHUFFLES = 199
_SHIFT_LEVEL = 0.01
_SHIFT_SIZE = 0.25
"""A split is named if its distance to the training split is this share of the distance between
two training images at least, and chance reaches it in at most one of a hundred drawings."""


@dataclass(frozen=True, slots=True)
class CaseDrift:
    """score: distance to the nearest training image, 1 is that of the loneliest one in training.

    by: what differs most, "intensities" or "roughness" (fine detail, noise, blur).
    """

    case: str
    split: str
    score: float
    by: str
    nearest: str


@dataclass(frozen=True, slots=True)
class SplitShift:
    """How far a split as a whole is from the training split.

    share: energy distance as a share of the mean distance between training images; p: how
    often a random division of the same images is as far apart.
    """

    split: str
    share: float
    p: float


def measure_drifts(cases: Sequence[CaseFacts]) -> list[CaseDrift]:
    """The drift of every case against the training cases (of these: against the others).

    Features are quantiles and mean neighbour difference of each channel, see `CaseFacts`, in
    units of the training images; intensities that are scaled image by image hide nothing here.
    The farthest case comes first; empty with too few training cases to tell.
    """
    known = _alike(cases)
    train = [index for index, case in enumerate(known) if case.split == "train"]
    wanted = min(len(train), _MOST)
    train = [train[i * len(train) // wanted] for i in range(wanted)]
    if len(train) < _FEWEST:
        return []
    levels, fine = _features(known, train)
    scores = []
    for features in (levels, fine):
        nearest, where = _nearest(features, train)
        usual = float(np.quantile(nearest[train], 0.98))
        scores.append((nearest / max(usual, _LEAST_LIMIT), where))
    found = []
    for index, case in enumerate(known):
        by = int(scores[1][0][index] > scores[0][0][index])
        values, nearest_of = scores[by]
        kind = ("intensities", "roughness")[by]
        like = known[nearest_of[index]].id
        found.append(CaseDrift(case.id, case.split, float(values[index]), kind, like))
    return sorted(found, key=lambda drift: -drift.score)


def measure_shifts(cases: Sequence[CaseFacts], *, seed: int = 0) -> list[SplitShift]:
    """For validation and test: how far the split is from training, and whether by chance.

    Source: energy distance and its permutation test (Székely, Rizzo, 2013).
    """
    known = _alike(cases)
    found = []
    for split in ("val", "test"):
        part = [case for case in known if case.split in ("train", split)]
        is_other = np.array([case.split == split for case in part], bool)
        if min(is_other.sum(), (~is_other).sum()) < _FEWEST_OF_SPLIT:
            continue
        train = [int(index) for index in np.flatnonzero(~is_other)]
        features = np.concatenate(_features(part, train), axis=1)
        apart = np.abs(features[:, None] - features[None]).mean(axis=2)
        here, within = _energy(apart, is_other)
        random = np.random.default_rng(seed)
        drawn = [_energy(apart, random.permutation(is_other))[0] for _ in range(_N_SHUFFLES)]
        p = (1 + sum(value >= here for value in drawn)) / (1 + _N_SHUFFLES)
        found.append(SplitShift(split, here / max(within, 1e-9), p))
    return found


def is_shifted(shift: SplitShift) -> bool:
    """Whether a split is worth a warning."""
    return shift.p <= _SHIFT_LEVEL and shift.share >= _SHIFT_SIZE


def _alike(cases: Sequence[CaseFacts]) -> list[CaseFacts]:
    """The cases that can be compared: as many channels as most, with quantiles."""
    counts = [len(case.quantiles) for case in cases if case.quantiles and all(case.quantiles)]
    if not counts:
        return []
    usual = max(set(counts), key=counts.count)
    return [case for case in cases if len(case.quantiles) == usual and all(case.quantiles)]


def _features(
    cases: Sequence[CaseFacts], train: Sequence[int]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(n, c * q) quantiles and (n, c) logarithm of roughness, in units of the training images."""
    quantiles = np.array([case.quantiles for case in cases])
    rough = np.array([case.roughness for case in cases])
    means = np.array([case.means for case in cases])
    stds = np.array([case.stds for case in cases])
    centre = means[train].mean(axis=0)
    scale = np.maximum(np.sqrt((stds[train] ** 2).mean(axis=0) + means[train].var(axis=0)), 1e-9)
    levels = (quantiles - centre[:, None]) / scale[:, None]
    fine = np.log(np.maximum(rough / scale, 1e-3))
    return levels.reshape(len(cases), -1), fine


def _nearest(
    features: npt.NDArray[np.float64], train: Sequence[int]
) -> tuple[npt.NDArray[np.float64], list[int]]:
    """Distance of each to its nearest training case other than itself, and which that is."""
    distances = np.abs(features[:, None] - features[train][None]).mean(axis=2)
    distances[train, np.arange(len(train))] = np.inf
    best = np.argmin(distances, axis=1)
    return distances[np.arange(len(features)), best], [train[i] for i in best]


def _energy(apart: npt.NDArray[np.float64], is_other: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """(energy distance of two parts, mean distance within the first)."""
    between = float(apart[is_other][:, ~is_other].mean())
    first = _mean_apart(apart[~is_other][:, ~is_other])
    second = _mean_apart(apart[is_other][:, is_other])
    return 2 * between - first - second, first


def _mean_apart(apart: npt.NDArray[np.float64]) -> float:
    n = len(apart)
    return float(apart.sum() / max(n * (n - 1), 1))
