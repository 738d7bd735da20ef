"""How an image looks, in a few numbers: quantiles, steps between near pixels, colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from pixelwise.core.image import Array, Source
from pixelwise.core.records import ImageLook
from pixelwise.data.intensity import sample_blocks

Floats = npt.NDArray[np.float64]

QUANTILES = (0.5, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 95.0, 99.5)
"""Percent at which the distribution of an image's intensities is kept."""

LAGS = (1, 2, 4, 8, 16)
"""Distances in pixels at which steps are measured: from noise to the size of small objects."""

_N_BLOCKS = 16
"""Of an image that is too large to be looked at whole."""

_N_VALUES = 8192
"""Values that quantiles are taken from, evenly spread: a quantile is then off by half a percent."""

_N_LINES = 32
"""Lines along an axis that steps are taken from, evenly spread."""


def look_at(source: Source, convert: Callable[[Array], Array] | None = None) -> ImageLook:
    """Measure an image: all of a small one, blocks on a regular grid of a large one.

    convert: gives the run's channels; colour is judged before it.
    """
    stored = sample_blocks(source, _N_BLOCKS)
    blocks = stored if convert is None else [convert(block) for block in stored]
    values = _thin_values(blocks)
    colour = _colourfulness(values if convert is None else _thin_values(stored))
    finite = np.isfinite(values)
    share = float(finite.mean()) if values.size else 0.0
    channels = [row[ok] for row, ok in zip(values, finite, strict=True)]
    return ImageLook(
        quantiles=tuple(_rounded(_quantiles(channel)) for channel in channels),
        means=_rounded([float(c.mean(dtype=np.float64)) if c.size else 0.0 for c in channels]),
        stds=_rounded([float(c.std(dtype=np.float64)) if c.size else 0.0 for c in channels]),
        steps=_steps(blocks),
        colourfulness=float(f"{colour:.4g}"),
        invalid_share=1.0 - share,
    )


def _quantiles(values: Array) -> Sequence[float]:
    """Linear interpolation between sorted values; zeros where there are none."""
    if not values.size:
        return [0.0] * len(QUANTILES)
    places = np.asarray(QUANTILES) / 100 * (values.size - 1)
    found = np.interp(places, np.arange(values.size), np.sort(values))
    return [float(value) for value in found]


def _steps(blocks: Sequence[Array]) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Mean absolute differences by channel, axis and lag, over some lines of all blocks."""
    n_channels, n_dims = len(blocks[0]), blocks[0].ndim - 1
    n_lines = max(2, _N_LINES // len(blocks))
    totals = np.zeros((n_channels, n_dims, len(LAGS)))
    counts = np.zeros((n_channels, n_dims, len(LAGS)))
    for block in blocks:
        for axis in range(n_dims):
            lines = _thin_lines(block, axis, n_lines)
            for place, lag in enumerate(LAGS):
                if lag >= lines.shape[-1]:
                    break
                steps = np.abs(lines[..., lag:] - lines[..., :-lag]).reshape(n_channels, -1)
                finite = np.isfinite(steps)
                totals[:, axis, place] += np.where(finite, steps, 0).sum(axis=1)
                counts[:, axis, place] += finite.sum(axis=1)
    means = totals / np.maximum(counts, 1)
    return tuple(tuple(_rounded(row) for row in channel) for channel in means.tolist())


def _thin_lines(block: Array, axis: int, n_lines: int) -> npt.NDArray[np.float32]:
    """(c, …, length): about n_lines lines along a spatial axis, evenly spread over the others."""
    others = [a for a in range(1, block.ndim) if a != axis + 1]
    per_axis = max(1, round(n_lines ** (1 / max(len(others), 1))))
    index = [slice(None)] * block.ndim
    for other in others:
        step = max(1, block.shape[other] // per_axis)
        index[other] = slice(step // 2, None, step)
    return np.moveaxis(block[tuple(index)], axis + 1, -1).astype(np.float32)


def _thin_values(blocks: Sequence[Array]) -> npt.NDArray[np.float32]:
    """(c, n): about `_N_VALUES` values of each channel, from all blocks alike."""
    n_channels = len(blocks[0])
    step = sum(block[0].size for block in blocks) // _N_VALUES | 1  # odd: no columns of pixels
    flat = [block.reshape(n_channels, -1)[:, ::step] for block in blocks]
    return np.concatenate(flat, axis=1).astype(np.float32)


def _colourfulness(values: npt.NDArray[np.float32]) -> float:
    """0 unless there are three channels, and where they are equal."""
    if len(values) != 3:
        return 0.0
    mean = values.mean(axis=0)
    difference = np.abs(values - mean)
    finite = np.isfinite(difference).all(axis=0)
    if not finite.any():
        return 0.0
    deviation = float(mean[finite].std())
    return float(difference[:, finite].mean()) / max(deviation, 1e-6)


def _rounded(numbers: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(f"{number:.6g}") for number in numbers)
