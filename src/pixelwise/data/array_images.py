"""Arrays as images: their axes found or named, turned to (c, [z,] y, x), and labels turned back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixelwise.core.errors import BadData
from pixelwise.core.image import Array, Closing, Header, Region
from pixelwise.data.channels import is_colour_names

_SPATIAL = "zyx"
_RGBA = 4


class ArraySource(Closing):
    """An array (c, [z,] y, x) as an opened image; nothing is copied before it is read.

    spacing: one number per spatial axis in `unit`, None if it is not known.
    """

    def __init__(
        self,
        values: Array,
        *,
        spacing: Sequence[float] | None = None,
        unit: str = "px",
        name: str = "array",
    ) -> None:
        self._values = values
        self.header = Header(
            Path(name),
            values.shape[1:],
            len(values),
            values.dtype,
            "array",
            spacing=None if spacing is None else tuple(spacing),
            unit=unit,
        )

    def read(self, region: Region | None = None) -> Array:
        """(c, …) of a region, a copy."""
        part = self._values if region is None else self._values[(slice(None), *region)]
        return np.array(part)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which axes of an array are ([z,] y, x), and which that of the channels, if there is one."""

    channel: int | None
    spatial: tuple[int, ...]

    def turn(self, values: Array) -> Array:
        """An array as it was given -> (c, [z,] y, x), a view."""
        if self.channel is None:
            return values.transpose(self.spatial)[None]
        return values.transpose(self.channel, *self.spatial)

    def turn_back(self, values: Array) -> Array:
        """(…, [z,] y, x) -> spatial axes in the order that they were given in, a view."""
        n = values.ndim - len(self.spatial)
        return values.transpose(*range(n), *(n + int(i) for i in np.argsort(self.spatial)))

    def turn_numbers(self, numbers: Sequence[float]) -> tuple[float, ...]:
        """One number per spatial axis in the order that they were given in -> for ([z,] y, x)."""
        ranks = np.argsort(np.argsort(self.spatial))
        return tuple(numbers[int(rank)] for rank in ranks)


def layout_of(
    shape: Sequence[int], *, n_dims: int, accepted: set[int], axes: str | None = None
) -> Layout:
    """Which axes of an array are space and which is the channel.

    axes: a letter for each axis ("yxc", "czyx", "xyz"); without it an array has the axes
    ([z,] y, x), with channels as a further axis at the end. accepted: how many channels there
    may be. Raises BadData with what was expected.
    """
    if axes is not None:
        return _named_layout(shape, n_dims, axes)
    usual = _SPATIAL[-n_dims:]
    if 0 in shape:
        raise _misfit(shape, "it has no pixels", "an image", "Look at how it was made.")
    if len(shape) == n_dims and 1 in accepted:
        return Layout(None, tuple(range(n_dims)))
    if len(shape) == n_dims + 1 and shape[-1] in accepted:
        return Layout(n_dims, tuple(range(n_dims)))
    wanted = f"({', '.join(usual)})" if 1 in accepted else ""
    with_channels = f"({', '.join(usual)}, {' or '.join(map(str, sorted(accepted)))} channels)"
    expected = " or ".join(part for part in (wanted, with_channels) if part)
    raise _misfit(shape, "", expected, _hint(shape, n_dims, accepted))


def _named_layout(shape: Sequence[int], n_dims: int, axes: str) -> Layout:
    letters = axes.lower()
    space = _SPATIAL[-n_dims:]
    is_known = set(letters) in (set(space), {*space, "c"}) and len(set(letters)) == len(letters)
    if not is_known or len(letters) != len(shape):
        raise BadData(
            f"axes is {axes!r} for an array of shape {_text(shape)}",
            f"one letter for each axis: {', '.join(space)}, and c if it has channels",
            f"Give for example axes={'c' + space!r}.",
            path="array",
            code="array-axes",
        )
    if 0 in shape:
        raise _misfit(shape, "it has no pixels", "an image", "Look at how it was made.")
    channel = letters.index("c") if "c" in letters else None
    return Layout(channel, tuple(letters.index(letter) for letter in space))


def accepted_channels(n_channels: int, names: Sequence[str], n_dims: int) -> set[int]:
    """Channel counts that a run takes: pictures in grey and in colour become each other."""
    is_picture = n_dims == 2 and n_channels in (1, 3) and is_colour_names(names)
    return {1, 3} if is_picture else {n_channels}


def checked_array(image: Any) -> Array:
    """What a user gave, as an array of numbers. Raises BadData for anything else."""
    try:
        values = np.asarray(image)
    except Exception as error:  # whatever the conversion of a foreign object raises
        raise BadData(
            f"it is a {type(image).__name__} and no array: {error}",
            "an array of numbers, or what NumPy can make one of",
            "Convert it.",
            path="array",
            code="array-type",
        ) from error
    if values.dtype.kind not in "buif":
        raise BadData(
            f"it holds values of type {values.dtype}",
            "numbers: integers, floats or booleans",
            "Convert it, for example with .astype('float32').",
            path="array",
            code="array-type",
        )
    return values.view(np.uint8) if values.dtype.kind == "b" else values


def checked_spacing(
    spacing: float | Sequence[float] | None, n_dims: int
) -> tuple[float, ...] | None:
    """One positive number per spatial axis; a single number stands for all of them."""
    if spacing is None:
        return None
    try:
        given = np.atleast_1d(np.asarray(spacing, np.float64))
    except (TypeError, ValueError):
        given = np.zeros(0)
    numbers = np.repeat(given, n_dims) if given.size == 1 else given
    if numbers.shape != (n_dims,) or not np.isfinite(numbers).all() or (numbers <= 0).any():
        raise BadData(
            f"spacing is {spacing!r}",
            f"{n_dims} positive numbers, one for each of {', '.join(_SPATIAL[-n_dims:])} in the "
            "order of the array's axes, or a single one for all",
            "Correct it, or leave it out for the spacing of the training images.",
            path="array",
            code="array-spacing",
        )
    return tuple(float(number) for number in numbers)


def _hint(shape: Sequence[int], n_dims: int, accepted: set[int]) -> str:
    """What to do about an array with axes that cannot be understood."""
    if len(shape) == n_dims + 1:
        if shape[0] in accepted:
            return f"If its channels come first, say so: axes={'c' + _SPATIAL[-n_dims:]!r}."
        if shape[-1] == _RGBA and 3 in accepted:
            return "Leave out its transparency: image[..., :3]."
        if n_dims == 2:
            return "Label the planes of a stack one by one."
        return "Give one volume at a time, with the channels that the run was trained on."
    if len(shape) == n_dims - 1:
        return f"The run was trained on arrays of {n_dims} dimensions: give these."
    return "Give one image at a time; np.squeeze takes away axes of length 1."


def _misfit(shape: Sequence[int], what: str, expected: str, remedy: str) -> BadData:
    said = f"its shape is {_text(shape)}" + (f": {what}" if what else "")
    return BadData(said, expected, remedy, path="array", code="array-shape")


def _text(shape: Sequence[int]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"
