"""Cutting a warped patch out of an image and its labels in one compiled pass over the patch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled, prepare
from pixelwise.core.image import Region

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Warp:
    """Where each pixel of a patch comes from: matrix @ (its offset from the centre) + shift.

    matrix: (d, d) in pixels. shift: (d, [z,] y, x) pixels, None for a straight transform.
    """

    patch: tuple[int, ...]
    matrix: Floats
    shift: Floats | None = None


def needed_region(warp: Warp, centre: Sequence[float], shape: Sequence[int]) -> Region:
    """The part of an image of `shape` that `cut_patch` looks at, mirrored borders included."""
    half = (np.asarray(warp.patch) - 1) / 2
    reach = np.abs(warp.matrix.astype(np.float64)) @ half
    if warp.shift is not None:
        reach = reach + np.abs(warp.shift.reshape(len(half), -1)).max(axis=1)
    region = []
    for middle, extent, length in zip(centre, reach, shape, strict=True):
        # A hundredth of a pixel more than exact arithmetic asks for: the loop rounds in float32.
        low, high, last = middle - extent - 0.01, middle + extent + 0.01, length - 1
        start = 0.0 if low < 0 else min(low, 2 * last - high)
        stop = last if high > last else max(high, -low)
        first = int(np.clip(np.floor(start), 0, last))
        region.append(slice(first, int(np.clip(np.ceil(stop), first, last)) + 1))
    return tuple(region)


def cut_patch(
    image: Floats,
    labels: Labels,
    warp: Warp,
    centre: Sequence[float],
    *,
    corner: Sequence[int],
    shape: Sequence[int],
) -> tuple[Floats, Labels]:
    """A warped patch around `centre`: the image interpolated linearly, labels from the nearest.

    image (c, [z,] y, x) and labels ([z,] y, x) hold the part of a whole of `shape` that
    begins at `corner` and contains `needed_region`. Beyond its borders the whole is mirrored;
    the border pixel is not repeated.
    """
    _prepare()
    lift = 3 - labels.ndim
    matrix = np.zeros((3, 3), np.float32)
    matrix[lift:, lift:] = warp.matrix
    patch = (1,) * lift + warp.patch
    found = np.empty((image.shape[0], *patch), np.float32)
    classes = np.empty(patch, np.uint8)
    shift = np.zeros((3, 0, 0, 0), np.float32)
    if warp.shift is not None:
        shift = np.zeros((3, *patch), np.float32)
        shift[lift:] = warp.shift.reshape(labels.ndim, *patch)
    place = np.zeros((3, 3), np.float32)
    place[0, lift:], place[1, lift:], place[2] = centre, corner, 1
    place[2, lift:] = shape
    _cut(
        np.ascontiguousarray(image.reshape(image.shape[0], *(1,) * lift, *image.shape[1:])),
        np.ascontiguousarray(labels.reshape(*(1,) * lift, *labels.shape)),
        matrix,
        shift,
        place,
        found,
        classes,
    )
    return found.reshape(image.shape[0], *warp.patch), classes.reshape(warp.patch)


def _prepare() -> None:
    def first_call() -> None:
        image, labels = np.zeros((1, 1, 1, 1), np.float32), np.zeros((1, 1, 1), np.uint8)
        shift = np.zeros((3, 0, 0, 0), np.float32)
        place = np.ones((3, 3), np.float32) * 0
        place[2] = 1
        _cut(image, labels, np.eye(3, dtype=np.float32), shift, place, image.copy(), labels.copy())

    prepare("warping loops", first_call)


@compiled
def _fold(position: np.float32, length: np.float32) -> np.float32:
    """A coordinate mirrored at the ends of an axis until it lies in [0, length - 1]."""
    last = length - np.float32(1)
    if position < 0:
        position = -position
    if position > last:
        if last <= 0:
            return np.float32(0)
        period = np.float32(2) * last
        position -= period * np.float32(np.floor(position / period))
        if position > last:
            position = period - position
    return position


@compiled
def _cut(
    image: Floats,
    labels: Labels,
    matrix: Floats,
    shift: Floats,
    place: Floats,
    found: Floats,
    classes: Labels,
) -> None:
    """Fill `found` and `classes`. place: centre, corner of what is given, shape of the whole."""
    n_channels, n_z, n_y, n_x = found.shape
    centre, corner, whole = place[0], place[1], place[2]
    last_z, last_y, last_x = labels.shape[0] - 1, labels.shape[1] - 1, labels.shape[2] - 1
    half = np.float32(0.5)
    is_shifted = shift.shape[1] > 0
    is_flat = labels.shape[0] == 1
    for k in range(n_z):
        dz = np.float32(k) - half * np.float32(n_z - 1)
        for j in range(n_y):
            dy = np.float32(j) - half * np.float32(n_y - 1)
            row_z = centre[0] + matrix[0, 0] * dz + matrix[0, 1] * dy
            row_y = centre[1] + matrix[1, 0] * dz + matrix[1, 1] * dy
            row_x = centre[2] + matrix[2, 0] * dz + matrix[2, 1] * dy
            for i in range(n_x):
                dx = np.float32(i) - half * np.float32(n_x - 1)
                z = row_z + matrix[0, 2] * dx
                y = row_y + matrix[1, 2] * dx
                x = row_x + matrix[2, 2] * dx
                if is_shifted:
                    z += shift[0, k, j, i]
                    y += shift[1, k, j, i]
                    x += shift[2, k, j, i]
                z = max(_fold(z, whole[0]) - corner[0], np.float32(0))
                y = max(_fold(y, whole[1]) - corner[1], np.float32(0))
                x = max(_fold(x, whole[2]) - corner[2], np.float32(0))
                z0, y0, x0 = min(int(z), last_z), min(int(y), last_y), min(int(x), last_x)
                z1, y1, x1 = min(z0 + 1, last_z), min(y0 + 1, last_y), min(x0 + 1, last_x)
                fz, fy, fx = z - np.float32(z0), y - np.float32(y0), x - np.float32(x0)
                classes[k, j, i] = labels[
                    z1 if fz >= half else z0, y1 if fy >= half else y0, x1 if fx >= half else x0
                ]
                for c in range(n_channels):
                    near = image[c, z0, y0, x0]
                    near += fx * (image[c, z0, y0, x1] - near)
                    beside = image[c, z0, y1, x0]
                    beside += fx * (image[c, z0, y1, x1] - beside)
                    near += fy * (beside - near)
                    if not is_flat:
                        far = image[c, z1, y0, x0]
                        far += fx * (image[c, z1, y0, x1] - far)
                        beside = image[c, z1, y1, x0]
                        beside += fx * (image[c, z1, y1, x1] - beside)
                        far += fy * (beside - far)
                        near += fz * (far - near)
                    found[c, k, j, i] = near
