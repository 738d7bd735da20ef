"""Patches for training: drawn over the whole data set, warped and normalised, in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pixelwise.core.case import IGNORE
from pixelwise.core.plan import AugmentationSection, GeometrySection, SamplingSection
from pixelwise.data.augment import change_intensity, draw_warp
from pixelwise.data.patch_warp import cut_patch, needed_region
from pixelwise.data.slices import as_slice, middle_slice, window_shape
from pixelwise.data.training_case import TrainingCase


@dataclass(frozen=True, slots=True)
class Batch:
    """images (n, c, …) float32, target (n, …) int64 class ids, valid (n, …) bool.

    maps (n, m, …) float32: of single objects, as `data.guides` makes them, if any are wanted.
    annotated (n, k or more) bool: classes that each image annotates, None if all do.
    """

    images: Tensor
    target: Tensor
    valid: Tensor
    maps: Tensor | None = None
    annotated: Tensor | None = None

    @property
    def planes(self) -> tuple[Tensor, ...]:
        """Target, valid and the maps if there are any: what a loss takes behind the logits."""
        return (self.target, self.valid, *(() if self.maps is None else (self.maps,)))


class Cases(Protocol):
    """Training cases by number."""

    def get(self, index: int) -> TrainingCase: ...


@dataclass(frozen=True, slots=True)
class _Patch:
    image: Tensor
    labels: Tensor
    maps: Tensor | None
    case: TrainingCase


class PatchSampler:
    """Draws batches. Every patch depends only on (seed, step, slot): resuming is exact.

    class_pixels: (n_cases, n_classes) counts of the training cases. A share of the patches
    is centred near a pixel of a class drawn evenly from all classes but the most frequent
    one, over the whole data set; the others fall anywhere in a case drawn evenly.
    spacing: of the pixels on the grid of the plan, in any unit; equal if not given.
    """

    def __init__(
        self,
        store: Cases,
        sampling: SamplingSection,
        augmentation: AugmentationSection,
        *,
        class_pixels: npt.NDArray[np.int64],
        seed: int,
        geometry: GeometrySection | None = None,
        spacing: Sequence[float] | None = None,
    ) -> None:
        self._store = store
        self._batch = sampling.batch
        self._foreground_share = sampling.foreground_share
        self._augmentation = augmentation
        self._seed = seed
        self._geometry = geometry or GeometrySection()
        self._window = window_shape(sampling.patch, self._geometry)
        # Every slice may be the middle one; its neighbours are mirrored at the ends.
        self._kept_inside = window_shape(
            sampling.patch, self._geometry.model_copy(update={"neighbours": 0})
        )
        self._spacing = spacing
        self._class_pixels = class_pixels
        totals = class_pixels.sum(axis=0)
        common = int(np.argmax(totals))
        self._wanted = [k for k, n in enumerate(totals) if n > 0 and k != common]
        labelled = class_pixels.sum(axis=1) > 0
        self._labelled = np.flatnonzero(labelled if labelled.any() else np.ones_like(labelled))

    def draw(self, step: int) -> Batch:
        """The batch of one step."""
        patches = [self._draw_patch(step, slot) for slot in range(self._batch)]
        images = torch.stack([patch.image for patch in patches])
        labels = torch.stack([patch.labels for patch in patches]).long()
        maps = [patch.maps for patch in patches if patch.maps is not None]
        valid = labels != IGNORE
        return Batch(
            images,
            torch.where(valid, labels, 0),
            valid,
            torch.stack(maps) if maps else None,
            self._annotated([patch.case.annotated for patch in patches]),
        )

    def _annotated(self, classes: Sequence[tuple[int, ...]]) -> Tensor | None:
        if not any(classes):
            return None
        known = torch.ones(len(classes), self._class_pixels.shape[1], dtype=torch.bool)
        for row, ids in zip(known, classes, strict=True):
            if ids:
                row[:] = False
                row[list(ids)] = True
        return known

    def _draw_patch(self, step: int, slot: int) -> _Patch:
        random = np.random.default_rng([self._seed, step, slot])
        case, centre = self._draw_centre(random)
        warp = draw_warp(self._window, self._augmentation, random, self._spacing)
        region = needed_region(warp, centre, case.shape)
        image, maps = case.scale.apply(case.image(region)), case.maps(region)
        n_channels = len(image)
        if maps is not None:
            image = np.concatenate([image, maps.astype(np.float32)])
        image, labels = cut_patch(
            image,
            case.labels(region),
            warp,
            centre,
            corner=[part.start for part in region],
            shape=case.shape,
        )
        warped = middle_slice(image[n_channels:], self._geometry)
        image, labels, spacing = as_slice(image[:n_channels], labels, self._geometry, self._spacing)
        changed = change_intensity(torch.from_numpy(image), self._augmentation, random, spacing)
        return _Patch(
            changed,
            torch.from_numpy(labels),
            None if maps is None else torch.from_numpy(warped),
            case,
        )

    def _draw_centre(self, random: np.random.Generator) -> tuple[TrainingCase, list[float]]:
        if self._wanted and random.random() < self._foreground_share:
            class_id = int(random.choice(self._wanted))
            weights = self._class_pixels[:, class_id].astype(float)
            index = int(random.choice(len(weights), p=weights / weights.sum()))
            case = self._store.get(index)
            flat = case.positions.get(class_id)
            if flat is not None:
                found = np.unravel_index(int(random.choice(flat)), case.shape)
                jitter = [random.uniform(-length / 3, length / 3) for length in self._window]
                centre = [float(p) + j for p, j in zip(found, jitter, strict=True)]
                return case, _keep_inside(centre, self._kept_inside, case.shape)
        case = self._store.get(int(random.choice(self._labelled)))
        centre = [random.uniform(0, length - 1) for length in case.shape]
        return case, _keep_inside(centre, self._kept_inside, case.shape)


def _keep_inside(
    centre: list[float], patch: tuple[int, ...], shape: tuple[int, ...]
) -> list[float]:
    """The centre moved until the patch lies inside, and until its pixels lie on those of the image.

    A patch longer than an axis has its middle in the middle.
    """
    kept = []
    for position, edge, length in zip(centre, patch, shape, strict=True):
        half, most = (edge - 1) / 2, length - edge
        first = most // 2 if most < 0 else min(max(round(position - half), 0), most)
        kept.append(first + half)
    return kept
