"""Stored mask values: counting them, naming them, and saying what is odd about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelwise.core.case import IGNORE
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem
from pixelwise.core.image import Array

Counts = Mapping[str, int]
"""Stored value as text ("0", "255", "nan", "0.5", "#rrggbb") -> number of pixels."""

_N_SHOWN = 8
_DENSE = 1 << 16
_MANY_VALUES = 4
_BYTE = 255
_MANY_IDS = 64
_RARE_SHARE = 0.005
_MOST, _SOME = 0.7, 0.05


@dataclass(frozen=True, slots=True)
class MaskValues:
    """What one mask file holds: "values" or "colours", how often each, and of which type."""

    path: Path
    kind: str
    counts: Counts
    format_name: str = ""
    dtype: str = "uint8"
    palette: tuple[tuple[int, int, int], ...] | None = None
    warnings: tuple[Problem, ...] = ()


def pack_colours(pixels: Array) -> Array:
    """8-bit colours (3, ...) as one number 0xrrggbb each (...)."""
    red, green, blue = (channel.astype(np.uint32) for channel in pixels[:3])
    packed: Array = (red << 16) | (green << 8) | blue
    return packed


def colour_text(packed: int) -> str:
    """0xff0000 -> "#ff0000"."""
    return f"#{packed:06x}"


def has_equal_channels(pixels: Array) -> bool:
    """Whether a mask (c, ...) holds the same numbers in every channel."""
    return all(np.array_equal(pixels[0], channel) for channel in pixels[1:])


def count_values(pixels: Array) -> tuple[str, dict[str, int]]:
    """Kind and counts of a mask (c, ...): one channel, equal channels, or colours."""
    if pixels.shape[0] == 3 and pixels.dtype == np.uint8 and not has_equal_channels(pixels):
        values, counts = np.unique(pack_colours(pixels), return_counts=True)
        texts = [colour_text(int(value)) for value in values]
        return "colours", dict(zip(texts, counts.tolist(), strict=True))
    return "values", count_numbers(pixels[0])


def count_numbers(values: Array) -> dict[str, int]:
    """Number of pixels of each stored number; NaN is counted under "nan"."""
    if values.dtype.kind == "u" and values.dtype.itemsize <= 2:
        counts = np.bincount(values.ravel())
        return {str(value): int(counts[value]) for value in np.flatnonzero(counts)}
    found = {}
    if values.dtype.kind == "f":
        n_missing = int(np.isnan(values).sum())
        values = values[~np.isnan(values)]
        found = {"nan": n_missing} if n_missing else {}
    numbers, counts = np.unique(values, return_counts=True)
    if len(numbers) > _DENSE:  # an image, not a mask: the message needs no more than this
        numbers, counts = numbers[:_DENSE], counts[:_DENSE]
    return {number_text(n): int(c) for n, c in zip(numbers, counts, strict=True)} | found


def number_text(number: float) -> str:
    """A stored number as the key that it has in a mapping: whole numbers without a point."""
    return str(int(number)) if np.isfinite(number) and float(number).is_integer() else str(number)


def histogram_text(counts: Counts) -> str:
    """The most frequent values with their share, in words."""
    total = sum(counts.values()) or 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{value} ({100 * n / total:.3g} %)" for value, n in ranked[:_N_SHOWN]]
    rest = len(ranked) - _N_SHOWN
    return ", ".join(parts) + (f" and {rest} other values" if rest > 0 else "")


def count_text(n: int, noun: str) -> str:
    """ "1 mask", "3 masks"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def whole_numbers(counts: Counts) -> list[int] | None:
    """The values as sorted whole numbers (NaN left out), None if one of them is none."""
    numbers = []
    for text in counts:
        if text == "nan":
            continue
        if not text.lstrip("-").isdecimal():
            return None
        numbers.append(int(text))
    return sorted(numbers)


def is_smeared(mask: MaskValues) -> bool:
    """Whether two levels were spread out: a lossy codec, or smoothing along the edges.

    Such a mask has many values, most of them rare, where ids would be few or in a row.
    """
    numbers = whole_numbers(mask.counts)
    if numbers is None or mask.kind == "colours":
        return mask.kind == "values" or (mask.format_name == "JPEG" and len(mask.counts) > 2)
    if mask.format_name == "JPEG":
        return len(numbers) > 2
    if len(numbers) < _MANY_VALUES or _run_from_low(numbers):
        return False
    total = sum(mask.counts.values())
    n_rare = sum(n < _RARE_SHARE * total for n in mask.counts.values())
    low, high = mask.counts[str(numbers[0])], mask.counts[str(numbers[-1])]
    is_two_sided = low + high > _MOST * total and min(low, high) > _SOME * total
    is_mostly_rare = n_rare > len(numbers) / 2
    if len(numbers) < 2 * _MANY_VALUES or numbers[-1] > _BYTE:
        return is_two_sided and is_mostly_rare
    return is_two_sided or is_mostly_rare


