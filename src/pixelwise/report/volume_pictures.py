"""Volumes as pictures: three planes through the worst error, and a bounded stack of slices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pixelwise.core.case import IGNORE
from pixelwise.report.distance_maps import Bins
from pixelwise.report.pictures import (
    MAX_SAMPLES,
    Labels,
    Picture,
    channel_limits,
    viewable_rgb,
)
from pixelwise.report.wording import size_text

MAX_STACK_EDGE = 128
"""Longest side in pixels of a slice in the stack that a page holds."""

MAX_SLICES = 40
"""So many slices of a volume get into a page, evenly spread, the worst one among them."""

MAX_PLANE_EDGE = 512
ERROR_REACH = 2.0
"""Errors are counted around a voxel with Gaussian weights of this many steps of the finest axis."""

PLANE_NAMES = ("axial", "coronal", "sagittal")
PLAIN_NAMES = ("across z", "across y", "across x")


@dataclass(frozen=True, slots=True)
class Plane:
    """A flat cut through a volume: image (y, x, 3) uint8, truth and predicted (y, x) ids.

    name: which way it lies. position: index of the cut along its axis, n_positions of them.
    ratio: width by height in space, for pixels need not be square. distances (y, x): the
    steps of a map of surface distances, where one is wanted.
    """

    name: str
    position: int
    n_positions: int
    image: Picture
    truth: Labels
    predicted: Labels
    ratio: float
    distances: Bins | None = None


@dataclass(frozen=True, slots=True)
class VolumeViews:
    """What a page shows of a volume: planes through one point, and a stack along one axis.

    stack: planes with rising positions; start: which of them is shown at first.
    step, unit: distance of neighbouring positions along the stack's axis in space.
    sizes: how large each class is in truth and prediction, in words. channel: which channel
    the pictures show, in words, empty if they show all.
    """

    planes: tuple[Plane, ...]
    stack: tuple[Plane, ...]
    start: int
    step: float
    unit: str
    sizes: tuple[str, ...] = ()
    channel: str = ""


@dataclass(frozen=True, slots=True)
class VolumeSpace:
    """How large voxels are, how axes lie in the body, and what channels are called.

    spacing (z, y, x) in `unit`, None for voxels. is_anatomical: axes run towards superior,
    posterior and left, so that planes are named and cuts along z are turned to have the head
    up.
    """

    spacing: Sequence[float] | None = None
    unit: str = "px"
    is_anatomical: bool = False
    channel_names: Sequence[str] = ()


UNKNOWN_SPACE = VolumeSpace()


def view_volume(
    image: npt.NDArray[Any],
    truth: Labels,
    predicted: Labels,
    space: VolumeSpace = UNKNOWN_SPACE,
    *,
    distances: Bins | None = None,
    place: tuple[int, ...] | None = None,
) -> VolumeViews:
    """The planes through the worst error of a volume, and a stack along its coarsest axis.

    Shape: image (c, z, y, x); truth, predicted (z, y, x) class ids, 255 in the truth is void.
    Of several channels that are no colours the one is shown that tells the labelled voxels
    best from the others. distances (z, y, x): the steps of a map of surface distances. place:
    where the planes meet, if not in the worst error.
    """
    shown = ""
    if len(image) > 1 and not (len(image) == 3 and image.dtype == np.uint8):
        chosen = choose_channel(image, truth)
        shown = f"channel {chosen + 1} of {len(image)}"
        shown += f" ({space.channel_names[chosen]})" if chosen < len(space.channel_names) else ""
        image = image[chosen : chosen + 1]
    steps = tuple(space.spacing) if space.spacing is not None else (1.0, 1.0, 1.0)
    limits = [channel_limits(channel) for channel in image]
    scene = _Scene(image, truth, predicted, steps, limits, space.is_anatomical, distances)
    place = find_worst(truth, predicted, steps) if place is None else place
    axis = int(np.argmax(steps)) if max(steps) > 1.5 * min(steps) else 0
    positions = choose_slices(truth.shape[axis], place[axis])
    return VolumeViews(
        planes=tuple(scene.cut(a, place[a], MAX_PLANE_EDGE) for a in range(3)),
        stack=tuple(scene.cut(axis, i, MAX_STACK_EDGE) for i in positions),
        start=positions.index(place[axis]),
        step=steps[axis],
        unit=space.unit,
        channel=shown,
    )


def size_texts(
    counted: Sequence[tuple[str, int, int]], spacing: Sequence[float] | None, unit: str
) -> tuple[str, ...]:
    """How large each class of a volume is: "core 12.3 mL, predicted 11.9 mL".

    counted: (name, true voxels, predicted voxels); classes without any are left out.
    """
    size = math.prod(spacing) if spacing is not None else 1.0
    told = unit if spacing is not None else "px"
    return tuple(
        f"{name} {size_text(true * size, told, 3)}, predicted {size_text(found * size, told, 3)}"
        for name, true, found in counted
        if true or found
    )


def find_worst(truth: Labels, predicted: Labels, spacing: Sequence[float]) -> tuple[int, ...]:
    """The voxel (z, y, x) amid most errors; without an error the middle of what is labelled.

    Errors are counted within an equal reach along all axes. Void counts nowhere.
    """
    wrong = (truth != predicted) & (truth != IGNORE)
    if not wrong.any():
        labelled = np.argwhere((truth > 0) & (truth != IGNORE))
        if not len(labelled):
            return tuple(n // 2 for n in truth.shape)
        middle = labelled.mean(axis=0)
        away = np.square((labelled - middle) * np.asarray(spacing)).sum(axis=1)
        return tuple(int(n) for n in labelled[away.argmin()])
    found = ndimage.find_objects(wrong.astype(np.uint8))[0]
    part = wrong[found]
    reach = [ERROR_REACH * min(spacing) / step for step in spacing]
    density = ndimage.gaussian_filter(part.astype(np.float32), reach, mode="constant")
    best = np.unravel_index(int(np.argmax(np.where(part, density, -1.0))), part.shape)
    return tuple(int(n) + box.start for n, box in zip(best, found, strict=True))


def choose_channel(image: npt.NDArray[Any], truth: Labels) -> int:
    """The channel (of c, z, y, x) in which labelled voxels differ most from the others.

    Judged by the difference of their means in standard deviations of the others; the
    first channel where nothing, or everything, is labelled.
    """
    step = max(1, round((truth.size / MAX_SAMPLES) ** (1 / 3)))
    labels = truth[::step, ::step, ::step]
    inside, outside = (labels > 0) & (labels != IGNORE), labels == 0
    if not inside.any() or not outside.any():
        return 0
    contrasts = []
    for channel in image[:, ::step, ::step, ::step].astype(np.float64):
        inner, outer = (channel[part & np.isfinite(channel)] for part in (inside, outside))
        spread = float(outer.std()) if outer.size else 0.0
        known = inner.size and spread > 0
        contrasts.append(abs(float(inner.mean() - outer.mean())) / spread if known else 0.0)
    return int(np.argmax(contrasts))


def choose_slices(n_slices: int, wanted: int, most: int = MAX_SLICES) -> list[int]:
    """Positions spread evenly over an axis, `wanted` among them, at most `most`, rising."""
    n = min(n_slices, most)
    even = [round(i * (n_slices - 1) / max(n - 1, 1)) for i in range(n)]
    nearest = min(range(n), key=lambda i: abs(even[i] - wanted))
    even[nearest] = wanted
    return sorted(set(even))


def middle_slice(image: npt.NDArray[Any], labels: Labels | None = None) -> int:
    """The slice along z with most labelled voxels, the middle one without labels."""
    if labels is None:
        return int(image.shape[1] // 2)
    counts = ((labels > 0) & (labels != IGNORE)).sum(axis=(1, 2))
    return int(np.argmax(counts)) if counts.any() else int(image.shape[1] // 2)


@dataclass(frozen=True, slots=True)
class _Scene:
    image: npt.NDArray[Any]
    truth: Labels
    predicted: Labels
    steps: tuple[float, ...]
    limits: Sequence[tuple[float, float]]
    is_anatomical: bool
    distances: Bins | None = None

    def cut(self, axis: int, position: int, most: int) -> Plane:
        """One plane, thinned out to `most` pixels along its longer side."""
        rows, columns = (a for a in range(3) if a != axis)
        height, width = self.truth.shape[rows], self.truth.shape[columns]
        step = max(1, -(-max(height, width) // most))
        flip = -1 if self.is_anatomical and rows == 0 else 1
        where: list[Any] = [slice(None)] * 3
        where[axis] = position
        picked = [arr[tuple(where)][::flip] for arr in (self.truth, self.predicted)]
        bins = None if self.distances is None else self.distances[tuple(where)][::flip]
        flat = self.image[(slice(None), *where)][:, ::flip]
        picture = viewable_rgb(flat[:, ::step, ::step], self.limits)
        names = PLANE_NAMES if self.is_anatomical else PLAIN_NAMES
        return Plane(
            name=names[axis],
            position=position,
            n_positions=self.truth.shape[axis],
            image=np.ascontiguousarray(picture),
            truth=np.ascontiguousarray(picked[0][::step, ::step]),
            predicted=np.ascontiguousarray(picked[1][::step, ::step]),
            ratio=width * self.steps[columns] / (height * self.steps[rows]),
            distances=None if bins is None else thin_out_largest(bins, step),
        )


def thin_out_largest(bins: Bins, step: int) -> Bins:
    """Steps of distances (y, x) with `step` times fewer rows and columns; the farthest stays."""
    if step == 1:
        return np.ascontiguousarray(bins)
    rows, columns = -(-bins.shape[0] // step), -(-bins.shape[1] // step)
    padding = ((0, rows * step - bins.shape[0]), (0, columns * step - bins.shape[1]))
    blocks = np.pad(bins, padding).reshape(rows, step, columns, step)
    return np.ascontiguousarray(blocks.max(axis=(1, 3)))
