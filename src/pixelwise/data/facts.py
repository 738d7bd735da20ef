"""What is in a data set: sizes, intensities, class shares, and everything that is wrong with it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import IGNORE, Case, DataSet
from pixelwise.core.errors import Problem, UserError
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.records import CaseFacts, ChannelFacts, ClassFacts, Facts
from pixelwise.data.case_look import ChannelSums, Look, look_at_case
from pixelwise.data.channels import is_colour_names
from pixelwise.data.mask_scan import N_THREADS
from pixelwise.data.set_geometry import geometry_problems, median_spacing, spacing_in_unit
from pixelwise.data.set_problems import absent_classes, condense, describe_set, sum_pixels
from pixelwise.readers.stacked import open_images

_N_SAMPLED = 2_000_000
"""Pixels of the training split that percentiles are taken from, spread evenly."""

_LOW_PERCENT, _HIGH_PERCENT = 0.5, 99.5


def gather_facts(
    dataset: DataSet, listener: Listener = SILENT, *, max_pixels: int | None = None
) -> tuple[Facts | None, list[Problem]]:
    """Read every image and mask of a set once, in bands, on both cores.

    Class shares and intensities are those of the training split; void pixels, pixels
    outside the field of view and NaN do not count. Cases with errors are left out of the
    facts and reported, all of them. Facts are None if no case is left.
    """
    cases = [case for case in dataset.cases if case.split is not None]
    stride = max(1, _count_pixels(cases) // _N_SAMPLED)
    looks: list[Look] = []
    with ThreadPoolExecutor(N_THREADS) as pool:
        running = pool.map(
            lambda case: look_at_case(case, dataset.meaning, stride, max_pixels), cases
        )
        for look in running:
            looks.append(look)
            listener.advance(len(looks), len(cases), f"read {look.case.id}")
    problems = condense([problem for look in looks for problem in look.problems])
    usable = [look for look in looks if look.is_usable]
    if not usable:
        return None, problems
    n_channels = _choose_channels(usable)
    if len(dataset.channel_names) == n_channels > 1:  # what the further axis is, is known
        problems = [problem for problem in problems if problem.code != "volumes-as-channels"]
    problems += describe_set(usable, dataset, n_channels)
    problems += geometry_problems(usable, dataset)
    if len(usable) == len(looks):
        problems += absent_classes(usable, dataset)
    return _collect(dataset, usable, n_channels), problems


def _count_pixels(cases: Sequence[Case]) -> int:
    total = 0
    for case in cases:
        if case.split == "train":
            try:
                with open_images(case.images) as source:
                    total += math.prod(source.header.shape)
            except UserError:
                continue  # reported when the case is looked at
    return total


def _collect(dataset: DataSet, looks: Sequence[Look], n_channels: int) -> Facts:
    training = [look for look in looks if look.case.split == "train"] or list(looks)
    shapes = np.asarray([look.header.shape for look in training if look.header])
    counts = Counter(str(look.case.split) for look in looks)
    channels = tuple(_channel_facts(training, index, n_channels) for index in range(n_channels))
    dtypes = {str(look.header.dtype) for look in looks if look.header}
    return Facts(
        n_dims=shapes.shape[1],
        n_cases={split: counts[split] for split in ("train", "val", "test")},
        cases=tuple(_case_facts(look, dataset) for look in looks),
        classes=_class_facts(dataset, training),
        channels=channels,
        median_shape=tuple(int(length) for length in np.median(shapes, axis=0)),
        spacing=median_spacing(training, dataset),
        unit=dataset.unit,
        channel_names=dataset.channel_names if len(dataset.channel_names) == n_channels else (),
        is_colour=n_channels == 3
        and dtypes == {"uint8"}
        and is_colour_names(dataset.channel_names),
        has_fov=any(look.case.fov is not None for look in looks),
    )


def _case_facts(look: Look, dataset: DataSet) -> CaseFacts:
    if look.header is None:
        raise ValueError("a case without header has no facts")
    placement = look.header.placement
    return CaseFacts(
        id=look.case.id,
        split=str(look.case.split),
        shape=look.header.shape,
        n_channels=look.header.n_channels,
        dtype=str(look.header.dtype),
        class_pixels=tuple(int(n) for n in look.class_pixels[: len(dataset.classes)]),
        n_ignored=int(look.class_pixels[IGNORE]) + look.n_outside,
        n_labelled=look.n_labelled,
        means=tuple(channel.mean for channel in look.channels),
        stds=tuple(channel.std for channel in look.channels),
        spacing=spacing_in_unit(look.header, dataset.unit) or (),
        orientation=placement.code if placement is not None else "",
        look=look.sample,
        zero_share=look.n_zero / max(math.prod(look.header.shape), 1),
    )


def _class_facts(dataset: DataSet, looks: Sequence[Look]) -> tuple[ClassFacts, ...]:
    pixels = sum_pixels(looks)[:IGNORE]
    total = sum(look.n_labelled for look in looks)
    sizes = _class_sizes(dataset, looks)
    return tuple(
        ClassFacts(
            id=c.id,
            name=c.name,
            n_pixels=int(pixels[c.id]),
            share=float(pixels[c.id] / total) if total else 0.0,
            n_cases=sum(int(look.class_pixels[c.id] > 0) for look in looks),
            size=None if sizes is None else float(sizes[c.id]),
        )
        for c in dataset.classes
    )


def _class_sizes(dataset: DataSet, looks: Sequence[Look]) -> npt.NDArray[np.float64] | None:
    """Area or volume of each id in the unit of the set; None if a case has no spacing."""
    total = np.zeros(IGNORE + 1)
    for look in looks:
        own = spacing_in_unit(look.header, dataset.unit) if look.header is not None else None
        spacing = own or dataset.spacing
        if spacing is None or dataset.unit == "px":
            return None
        total += look.class_pixels * math.prod(spacing)
    return total


def _channel_facts(looks: Sequence[Look], index: int, n_channels: int) -> ChannelFacts:
    """Pooled over cases. Grey in a colour set counts for every channel, as match_channels
    repeats it; colour in a grey set is left out of the pool."""
    pooled = _pool([look.counted for look in looks], index, n_channels)
    inside = _pool([look.foreground for look in looks], index, n_channels)
    if not pooled.n:
        return ChannelFacts(
            minimum=0.0, maximum=0.0, mean=0.0, std=0.0, percentile_005=0.0, percentile_995=0.0
        )
    low, high = np.percentile(np.concatenate(pooled.sample), [_LOW_PERCENT, _HIGH_PERCENT])
    return ChannelFacts(
        minimum=pooled.low,
        maximum=pooled.high,
        mean=pooled.mean,
        std=pooled.std,
        percentile_005=float(low),
        percentile_995=float(high),
        foreground=_foreground(inside),
    )


def _pool(cases: Sequence[list[ChannelSums]], index: int, n_channels: int) -> ChannelSums:
    pooled = ChannelSums()
    for sums in cases:
        if len(sums) == n_channels:
            pooled.merge(sums[index])
        elif len(sums) == 1:
            pooled.merge(sums[0])
    return pooled


def _foreground(sums: ChannelSums) -> tuple[float, ...]:
    sample = np.concatenate(sums.sample) if sums.sample else np.zeros(0)
    if not len(sample):
        return ()
    low, high = np.percentile(sample, [_LOW_PERCENT, _HIGH_PERCENT])
    return sums.mean, sums.std, float(low), float(high)


def _choose_channels(looks: Sequence[Look]) -> int:
    """The commonest channel count of the set, the larger one if two are equally common."""
    counts = Counter(look.header.n_channels for look in looks if look.header)
    return max(counts, key=lambda n: (counts[n], n))
