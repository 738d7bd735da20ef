"""Arrays to pictures that a person can look at: viewable images, class and error layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pixelwise.core.background import find_background as background_of
from pixelwise.core.case import IGNORE
from pixelwise.core.errors import ShapeMismatch

Picture = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.integer[Any]]

LOW_PERCENTILE, HIGH_PERCENTILE = 0.5, 99.5
MAX_SAMPLES = 1_000_000
"""Percentiles are taken from about this many evenly spaced pixels of a channel."""

FILL_OPACITY = 0.42
EDGE_OPACITY = 0.95
HIT_OPACITY = 0.35
HIT_EDGE_OPACITY = 0.8
ERROR_OPACITY = 0.85
VOID_OPACITY = 0.62
VOID_COLOUR = (24, 24, 28)
HATCH_PIXELS = 4

HIT, MISSED, FALSE, SWAPPED = "#1f9bd1", "#e8500a", "#ffd92f", "#8a2be2"
"""Hit, missed, false alarm, wrong class: four colours that stay apart under every common
colour blindness (tested with the matrices of Machado, Oliveira and Fernandes, 2009)."""


class ColouredClass(Protocol):
    """What a picture needs to know of a class; ClassInfo and ClassEntry both fit."""

    @property
    def id(self) -> int: ...

    @property
    def name(self) -> str: ...

    @property
    def colour(self) -> str: ...


def find_background(classes: Sequence[ColouredClass]) -> int | None:
    """The id of the class that stands for "nothing", None where every class is a thing.

    It is class 0, if it is called so or if there are only two classes.
    """
    ordered = sorted(classes, key=lambda entry: entry.id)
    return background_of([entry.name for entry in ordered])


def viewable_rgb(
    image: npt.NDArray[Any], limits: Sequence[tuple[float, float]] | None = None
) -> Picture:
    """Any image as colours for the eye: (c, [z,] y, x) -> ([z,] y, x, 3) uint8.

    8-bit colour stays as it is. Everything else is stretched per channel between the
    percentiles 0.5 and 99.5; non-finite pixels become black, a constant channel grey.
    Two channels are shown as magenta and green, more than three as evenly spread hues.
    limits: what becomes black and white in each channel (see channel_limits), where the
    picture is a part of something larger.
    """
    channels = image[:3] if image.dtype == np.uint8 and len(image) == 4 else image
    if image.dtype == np.uint8 and len(channels) == 3:
        return np.ascontiguousarray(np.moveaxis(channels, 0, -1))
    hues = _channel_hues(len(channels))
    mixed = np.zeros((*channels.shape[1:], 3), dtype=np.float32)
    ends = [None] * len(channels) if limits is None else limits[: len(channels)]
    for channel, hue, given in zip(channels, hues, ends, strict=True):
        mixed += stretch(channel, given)[..., None] * hue
    return (np.clip(mixed, 0, 1) * 255 + 0.5).astype(np.uint8)


def stretch(
    channel: npt.NDArray[Any], limits: tuple[float, float] | None = None
) -> npt.NDArray[np.float32]:
    """Intensities scaled so that the limits (default: channel_limits) become 0 and 1, clipped.

    Where both limits are equal everything finite becomes 0.5.
    """
    values = channel.astype(np.float32)
    is_finite = np.isfinite(values)
    low, high = channel_limits(channel) if limits is None else limits
    if high <= low:
        return np.where(is_finite, np.float32(0.5), np.float32(0))
    stretched = np.clip((values - low) / (high - low), 0, 1)
    return np.where(is_finite, stretched, np.float32(0))


def channel_limits(channel: npt.NDArray[Any]) -> tuple[float, float]:
    """The percentiles 0.5 and 99.5 of the finite values, the extremes if those are equal.

    An 8-bit channel that uses most of its range keeps it: (0, 255). Empty: (0, 0).
    """
    flat = channel.reshape(-1)
    sample = flat[:: max(1, flat.size // MAX_SAMPLES)].astype(np.float32)
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return 0.0, 0.0
    low, high = (float(p) for p in np.percentile(sample, (LOW_PERCENTILE, HIGH_PERCENTILE)))
    if channel.dtype == np.uint8 and high - low > 127:
        return 0.0, 255.0
    return (low, high) if high > low else (float(sample.min()), float(sample.max()))


def render_overlay(
    image: npt.NDArray[Any], labels: Labels, classes: Sequence[ColouredClass]
) -> Picture:
    """An image with its classes in their colours: fill, firm outline, void hatched.

    Shape: image (c, [z,] y, x), ([z,] y, x) or already ([z,] y, x, 3) uint8; labels
    ([z,] y, x) class ids with 255 = void -> ([z,] y, x, 3) uint8. The background class
    stays clear. Raises ShapeMismatch if the grids differ.
    """
    return compose(as_rgb(image, labels.shape), class_layer(labels, classes))


def render_errors(
    image: npt.NDArray[Any], truth: Labels, predicted: Labels, classes: Sequence[ColouredClass]
) -> Picture:
    """An image with hits, misses, false alarms and swapped classes in four colours."""
    return compose(as_rgb(image, truth.shape), error_layer(truth, predicted, classes))


def as_rgb(image: npt.NDArray[Any], grid: tuple[int, ...]) -> Picture:
    """The image as ([z,] y, x, 3) uint8 on `grid`, whichever of the usual layouts it has."""
    if image.shape == (*grid, 3) and image.dtype == np.uint8:
        return image
    if image.shape == grid:
        return viewable_rgb(image[None])
    if image.shape[1:] == grid:
        return viewable_rgb(image)
    raise ShapeMismatch(
        f"an image of shape {image.shape} does not lie on the grid {grid} of its labels",
        "(channels, rows, columns), (rows, columns) or (rows, columns, 3) on one grid",
        "Give the image and the labels of the same case.",
        code="grid",
    )


def class_layer(labels: Labels, classes: Sequence[ColouredClass]) -> Picture:
    """A transparent layer ([z,] y, x, 4) uint8 of the classes: fill, outline, void hatched."""
    layer = np.zeros((*labels.shape, 4), dtype=np.uint8)
    background = find_background(classes)
    edges = find_edges(labels)
    for entry in classes:
        if entry.id == background:
            continue
        is_class = labels == entry.id
        layer[is_class] = _rgba(entry.colour, FILL_OPACITY)
        layer[is_class & edges] = _rgba(entry.colour, EDGE_OPACITY)
    _hatch(layer, labels == IGNORE)
    return layer


def error_layer(truth: Labels, predicted: Labels, classes: Sequence[ColouredClass]) -> Picture:
    """A transparent layer ([z,] y, x, 4) uint8 of hits, misses, false alarms, swaps.

    Correct background stays clear; void in the truth is hatched. Without a background
    class all that is right stays clear, so that the picture is not covered.
    """
    if truth.shape != predicted.shape:
        raise ShapeMismatch(
            f"truth has shape {truth.shape}, predicted has {predicted.shape}",
            "one grid for both",
            "Compare labels of the same case.",
            code="grid",
        )
    background = find_background(classes)
    background = -1 if background is None else background
    is_right = truth == predicted
    layer = np.zeros((*truth.shape, 4), dtype=np.uint8)
    is_hit = is_right & (truth != background) & (background >= 0)
    layer[is_hit] = _rgba(HIT, HIT_OPACITY)
    layer[is_hit & find_edges(is_hit)] = _rgba(HIT, HIT_EDGE_OPACITY)
    layer[~is_right & (predicted == background)] = _rgba(MISSED, ERROR_OPACITY)
    layer[~is_right & (truth == background)] = _rgba(FALSE, ERROR_OPACITY)
    is_swapped = ~is_right & (truth != background) & (predicted != background)
    layer[is_swapped] = _rgba(SWAPPED, ERROR_OPACITY)
    is_void = truth == IGNORE
    layer[is_void] = 0
    _hatch(layer, is_void)
    return layer


def compose(picture: Picture, layer: Picture) -> Picture:
    """A picture ([z,] y, x, 3) seen through a layer ([z,] y, x, 4), both uint8."""
    opacity = layer[..., 3:].astype(np.float32) / 255
    mixed = picture * (1 - opacity) + layer[..., :3] * opacity
    return (mixed + 0.5).astype(np.uint8)


def find_edges(labels: Labels) -> npt.NDArray[np.bool_]:
    """Pixels with a differing neighbour along some axis, ([z,] y, x) -> the same, bool.

    The picture's own rim is no edge.
    """
    edges = np.zeros(labels.shape, dtype=bool)
    for axis in range(labels.ndim):
        ahead = (slice(None),) * axis + (slice(1, None),)
        behind = (slice(None),) * axis + (slice(None, -1),)
        differs = labels[ahead] != labels[behind]
        edges[ahead] |= differs
        edges[behind] |= differs
    return edges


def _hatch(layer: Picture, is_void: npt.NDArray[np.bool_]) -> None:
    rows = np.arange(layer.shape[-3])[:, None]
    columns = np.arange(layer.shape[-2])[None, :]
    is_stripe = (rows + columns) // HATCH_PIXELS % 2 == 0
    layer[is_void] = (*VOID_COLOUR, round(255 * VOID_OPACITY))
    layer[is_void & is_stripe] = (*VOID_COLOUR, round(255 * VOID_OPACITY * 0.75))


def _rgba(colour: str, opacity: float) -> tuple[int, int, int, int]:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue, round(255 * opacity)


def _channel_hues(n_channels: int) -> npt.NDArray[np.float32]:
    if n_channels == 1:
        return np.ones((1, 3), dtype=np.float32)
    if n_channels == 2:
        return np.array([[1, 0, 1], [0, 1, 0]], dtype=np.float32)
    angles = np.arange(n_channels)[:, None] / n_channels - np.array([0, 1 / 3, 2 / 3])
    hues = np.clip(0.5 + np.cos(2 * np.pi * angles), 0, 1)
    return np.asarray(hues / np.maximum(hues.sum(axis=0), 1), dtype=np.float32)
