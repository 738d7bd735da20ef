"""How mask values that cannot be classes are refused: histogram, cause, and the way out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem
from pixelwise.data.label_map import format_label_map
from pixelwise.data.label_values import (
    MaskValues,
    count_text,
    explain_values,
    histogram_text,
    is_smeared,
    smeared_problem,
)

VOID = 255
"""What most tools write where a mask says nothing."""

MAX_FOUND_CLASSES = 64
"""More values or colours than this are not taken for classes without dataset.json."""


def refuse_mask(mask: MaskValues) -> Problem:
    """The problem of a mask that is smeared or counts objects."""
    return smeared_problem(mask, {}) if is_smeared(mask) else explain_values(mask, {})


def too_many_values(path: Path, found: Counter[str], is_counted: bool) -> Problem:
    """The problem of masks with more numbers than classes could be."""
    cause = (
        "each file counts 1, 2, 3 … to another end, which looks like an instance map"
        if (is_counted)
        else f"that is more than {MAX_FOUND_CLASSES} or no count from 0"
    )
    return Problem(
        f"the masks hold {len(found)} different values ({histogram_text(found)}); {cause}",
        "class ids: the same few numbers in every mask",
        "If the numbers count objects, say so with --map 'objects=cell' (or what they are); if "
        "they are classes, name them in dataset.json.",
        shown(path.parent),
        code="mask-instances",
    )


def ambiguous(path: Path, ids: list[int], found: Counter[str]) -> Problem:
    """The problem of a 255 that may be a class or void, with both ways to say it."""
    as_classes = {str(n): "background" if n == 0 else f"class{n}" for n in ids}
    as_void = as_classes | {str(VOID): "ignore"}
    return Problem(
        f"the masks hold the values {histogram_text(found)}: 255 may be a class or void",
        "a meaning for 255",
        f"Say --map '{format_label_map(as_classes)}' if it is a class, or "
        f"--map '{format_label_map(as_void)}' if it is void.",
        shown(path.parent),
        code="mask-ambiguous",
    )


def one_value(masks: Sequence[MaskValues], value: str) -> Problem:
    """The warning for masks in which nothing differs."""
    return Problem(
        f"every pixel of {count_text(len(masks), 'mask')} has the value {value}: there is nothing "
        "to tell apart, and a model trained on this will give one answer everywhere",
        "at least two classes",
        "Check that these are the right masks; if they are, name all classes in dataset.json.",
        shown(masks[0].path.parent),
        "warning",
        "one-class",
    )


def too_many_colours(mask: MaskValues, found: Counter[str]) -> Problem:
    """The problem of a colour mask with more colours than classes could be."""
    return Problem(
        f"it is a colour mask with {len(mask.counts)} different colours "
        f"({histogram_text(mask.counts)}): a photograph, or a mask saved as JPEG or smoothed",
        f"one colour per class, at most {MAX_FOUND_CLASSES}",
        "Export the masks as PNG without smoothing, or name the colours of the classes in "
        "dataset.json.",
        shown(mask.path),
        code="mask-smeared",
    )
