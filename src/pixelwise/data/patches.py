"""Patches for training: drawn over the whole data set, warped and normalised, in batches."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pixelwise.core.case import IGNORE, Case, LabelMeaning
from pixelwise.core.errors import BadData
from pixelwise.core.image import Array, Region, whole_region
from pixelwise.core.plan import AugmentationSection, IntensitySection, SamplingSection
from pixelwise.data.augment import (
    change_intensity,
    draw_warp,
    fold,
    sample_image,
    sample_labels,
)
from pixelwise.data.channels import match_channels
from pixelwise.data.intensity import IntensityScale, scale_for
from pixelwise.data.labels import read_fov, read_labels
from pixelwise.readers import open_image

Labels = npt.NDArray[np.uint8]

CACHE_BYTES = 1 << 30
"""Decoded cases are kept in memory up to this size; beyond it they are read again."""

_POSITIONS_PER_CLASS = 4096


@dataclass(frozen=True, slots=True)
class Batch:
    """images (n, c, …) float32, target (n, …) int64 class ids, valid (n, …) bool."""

    images: Tensor
    target: Tensor
    valid: Tensor


@dataclass(slots=True)
class _Decoded:
    image: Array
    labels: Labels
    scale: IntensityScale
    positions: dict[int, npt.NDArray[np.int64]]

    def n_bytes(self) -> int:
        positions = sum(index.nbytes for index in self.positions.values())
        return self.image.nbytes + self.labels.nbytes + positions


class CaseStore:
    """The cases of a split with their pixels on demand, in a cache of bounded size."""

    def __init__(
        self,
        cases: Sequence[Case],
        meaning: LabelMeaning,
        intensity: IntensitySection,
        *,
        n_channels: int,
        n_classes: int,
        hold_out: float = 0.0,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self.cases = tuple(cases)
        self.n_classes = n_classes
        self._meaning = meaning
        self._intensity = intensity
        self._n_channels = n_channels
        self._hold_out = hold_out
        self._cache_bytes = cache_bytes
        self._decoded: OrderedDict[int, _Decoded] = OrderedDict()

    def get(self, index: int) -> _Decoded:
        """The decoded case; void, pixels outside the field of view and held-out ones are IGNORE."""
        if index in self._decoded:
            self._decoded.move_to_end(index)
            return self._decoded[index]
        decoded = self._decode(self.cases[index])
        self._decoded[index] = decoded
        while len(self._decoded) > 1 and self._held_bytes() > self._cache_bytes:
            self._decoded.popitem(last=False)
        return decoded

    def _held_bytes(self) -> int:
        return sum(decoded.n_bytes() for decoded in self._decoded.values())

    def _decode(self, case: Case) -> _Decoded:
        with open_image(case.image) as source:
            image = source.read()
            convert = partial(match_channels, n_channels=self._n_channels)
            scale = scale_for(self._intensity, source, convert)
        image = match_channels(image, self._n_channels)
        labels = read_training_labels(case, self._meaning)
        if self._hold_out > 0:
            labels[held_out_region(labels.shape, self._hold_out)] = IGNORE
        return _Decoded(image, labels, scale, self._index_positions(case, labels))

    def _index_positions(self, case: Case, labels: Labels) -> dict[int, npt.NDArray[np.int64]]:
        random = np.random.default_rng(len(case.id))
        flat = labels.reshape(-1)
        positions = {}
        for class_id in range(self.n_classes):
            found = np.flatnonzero(flat == class_id)
            if len(found) > _POSITIONS_PER_CLASS:
                found = random.choice(found, _POSITIONS_PER_CLASS, replace=False)
            if len(found):
                positions[class_id] = found
        return positions


def read_training_labels(case: Case, meaning: LabelMeaning) -> Labels:
    """Class ids of a case, IGNORE where void or outside the field of view.

    Raises BadData if the case has no mask.
    """
    if case.label is None:
        raise BadData("it has no mask", "a mask", "Add it.", path=case.image, code="no-mask")
    labels = np.array(read_labels(case.label, meaning))
    if case.fov is not None:
        labels[~read_fov(case.fov)] = IGNORE
    return labels


def held_out_region(shape: tuple[int, ...], share: float) -> Region:
    """The last `share` of the longest axis: what a single case keeps from training."""
    region = list(whole_region(shape))
    axis = int(np.argmax(shape))
    region[axis] = slice(shape[axis] - max(1, round(share * shape[axis])), shape[axis])
    return tuple(region)


class PatchSampler:
    """Draws batches. Every patch depends only on (seed, step, slot): resuming is exact.

    class_pixels: (n_cases, n_classes) counts of the training cases. A share of the patches
    is centred near a pixel of a class drawn evenly from all classes but the most frequent
    one, over the whole data set; the others fall anywhere in a case drawn evenly.
    """

    def __init__(
        self,
        store: CaseStore,
        sampling: SamplingSection,
        augmentation: AugmentationSection,
        *,
        class_pixels: npt.NDArray[np.int64],
        seed: int,
    ) -> None:
        self._store = store
        self._sampling = sampling
        self._augmentation = augmentation
        self._seed = seed
        self._class_pixels = class_pixels
        totals = class_pixels.sum(axis=0)
        common = int(np.argmax(totals))
        self._wanted = [k for k, n in enumerate(totals) if n > 0 and k != common]
        labelled = class_pixels.sum(axis=1) > 0
        self._labelled = np.flatnonzero(labelled if labelled.any() else np.ones_like(labelled))

    def draw(self, step: int) -> Batch:
        """The batch of one step."""
        patches = [self._draw_patch(step, slot) for slot in range(self._sampling.batch)]
        images = torch.stack([image for image, _ in patches])
        labels = torch.stack([labels for _, labels in patches]).long()
        valid = labels != IGNORE
        return Batch(images, torch.where(valid, labels, 0), valid)

    def _draw_patch(self, step: int, slot: int) -> tuple[Tensor, Tensor]:
        random = np.random.default_rng([self._seed, step, slot])
        decoded, centre = self._draw_centre(random)
        warp = draw_warp(self._sampling.patch, self._augmentation, random)
        shape = decoded.labels.shape
        positions = torch.stack(
            [
                fold(offsets + start, length)
                for offsets, start, length in zip(warp.offsets, centre, shape, strict=True)
            ]
        )
        region = _bounding_region(positions, shape)
        corner = torch.tensor([part.start for part in region], dtype=torch.float32)
        positions -= corner.reshape(-1, *([1] * len(shape)))
        scaled = torch.from_numpy(decoded.scale.apply(decoded.image[(slice(None), *region)]))
        image = sample_image(scaled, positions)
        labels = sample_labels(torch.from_numpy(decoded.labels[region]), positions)
        return change_intensity(image, self._augmentation, random), labels

    def _draw_centre(self, random: np.random.Generator) -> tuple[_Decoded, list[float]]:
        patch = self._sampling.patch
        if self._wanted and random.random() < self._sampling.foreground_share:
            class_id = int(random.choice(self._wanted))
            weights = self._class_pixels[:, class_id].astype(float)
            index = int(random.choice(len(weights), p=weights / weights.sum()))
            decoded = self._store.get(index)
            flat = decoded.positions.get(class_id)
            if flat is not None:
                found = np.unravel_index(int(random.choice(flat)), decoded.labels.shape)
                jitter = [random.uniform(-length / 3, length / 3) for length in patch]
                centre = [float(p) + j for p, j in zip(found, jitter, strict=True)]
                return decoded, _keep_inside(centre, patch, decoded.labels.shape)
        decoded = self._store.get(int(random.choice(self._labelled)))
        shape = decoded.labels.shape
        centre = [random.uniform(0, length - 1) for length in shape]
        return decoded, _keep_inside(centre, patch, shape)


def _keep_inside(
    centre: list[float], patch: tuple[int, ...], shape: tuple[int, ...]
) -> list[float]:
    kept = []
    for position, edge, length in zip(centre, patch, shape, strict=True):
        low, high = (edge - 1) / 2, length - 1 - (edge - 1) / 2
        kept.append((length - 1) / 2 if low > high else min(max(position, low), high))
    return kept


def _bounding_region(positions: Tensor, shape: tuple[int, ...]) -> Region:
    region = []
    for axis, length in zip(positions, shape, strict=True):
        start = int(torch.floor(axis.min()))
        stop = int(torch.ceil(axis.max())) + 1
        region.append(slice(max(start, 0), min(max(stop, start + 1), length)))
    return tuple(region)