def _run_from_low(numbers: list[int]) -> bool:
    """Whether numbers are few and close together, as ids are; a last 255 may be void."""
    ids = numbers[:-1] if numbers[-1] == _BYTE else numbers
    return ids[-1] - ids[0] < 2 * len(ids) and ids[-1] < 2 * _MANY_IDS


def is_instance_like(mask: MaskValues) -> bool:
    """Whether a mask looks like object numbers: more than 64, or beyond 255."""
    numbers = whole_numbers(mask.counts)
    if not numbers or mask.kind != "values" or is_smeared(mask):
        return False
    is_wide = np.dtype(mask.dtype).itemsize > 1 and numbers[-1] > 255 and len(numbers) > 2
    return is_wide or (len(numbers) > _MANY_IDS and numbers[-1] < 2 * len(numbers))


def explain_values(mask: MaskValues, allowed: Mapping[str, int]) -> Problem:
    """Why a mask does not fit: smeared, instance numbers, unknown ids or colours.

    allowed: stored value -> class id, as LabelMeaning.to_class.
    """
    where = shown(mask.path)
    unknown = {value: n for value, n in mask.counts.items() if value not in allowed}
    expected = f"only {', '.join(list(allowed)[:20])}" if allowed else "the same few in every mask"
    if is_smeared(mask):
        return smeared_problem(mask, allowed)
    if is_instance_like(mask):
        highest = max(whole_numbers(mask.counts) or [0])
        return Problem(
            f"it holds {len(mask.counts)} different numbers up to {highest} "
            "and looks like an instance map (one number per object)",
            f"class ids: {expected}",
            "Give class masks; for the foreground alone, --map '>=1=object' takes every object as "
            "one class.",
            where,
            code="mask-instances",
        )
    n_pixels = sum(unknown.values())
    noun = "colours" if mask.kind == "colours" else "values"
    return Problem(
        f"{n_pixels} pixel{'s have' if n_pixels != 1 else ' has'} {noun} that no class has: "
        + ", ".join(f"{value} ({n} px)" for value, n in _ranked(unknown)[:_N_SHOWN])
        + (f" and {len(unknown) - _N_SHOWN} more" if len(unknown) > _N_SHOWN else ""),
        expected,
        "Correct the mask, add the class to dataset.json, or say what the values mean with "
        f"--map, for example --map '{_example_map(allowed, unknown)}'.",
        where,
        code="mask-unknown-label",
    )


def smeared_problem(mask: MaskValues, allowed: Mapping[str, int]) -> Problem:
    """The problem of a mask whose levels were spread by a lossy codec or by resizing.

    allowed: what the values of the other masks mean; empty if nothing is known, and only
    then a cut for the whole set is proposed.
    """
    cause = (
        "a JPEG mask: lossy compression changes the numbers"
        if mask.format_name == "JPEG"
        else "it was probably resized or drawn with smooth (anti-aliased) edges, or was once a JPEG"
    )
    remedy = "Export the mask again as PNG without smoothing"
    remedy += (
        f", with the values {', '.join(list(allowed)[:20])}."
        if allowed
        else (
            "; or accept the nearest of two classes with "
            f"--map '>={_middle(mask.counts)}=foreground'."
        )
    )
    return Problem(
        f"it holds {len(mask.counts)} different values ({histogram_text(mask.counts)}); {cause}",
        "one value per class",
        remedy,
        shown(mask.path),
        code="mask-smeared",
    )


def _middle(counts: Counts) -> str:
    numbers = [float(text) for text in counts if not text.startswith("#") and text != "nan"]
    if not numbers:
        return "128"
    middle = (min(numbers) + max(numbers)) / 2
    return f"{np.ceil(middle):.0f}" if max(numbers) > 2 else f"{middle:g}"


def _ranked(counts: Counts) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _example_map(allowed: Mapping[str, int], unknown: Counts) -> str:
    names = {value: _example_name(class_id) for value, class_id in list(allowed.items())[:4]}
    names |= {value: "ignore" for value, _ in _ranked(unknown)[:1]}
    return ",".join(f"{value}={name}" for value, name in names.items())


def _example_name(class_id: int) -> str:
    return {0: "background", IGNORE: "ignore"}.get(class_id, f"class{class_id}")
