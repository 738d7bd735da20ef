"""Training cases on the grid of the plan: decoded within a bound of memory, else read by region."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.region_bits import mask_of_region
from pixelwise.core.case import IGNORE, Case, LabelMeaning
from pixelwise.core.errors import BadData
from pixelwise.core.image import Array, Region, Source, whole_region
from pixelwise.core.plan import GeometrySection, IntensitySection
from pixelwise.data.channels import match_channels
from pixelwise.data.geometry import (
    Regrid,
    ResampledSource,
    regrid_for,
    resample_labels,
)
from pixelwise.data.guides import NO_GUIDES, Guides, object_numbers
from pixelwise.data.intensity import IntensityScale, scale_for
from pixelwise.data.labels import read_fov, read_labels
from pixelwise.data.shading import evened
from pixelwise.data.training_case import (
    DecodedCase,
    Labels,
    Maps,
    Positions,
    TrainingCase,
    bands_across,
    thin_out,
)
from pixelwise.readers.stacked import open_images

CACHE_BYTES = 1 << 30
"""Decoded cases are kept in memory up to this size; beyond it they are read again."""

_AROUND = 32
"""Pixels around a region whose objects are looked at too: as far as border weights reach."""


@dataclass(slots=True)
class CaseOnDisk:
    """A case too large to keep: every patch is read where it lies, and resampled there.

    classes: its labels if at least they can be kept.
    """

    source: Source
    case: Case
    reader: CaseReader
    regrid: Regrid | None
    scale: IntensityScale
    positions: Positions
    classes: Labels | None

    @property
    def shape(self) -> tuple[int, ...]:
        """Spatial shape ([z,] y, x)."""
        return self.source.header.shape

    def image(self, region: Region) -> Array:
        """(c, …) stored intensities of a region."""
        return match_channels(self.source.read(region), self.reader.n_channels)

    def labels(self, region: Region) -> Labels:
        """Class ids of a region, IGNORE where nothing is learned."""
        if self.classes is not None:
            return self.classes[region]
        return self.reader.read_labels(self.case, self.regrid, self.shape, region)

    @property
    def annotated(self) -> tuple[int, ...]:
        """As the case has it."""
        return self.case.annotated

    def maps(self, region: Region) -> Maps | None:
        """(m, …) maps of a region; objects are looked at as far as `_AROUND` beyond it."""
        if not self.reader.guides.n_maps:
            return None
        wide = tuple(
            slice(max(part.start - _AROUND, 0), min(part.stop + _AROUND, length))
            for part, length in zip(region, self.shape, strict=True)
        )
        found = self.reader.make_maps(self.case, self.regrid, self.labels(wide).copy(), wide)
        inside = tuple(
            slice(part.start - outer.start, part.stop - outer.start)
            for part, outer in zip(region, wide, strict=True)
        )
        return None if found is None else found[(slice(None), *inside)]

    def n_bytes(self) -> int:
        """What it takes in memory beside what its file's reader keeps."""
        positions = sum(index.nbytes for index in self.positions.values())
        return positions + (0 if self.classes is None else self.classes.nbytes)

    def close(self) -> None:
        """Let go of the file."""
        self.source.close()


