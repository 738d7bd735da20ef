"""Intervals of means by resampling cases, or groups of cases; seeded and fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Matrix = npt.NDArray[np.float64]

N_DRAWS = 10_000
BCA_FROM = 20
"""From this many units on the interval is bias-corrected and accelerated, below percentiles."""

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of the mean of each column; NaN where there is nothing to average."""

    low: Matrix
    high: Matrix
    method: str


def sum_units(values: Matrix, groups: Sequence[str] | None) -> tuple[Matrix, Matrix]:
    """(sums, numbers) of defined values per independent unit: (u, m) each.

    values (n, m) with NaN where undefined. A unit is a case, or all cases of a group;
    cases with an empty group stand for themselves.
    """
    defined = np.isfinite(values)
    filled = np.where(defined, values, 0.0)
    if not groups or not any(groups):
        return filled, defined.astype(float)
    names = [group or f"\0{index}" for index, group in enumerate(groups)]
    _, unit = np.unique(names, return_inverse=True)
    sums = np.zeros((int(unit.max()) + 1, values.shape[1]))
    numbers = np.zeros_like(sums)
    np.add.at(sums, unit, filled)
    np.add.at(numbers, unit, defined)
    return sums, numbers


def draw_means(sums: Matrix, numbers: Matrix, n_draws: int, seed: int) -> Matrix:
    """Means of `n_draws` resamplings of the units, (n_draws, m); NaN if none is defined."""
    generator = np.random.default_rng(seed)
    n_units = len(sums)
    means = np.empty((n_draws, sums.shape[1]))
    both = np.hstack([sums, numbers])
    for start in range(0, n_draws, _CHUNK):
        n = min(_CHUNK, n_draws - start)
        picked = generator.integers(0, n_units, size=(n, n_units), dtype=np.int32)
        picked += (np.arange(n, dtype=np.int32) * n_units)[:, None]
        weights = np.bincount(picked.ravel(), minlength=n * n_units).reshape(n, n_units)
        totals = weights.astype(float) @ both
        with np.errstate(invalid="ignore", divide="ignore"):
            means[start : start + n] = totals[:, : sums.shape[1]] / totals[:, sums.shape[1] :]
    return means


def bootstrap_means(
    values: Matrix,
    groups: Sequence[str] | None = None,
    *,
    level: float = 0.95,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> Interval:
    """Bootstrap interval of the mean of each column.

    values (n cases, m metrics), NaN = undefined there. Cases of a group are drawn
    together. Equal values give a point. Source: Efron 1987 (BCa) from 20 units on.
    """
    sums, numbers = sum_units(np.asarray(values, dtype=float), groups)
    method = "bca" if len(sums) >= BCA_FROM else "percentile"
    n_columns = sums.shape[1]
    if len(sums) < 2:
        nothing = np.full(n_columns, np.nan)
        return Interval(nothing, nothing.copy(), "none")
    means = draw_means(sums, numbers, n_draws, seed)
    tails = np.full((2, n_columns), [[(1 - level) / 2], [(1 + level) / 2]])
    if method == "bca":
        tails = _corrected_tails(tails, sums, numbers, means)
    low, high = np.full(n_columns, np.nan), np.full(n_columns, np.nan)
    for column in range(n_columns):
        defined = means[np.isfinite(means[:, column]), column]
        if defined.size:
            low[column], high[column] = np.quantile(defined, tails[:, column])
    return Interval(low, high, method)


def _corrected_tails(tails: Matrix, sums: Matrix, numbers: Matrix, means: Matrix) -> Matrix:
    total, count = sums.sum(axis=0), numbers.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = total / count
        left_out = (total - sums) / (count - numbers)
        n_defined = np.isfinite(left_out).sum(axis=0)
        distance = np.nansum(left_out, axis=0) / n_defined - left_out
        spread = np.nansum(distance**2, axis=0)
        acceleration = np.nansum(distance**3, axis=0) / (6 * spread**1.5)
        below = np.nanmean((means < observed) + 0.5 * (means == observed), axis=0)
        bias = stats.norm.ppf(below)
        shifted = bias + stats.norm.ppf(tails)
        corrected = stats.norm.cdf(bias + shifted / (1 - acceleration * shifted))
    return np.where(np.isfinite(corrected), corrected, tails)
