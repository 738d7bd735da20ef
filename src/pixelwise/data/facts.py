"""What is in a data set: sizes, intensities, class shares, and everything that is wrong with it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from pixelwise.core.case import IGNORE, Case, DataSet
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, ShapeMismatch, UserError
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.records import CaseFacts, ChannelFacts, ClassFacts, Facts
from pixelwise.data.case_look import ChannelSums, Look, look_at_case
from pixelwise.data.channels import mismatch_sentence
from pixelwise.data.label_values import count_text
from pixelwise.data.mask_scan import N_THREADS
from pixelwise.readers import open_image

_N_SAMPLED = 2_000_000
"""Pixels of the training split that percentiles are taken from, spread evenly."""

_LOW_PERCENT, _HIGH_PERCENT = 0.5, 99.5
_N_NAMED = 5
_N_ALIKE = 3
"""Notes of one sort beyond this many files become one line."""


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
    problems += _describe_set(usable, dataset, n_channels)
    if len(usable) == len(looks):
        problems += _absent_classes(usable, dataset)
    return _collect(dataset, usable, n_channels), problems


def condense(problems: Sequence[Problem]) -> list[Problem]:
    """Notes and warnings of one sort become one line; errors are never left out."""
    counts = Counter((p.code, p.severity) for p in problems)
    kept, seen = [], set()
    for problem in dict.fromkeys(problems):
        key = (problem.code, problem.severity)
        if problem.severity == "error" or counts[key] <= _N_ALIKE or not problem.code:
            kept.append(problem)
        elif key not in seen:
            seen.add(key)
            more = f"{problem.what} (and so for {counts[key] - 1} more files)"
            kept.append(replace(problem, what=more))
    return kept


def _count_pixels(cases: Sequence[Case]) -> int:
    total = 0
    for case in cases:
        if case.split == "train":
            try:
                with open_image(case.image) as source:
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
        cases=tuple(_case_facts(look, len(dataset.classes)) for look in looks),
        classes=_class_facts(dataset, training),
        channels=channels,
        median_shape=tuple(int(length) for length in np.median(shapes, axis=0)),
        spacing=dataset.spacing,
        is_colour=n_channels == 3 and dtypes == {"uint8"},
        has_fov=any(look.case.fov is not None for look in looks),
    )


def _case_facts(look: Look, n_classes: int) -> CaseFacts:
    if look.header is None:
        raise ValueError("a case without header has no facts")
    return CaseFacts(
        id=look.case.id,
        split=str(look.case.split),
        shape=look.header.shape,
        n_channels=look.header.n_channels,
        dtype=str(look.header.dtype),
        class_pixels=tuple(int(n) for n in look.class_pixels[:n_classes]),
        n_ignored=int(look.class_pixels[IGNORE]) + look.n_outside,
        means=tuple(channel.mean for channel in look.channels),
        stds=tuple(channel.std for channel in look.channels),
    )


def _class_facts(dataset: DataSet, looks: Sequence[Look]) -> tuple[ClassFacts, ...]:
    pixels = sum(look.class_pixels for look in looks)[:IGNORE]
    total = int(pixels.sum())
    return tuple(
        ClassFacts(
            id=c.id,
            name=c.name,
            n_pixels=int(pixels[c.id]),
            share=float(pixels[c.id] / total) if total else 0.0,
            n_cases=sum(int(look.class_pixels[c.id] > 0) for look in looks),
        )
        for c in dataset.classes
    )


def _channel_facts(looks: Sequence[Look], index: int, n_channels: int) -> ChannelFacts:
    """Pooled over cases. Grey in a colour set counts for every channel, as match_channels
    repeats it; colour in a grey set is left out of the pool."""
    pooled = ChannelSums()
    for look in looks:
        if len(look.counted) == n_channels:
            pooled.merge(look.counted[index])
        elif len(look.counted) == 1:
            pooled.merge(look.counted[0])
    if not pooled.n:
        return ChannelFacts(
            minimum=0.0, maximum=0.0, mean=0.0, std=0.0, percentile_005=0.0, percentile_995=0.0
        )
    low, high = np.percentile(np.concatenate(pooled.sample), [_LOW_PERCENT, _HIGH_PERCENT])
    return ChannelFacts(
        minimum=pooled.low, maximum=pooled.high, mean=pooled.mean, std=pooled.std,
        percentile_005=float(low), percentile_995=float(high),
    )


def _choose_channels(looks: Sequence[Look]) -> int:
    """The commonest channel count of the training split, the larger one if two are equal."""
    training = [look for look in looks if look.case.split == "train"] or list(looks)
    counts = Counter(look.header.n_channels for look in training if look.header)
    return max(counts, key=lambda n: (counts[n], n))


def _describe_set(looks: Sequence[Look], dataset: DataSet, n_channels: int) -> list[Problem]:
    return [
        *_channel_problems(looks, n_channels),
        *_mixed_problems(looks, dataset),
        *_empty_masks(looks, dataset),
        *_name_cases(
            [look for look in looks if look.is_constant],
            "is the same number everywhere", "are the same number everywhere",
            "constant-image", dataset,
        ),
    ]


def _channel_problems(looks: Sequence[Look], n_channels: int) -> list[Problem]:
    found: dict[str, list[Look]] = {}
    problems: list[Problem] = []
    for look in looks:
        if look.header is None:
            continue
        try:
            sentence = mismatch_sentence(look.header, n_channels)
        except ShapeMismatch as error:
            problems += error.problems
            continue
        if sentence:
            found.setdefault(sentence, []).append(look)
    for sentence, alike in found.items():
        problems.append(Problem(
            f"most images have {count_text(n_channels, 'channel')}, "
            f"{count_text(len(alike), 'image')} not ({_ids(alike)}): there, {sentence}",
            severity="note", code="mixed-channels",
        ))
    return problems


def _mixed_problems(looks: Sequence[Look], dataset: DataSet) -> list[Problem]:
    problems = []
    headers = [look.header for look in looks if look.header is not None]
    n_dims = sorted({len(header.shape) for header in headers})
    if len(n_dims) > 1:
        problems.append(Problem(
            "the set mixes pictures and volumes", "all 2D or all 3D", "Separate them.",
            shown(dataset.root), code="mixed-dimensions",
        ))
    dtypes = sorted({str(header.dtype) for header in headers})
    if len(dtypes) > 1:
        problems.append(Problem(
            f"images are stored as {' and '.join(dtypes)}; their numbers are used as they are, so "
            "the same brightness may be different numbers", "one type for all images",
            "Convert them to one type if they come from the same instrument.",
            shown(dataset.root), "warning", "mixed-types",
        ))
    shapes = sorted({header.shape for header in headers})
    if len(shapes) > 1 and len(n_dims) == 1:
        small, large = min(shapes, key=math.prod), max(shapes, key=math.prod)
        problems.append(Problem(
            f"image sizes vary from {_size(small)} to {_size(large)} (width x height): training "
            "takes patches, and smaller images are mirrored at their border",
            severity="note", code="mixed-sizes",
        ))
    return problems


def _empty_masks(looks: Sequence[Look], dataset: DataSet) -> list[Problem]:
    labelled = [look for look in looks if look.case.label is not None]
    void = [look for look in labelled if not look.class_pixels[:IGNORE].any()]
    empty = [
        look for look in labelled
        if look not in void and not look.class_pixels[1:IGNORE].any()
    ]
    background = dataset.classes[0].name
    problems = _name_cases(
        void, "has no labelled pixel (void everywhere) and adds nothing",
        "have no labelled pixel (void everywhere) and add nothing", "all-void", dataset,
    )
    problems += _name_cases(
        empty, f"holds nothing but {background}", f"hold nothing but {background}", "empty-mask",
        dataset,
    )
    return problems


def _absent_classes(looks: Sequence[Look], dataset: DataSet) -> list[Problem]:
    labelled = [look for look in looks if look.case.label is not None]
    problems = []
    training = [look for look in labelled if look.case.split == "train"]
    present = sum((look.class_pixels for look in training), np.zeros(IGNORE + 1, np.int64))
    anywhere = sum((look.class_pixels for look in labelled), np.zeros(IGNORE + 1, np.int64))
    for c in dataset.classes:
        if present[c.id] == 0:
            where = "training image" if anywhere[c.id] else "image"
            problems.append(Problem(
                f"class {c.id} ({c.name}) occurs in no {where}; it cannot be learned, and its "
                "scores will be undefined or 0", "every class in the training split",
                "Add examples, change the splits, or remove the class.", shown(dataset.root),
                "warning", "absent-class",
            ))
    return problems


def _name_cases(
    looks: Sequence[Look], one: str, many: str, code: str, dataset: DataSet
) -> list[Problem]:
    if not looks:
        return []
    what = f"1 case {one}" if len(looks) == 1 else f"{len(looks)} cases {many}"
    return [Problem(
        f"{what}: {_ids(looks)}", path=shown(dataset.root), severity="note", code=code
    )]


def _ids(looks: Sequence[Look]) -> str:
    more = len(looks) - _N_NAMED
    text = ", ".join(look.case.id for look in looks[:_N_NAMED])
    return text + (f" and {more} more" if more > 0 else "")


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(length) for length in reversed(shape))
