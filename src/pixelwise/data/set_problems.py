"""What is odd about a set as a whole, and how many problems of one sort become one line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import IGNORE, DataSet
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, ShapeMismatch
from pixelwise.data.case_look import Look
from pixelwise.data.channels import mismatch_sentence
from pixelwise.data.label_values import count_text
from pixelwise.data.listing import name_some

_N_NAMED = 5
_N_ERRORS = 20
_N_ALIKE = 3
"""Notes of one sort beyond this many files become one line."""


def condense(problems: Sequence[Problem]) -> list[Problem]:
    """Equal problems once; notes and warnings of one sort as one line, errors up to twenty.

    Further errors of a sort are summed up by the names of their files.
    """
    distinct = list(dict.fromkeys(problems))
    by_sort: dict[tuple[str, str], list[Problem]] = {}
    for problem in distinct:
        by_sort.setdefault((problem.code, problem.severity), []).append(problem)
    kept = []
    for alike in by_sort.values():
        first = alike[0]
        if first.severity == "error":
            kept += alike[:_N_ERRORS]
            kept += _sum_up(alike[_N_ERRORS:])
        elif len(alike) <= _N_ALIKE or not first.code:
            kept += alike
        else:
            more = f"{first.what} (and so for {len(alike) - 1} more files)"
            kept.append(replace(first, what=more))
    return kept


def _sum_up(alike: Sequence[Problem]) -> list[Problem]:
    if not alike:
        return []
    names = name_some([Path(problem.path).name for problem in alike])
    first = alike[0]
    return [
        replace(
            first,
            what=f"{count_text(len(alike), 'more file')} with a fault of the same sort: {names}",
            path=str(Path(first.path).parent),
        )
    ]


def sum_pixels(looks: Sequence[Look]) -> npt.NDArray[np.int64]:
    """Pixels of each id 0..255 over several cases."""
    total = np.zeros(IGNORE + 1, np.int64)
    for look in looks:
        total += look.class_pixels
    return total


def describe_set(looks: Sequence[Look], dataset: DataSet, n_channels: int) -> list[Problem]:
    """What is odd about a set as a whole: mixed channels, sizes and types, empty masks."""
    return [
        *_channel_problems(looks, dataset, n_channels),
        *_mixed_problems(looks, dataset),
        *_empty_masks(looks, dataset),
        *repeated_pictures(looks),
        *_name_cases(
            [look for look in looks if look.is_constant],
            "is the same number everywhere",
            "are the same number everywhere",
            "constant-image",
            dataset,
        ),
    ]


def _channel_problems(looks: Sequence[Look], dataset: DataSet, n_channels: int) -> list[Problem]:
    names = dataset.channel_names if len(dataset.channel_names) == n_channels else ()
    found: dict[str, list[Look]] = {}
    problems: list[Problem] = _named_otherwise(dataset, n_channels)
    for look in looks:
        if look.header is None:
            continue
        try:
            sentence = mismatch_sentence(look.header, n_channels, names)
        except ShapeMismatch as error:
            problems += error.problems
            continue
        if sentence:
            found.setdefault(sentence, []).append(look)
    for sentence, alike in found.items():
        problems.append(
            Problem(
                f"most images have {count_text(n_channels, 'channel')}, "
                f"{count_text(len(alike), 'image')} not ({_ids(alike)}): there, {sentence}",
                severity="note",
                code="mixed-channels",
            )
        )
    return problems


def _named_otherwise(dataset: DataSet, n_channels: int) -> list[Problem]:
    """Channel names that are not as many as the channels."""
    names = dataset.channel_names
    if not names or len(names) == n_channels:
        return []
    if len(names) == 1 and n_channels == 3:
        return []  # one name for a colour picture, as in "RGB"
    return [
        Problem(
            f"{count_text(len(names), 'channel')} are named ({name_some(list(names))}), the images "
            f"have {n_channels}",
            "a name for each channel",
            "Correct channel_names in dataset.json; until then the names are not used.",
            shown(dataset.root),
            "warning",
            "channel-names",
        )
    ]


def _mixed_problems(looks: Sequence[Look], dataset: DataSet) -> list[Problem]:
    problems = []
    headers = [look.header for look in looks if look.header is not None]
    n_dims = sorted({len(header.shape) for header in headers})
    if len(n_dims) > 1:
        problems.append(
            Problem(
                "the set mixes pictures and volumes",
                "all 2D or all 3D",
                "Separate them.",
                shown(dataset.root),
                code="mixed-dimensions",
            )
        )
    dtypes = sorted({str(header.dtype) for header in headers})
    if len(dtypes) > 1:
        problems.append(
            Problem(
                f"images are stored as {' and '.join(dtypes)}; their numbers are used as they "
                "are, so the same brightness may be different numbers",
                "one type for all images",
                "Convert them to one type if they come from the same instrument.",
                shown(dataset.root),
                "warning",
                "mixed-types",
            )
        )
    shapes = sorted({header.shape for header in headers})
    if len(shapes) > 1 and len(n_dims) == 1:
        small, large = min(shapes, key=math.prod), max(shapes, key=math.prod)
        axes = "x, y, z" if n_dims == [3] else "width x height"
        problems.append(
            Problem(
                f"image sizes vary from {_size(small)} to {_size(large)} ({axes}): "
                "training takes patches, and smaller images are mirrored at their border",
                severity="note",
                code="mixed-sizes",
            )
        )
    return problems


def _empty_masks(looks: Sequence[Look], dataset: DataSet) -> list[Problem]:
    labelled = [look for look in looks if look.case.label is not None]
    first = 0 if dataset.meaning.holds_regions else 1
    void = [look for look in labelled if not look.n_labelled]
    empty = [
        look for look in labelled if look not in void and not look.class_pixels[first:IGNORE].any()
    ]
    background = "background" if first == 0 else dataset.classes[0].name
    problems = _name_cases(
        void,
        "has no labelled pixel (void everywhere) and adds nothing",
        "have no labelled pixel (void everywhere) and add nothing",
        "all-void",
        dataset,
    )
    problems += _name_cases(
        empty,
        f"holds nothing but {background}",
        f"hold nothing but {background}",
        "empty-mask",
        dataset,
    )
    return problems


def repeated_pictures(looks: Sequence[Look]) -> list[Problem]:
    """A warning for each picture that is in two splits: what is trained on cannot test."""
    by_digest: dict[str, list[Look]] = {}
    for look in looks:
        by_digest.setdefault(look.digest, []).append(look)
    problems = []
    for alike in by_digest.values():
        splits = {str(look.case.split) for look in alike}
        if len(splits) > 1:
            named = ", ".join(f"{look.case.id} ({look.case.split})" for look in alike[:_N_NAMED])
            problems.append(
                Problem(
                    f"the same picture, pixel by pixel, is in several splits: {named}",
                    "each picture in one split",
                    "Remove the copies, or keep them together with --group: scores on pictures "
                    "that were trained on say nothing.",
                    shown(alike[0].case.image),
                    "warning",
                    "same-picture",
                )
            )
    return problems


def absent_classes(looks: Sequence[Look], dataset: DataSet) -> list[Problem]:
    """A warning for each class that is labelled nowhere; see also `class_symptoms`."""
    labelled = [look for look in looks if look.case.label is not None]
    problems = []
    anywhere = sum_pixels(labelled)
    for c in dataset.classes:
        if anywhere[c.id] == 0:
            problems.append(
                Problem(
                    f"class {c.id} ({c.name}) occurs in no image; it cannot be learned, and its "
                    "scores will be undefined or 0",
                    "every class in the training split",
                    "Add examples, change the splits, or remove the class.",
                    shown(dataset.root),
                    "warning",
                    "absent-class",
                )
            )
    return problems


def _name_cases(
    looks: Sequence[Look], one: str, many: str, code: str, dataset: DataSet
) -> list[Problem]:
    if not looks:
        return []
    what = f"1 case {one}" if len(looks) == 1 else f"{len(looks)} cases {many}"
    return [Problem(f"{what}: {_ids(looks)}", path=shown(dataset.root), severity="note", code=code)]


def _ids(looks: Sequence[Look]) -> str:
    more = len(looks) - _N_NAMED
    text = ", ".join(look.case.id for look in looks[:_N_NAMED])
    return text + (f" and {more} more" if more > 0 else "")


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(length) for length in reversed(shape))