@dataclass(frozen=True, slots=True)
class CaseReader:
    """How the cases of a run are read: what masks mean, which channels and grid are wanted.

    spacing: of images whose files state none, in `unit`. hold_out: share of the longest axis
    at its end that is not learned. guides: maps of single objects that are wanted.
    """

    meaning: LabelMeaning
    intensity: IntensitySection
    n_channels: int
    n_classes: int
    geometry: GeometrySection = field(default_factory=GeometrySection)
    spacing: tuple[float, ...] | None = None
    unit: str = "px"
    hold_out: float = 0.0
    guides: Guides = NO_GUIDES

    def read(self, case: Case, most_bytes: int) -> DecodedCase | CaseOnDisk:
        """A case in memory, or on disk where it would take more than `most_bytes`."""
        opened = evened(open_images(case.images), self.intensity.shading)
        try:
            convert = partial(match_channels, n_channels=self.n_channels)
            scale = scale_for(self.intensity, opened, convert)
            regrid = regrid_for(self.geometry, opened.header, self.spacing, self.unit)
            source = opened if regrid is None else ResampledSource(opened, regrid)
            n_voxels = math.prod(source.header.shape)
            n_bytes = n_voxels * (source.header.dtype.itemsize * self.n_channels + 1)
            if n_bytes > most_bytes:
                return self._leave_on_disk(case, source, regrid, scale, n_voxels <= most_bytes)
            pixels = convert(source.read())
        except BaseException:
            opened.close()
            raise
        opened.close()
        whole = whole_region(pixels.shape[1:])
        classes = self.read_labels(case, regrid, pixels.shape[1:], whole)
        guides = self.make_maps(case, regrid, classes, whole)
        positions = thin_out(self._find_classes(classes), len(case.id))
        return DecodedCase(pixels, classes, scale, positions, guides, case.annotated)

    def _leave_on_disk(
        self,
        case: Case,
        source: Source,
        regrid: Regrid | None,
        scale: IntensityScale,
        keeps_labels: bool,
    ) -> CaseOnDisk:
        shape = source.header.shape
        if not keeps_labels:
            positions = self._positions(case, regrid, shape)
            return CaseOnDisk(source, case, self, regrid, scale, positions, None)
        classes = self.read_labels(case, regrid, shape, whole_region(shape))
        positions = thin_out(self._find_classes(classes), len(case.id))
        return CaseOnDisk(source, case, self, regrid, scale, positions, classes)

    def make_maps(
        self, case: Case, regrid: Regrid | None, labels: Labels, region: Region
    ) -> Maps | None:
        """Maps (m, …) of the objects of a region; parts touching ones in `labels`, in place."""
        if not self.guides.n_maps:
            return None
        numbers = object_numbers(case, labels, regrid, region)
        self.guides.part(labels, numbers)
        return self.guides.make(labels, numbers)

    def read_labels(
        self, case: Case, regrid: Regrid | None, shape: tuple[int, ...], region: Region
    ) -> Labels:
        """Class ids of a region of the plan's grid; held-out pixels are IGNORE."""
        if regrid is None:
            labels = read_training_labels(case, self.meaning, region)
        else:
            held = regrid.needed(region)
            stored = read_training_labels(case, self.meaning, held)
            labels = resample_labels(stored, regrid, held, region)
        if self.hold_out > 0:
            labels[_overlap(held_out_region(shape, self.hold_out), region)] = IGNORE
        return labels

    def _find_classes(self, labels: Labels) -> Positions:
        """Where each class, or each region, is: flat indices."""
        flat = labels.reshape(-1)
        overlaps = self.meaning.holds_regions
        masks = (mask_of_region(flat, k) if overlaps else flat == k for k in range(self.n_classes))
        found = {k: np.flatnonzero(mask) for k, mask in enumerate(masks)}
        return {k: index for k, index in found.items() if len(index)}

    def _positions(self, case: Case, regrid: Regrid | None, shape: tuple[int, ...]) -> Positions:
        found: dict[int, list[npt.NDArray[np.int64]]] = {}
        for region in bands_across(shape):
            labels = self.read_labels(case, regrid, shape, region)
            offset = region[0].start * math.prod(shape[1:])
            part = thin_out(self._find_classes(labels), region[0].start)
            for class_id, index in part.items():
                found.setdefault(class_id, []).append(index + offset)
        return thin_out({k: np.concatenate(parts) for k, parts in found.items()}, len(case.id))


class CaseStore:
    """The cases of a split with their pixels on demand, in a cache of bounded size."""

    def __init__(
        self, cases: Sequence[Case], reader: CaseReader, *, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self.cases = tuple(cases)
        self._reader = reader
        self._cache_bytes = cache_bytes
        self._held: OrderedDict[int, DecodedCase | CaseOnDisk] = OrderedDict()

    def get(self, index: int) -> TrainingCase:
        """A case; void, pixels outside the field of view and held-out ones are IGNORE."""
        if index in self._held:
            self._held.move_to_end(index)
            return self._held[index]
        found = self._reader.read(self.cases[index], self._cache_bytes)
        self._held[index] = found
        while len(self._held) > 1 and self._held_bytes() > self._cache_bytes:
            self._held.popitem(last=False)[1].close()
        return found

    def _held_bytes(self) -> int:
        return sum(case.n_bytes() for case in self._held.values())


def read_training_labels(case: Case, meaning: LabelMeaning, region: Region | None = None) -> Labels:
    """Class ids of a case, IGNORE where void or outside the field of view.

    Raises BadData if the case has no mask.
    """
    if case.label is None:
        raise BadData("it has no mask", "a mask", "Add it.", path=case.image, code="no-mask")
    labels = np.array(read_labels(case.label, meaning, region))
    if case.fov is not None:
        labels[~read_fov(case.fov, region)] = IGNORE
    return labels


def held_out_region(shape: tuple[int, ...], share: float) -> Region:
    """The last `share` of the longest axis: what a single case keeps from training."""
    region = list(whole_region(shape))
    axis = int(np.argmax(shape))
    region[axis] = slice(shape[axis] - max(1, round(share * shape[axis])), shape[axis])
    return tuple(region)


def _overlap(inner: Region, region: Region) -> Region:
    """Where `inner` lies within `region`, counted from its corner; empty where it does not."""
    return tuple(
        slice(
            min(max(a.start, b.start), b.stop) - b.start,
            max(min(a.stop, b.stop), b.start) - b.start,
        )
        for a, b in zip(inner, region, strict=True)
    )
