"""One look at one case: headers first, then all pixels in bands, and all that is wrong."""

from __future__ import annotations

import hashlib
import math
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.region_bits import count_regions
from pixelwise.core.case import IGNORE, Case, LabelMeaning
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, UserError
from pixelwise.core.image import NODATA, Array, Header, Region, Source
from pixelwise.core.records import ImageLook
from pixelwise.data.case_grids import compare_places, compare_sizes
from pixelwise.data.image_look import look_at
from pixelwise.data.labels import labels_from, read_labels
from pixelwise.data.mask_scan import bands
from pixelwise.data.polygons import is_polygon_label, read_polygon_labels
from pixelwise.data.region_masks import region_files
from pixelwise.readers import open_image, open_labels
from pixelwise.readers.stacked import open_images

_N_IDS = IGNORE + 1


@dataclass(slots=True)
class ChannelSums:
    """Running statistics of one channel over finite pixels."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    sample: list[Array] = field(default_factory=list)

    def merge(self, other: ChannelSums) -> None:
        """Take in what another one has seen."""
        self.n += other.n
        self.total += other.total
        self.squares += other.squares
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.sample += other.sample

    @property
    def mean(self) -> float:
        return self.total / self.n if self.n else 0.0

    @property
    def std(self) -> float:
        variance = self.squares / self.n - self.mean**2 if self.n else 0.0
        return math.sqrt(max(0.0, variance))


def sum_channel(values: Array, stride: int) -> ChannelSums:
    """Statistics of finite values (n,); every stride-th is kept for percentiles."""
    if values.size == 0:
        return ChannelSums()
    wide = values.astype(np.float64)
    return ChannelSums(
        wide.size,
        float(wide.sum()),
        float(np.square(wide).sum()),
        float(wide.min()),
        float(wide.max()),
        [wide[::stride].astype(np.float32)],
    )


@dataclass(slots=True)
class Look:
    """What one case holds. class_pixels has one count for each id 0..255, inside the field
    of view (for each region, where labels are sets of regions); n_outside counts what lies
    beyond it, n_labelled what is neither outside nor void. `channels` covers all finite pixels,
    `counted` those that are neither void nor outside, `foreground` those of them that lie in
    another class than the first; n_zero are 0 in every channel. Equal pictures have equal digests.
    sample: how the image looks, measured as of a new image.
    """

    case: Case
    header: Header | None = None
    channels: list[ChannelSums] = field(default_factory=list)
    counted: list[ChannelSums] = field(default_factory=list)
    foreground: list[ChannelSums] = field(default_factory=list)
    class_pixels: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(_N_IDS, np.int64))
    n_outside: int = 0
    n_labelled: int = 0
    n_zero: int = 0
    n_nan: int = 0
    n_infinite: int = 0
    n_nodata: int = 0
    problems: list[Problem] = field(default_factory=list)
    digest: str = ""
    sample: ImageLook | None = None

    @property
    def is_usable(self) -> bool:
        """Whether it was read and nothing about it is an error."""
        return self.header is not None and not self.has_errors

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)

    @property
    def is_constant(self) -> bool:
        return all(channel.low == channel.high for channel in self.channels)


def look_at_case(
    case: Case, meaning: LabelMeaning, stride: int = 1, max_pixels: int | None = None
) -> Look:
    """Read a case once. Problems are collected: one file's fault hides no other's."""
    look = Look(case)
    with ExitStack() as stack:
        image = labels = fov = None
        try:
            image = stack.enter_context(open_images(case.images, max_pixels=max_pixels))
        except UserError as error:
            look.problems += error.problems
        try:
            if case.label is not None and not is_polygon_label(case.label):
                labels = stack.enter_context(open_labels(case.label, max_pixels=max_pixels))
            if case.fov is not None:
                fov = stack.enter_context(open_labels(case.fov, max_pixels=max_pixels))
        except UserError as error:
            look.problems += error.problems
        if image is not None:
            look.problems += compare_sizes(case, image.header)
            look.problems += compare_places(image.header, labels, fov)
            look.problems += _compare_other_masks(case, image.header, meaning)
            try:
                _read_pixels(look, image, stride, (labels, fov), meaning)
                look.sample = look_at(image)
                look.header = image.header
            except UserError as error:
                look.problems += error.problems
            look.problems += image.header.notes
            look.problems += _report_numbers(look)
    return look


def _compare_other_masks(case: Case, header: Header, meaning: LabelMeaning) -> list[Problem]:
    """What is wrong with the grids of the further masks where each region has one."""
    problems: list[Problem] = []
    files = region_files(case.label, meaning.folders) if case.label is not None else ()
    for path in files[1:]:
        other = replace(case, label=path, fov=None)
        try:
            with open_labels(path) as labels:
                problems += compare_sizes(other, header)
                problems += compare_places(header, labels, None)
        except UserError as error:
            problems += error.problems
    return problems


def look_at_image(path: Path, max_pixels: int | None = None) -> list[Problem]:
    """What is wrong with an image that has no mask; it is decoded once."""
    try:
        with open_image(path, max_pixels=max_pixels) as source:
            for region in bands(source.header):
                source.read(region)
            return list(source.header.notes)
    except UserError as error:
        return list(error.problems)


def _read_pixels(
    look: Look,
    image: Source,
    stride: int,
    masks: tuple[Source | None, Source | None],
    meaning: LabelMeaning,
) -> None:
    """Go through image and masks in bands; masks of another size are left alone."""
    label_source, fov_source = masks
    can_label = not look.has_errors and look.case.label is not None
    look.channels = [ChannelSums() for _ in range(image.header.n_channels)]
    look.counted = [ChannelSums() for _ in range(image.header.n_channels)]
    look.foreground = [ChannelSums() for _ in range(image.header.n_channels)]
    digest = hashlib.blake2b(repr(image.header.shape).encode(), digest_size=16)
    for region in bands(image.header):
        pixels = image.read(region)
        digest.update(np.ascontiguousarray(pixels).data)
        valid = np.ones(pixels.shape[1:], bool)
        if can_label:
            if fov_source is not None:
                valid = (fov_source.read(region) != 0).any(axis=0)
            labels = _read_region(look.case, label_source, meaning, region)
            look.class_pixels += np.bincount(labels[valid], minlength=_N_IDS)
            look.n_outside += int((~valid).sum())
            valid &= labels != IGNORE
            nodata = image.header.geometry.get(NODATA)
            if nodata is not None:
                look.n_nodata += int(((pixels == nodata).all(axis=0) & valid).sum())
            for channel, sums in zip(pixels, look.foreground, strict=True):
                values = channel[valid & (labels > 0)]
                sums.merge(sum_channel(values[np.isfinite(values)], stride))
        look.n_zero += int((pixels == 0).all(axis=0).sum())
        _add_pixels(look, pixels, valid, stride)
    look.n_labelled = int(look.class_pixels[:IGNORE].sum())
    if meaning.holds_regions:
        n_regions = meaning.n_regions
        look.class_pixels[:n_regions] = count_regions(look.class_pixels, n_regions)
        look.class_pixels[n_regions:IGNORE] = 0
    look.digest = digest.hexdigest()


def _read_region(
    case: Case, source: Source | None, meaning: LabelMeaning, region: Region
) -> npt.NDArray[np.uint8]:
    if source is None:
        return read_polygon_labels(case.label or case.image, meaning, region)
    if meaning.folders:
        return read_labels(case.label or case.image, meaning, region)
    try:
        return labels_from(source, meaning, region)
    except UserError:
        # Once more as a whole, so that the message counts all pixels and not those of a band.
        return read_labels(case.label or case.image, meaning)[region]


def _add_pixels(look: Look, pixels: Array, valid: npt.NDArray[np.bool_], stride: int) -> None:
    if pixels.dtype.kind == "f":
        look.n_nan += int(np.isnan(pixels).sum())
        look.n_infinite += int(np.isinf(pixels).sum())
    for channel, everything, counted in zip(pixels, look.channels, look.counted, strict=True):
        finite = np.isfinite(channel) if channel.dtype.kind == "f" else np.ones_like(valid)
        found = sum_channel(channel[finite], stride)
        everything.merge(found)
        is_all = bool(valid[finite].all())
        counted.merge(found if is_all else sum_channel(channel[finite & valid], stride))


def _report_numbers(look: Look) -> list[Problem]:
    problems = []
    if look.n_nodata:
        problems.append(
            Problem(
                f"{look.n_nodata} labelled pixels have the nodata value of the file",
                "void where nothing was measured",
                "Mark them as void in the mask, or they are learned as if they were measured.",
                shown(look.case.image),
                "warning",
                "nodata",
            )
        )
    if not look.n_nan + look.n_infinite:
        return problems
    return [
        *problems,
        Problem(
            f"it holds {look.n_nan} NaN and {look.n_infinite} infinite values",
            "finite numbers: a single NaN makes every weight of the network NaN",
            "Replace them (by 0 or by a neighbouring value), or remove the image.",
            shown(look.case.image),
            code="image-nan",
        ),
    ]
