"""Images of another channel count than the run's: grey is repeated, colour becomes luminance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pixelwise.core.errors import ShapeMismatch
from pixelwise.core.image import Array, Header

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the luma of ITU-R BT.601."""

_COLOUR_NAMES = {"r", "g", "b", "red", "green", "blue"}


def match_channels(image: Array, n_channels: int) -> Array:
    """(c, …) with the wanted channel count, in the same dtype.

    One channel is repeated, three become one by luminance. Raises ShapeMismatch for
    any other difference.
    """
    given = image.shape[0]
    if given == n_channels:
        return image
    if given == 1 and n_channels == 3:
        return np.repeat(image, 3, axis=0)
    if given == 3 and n_channels == 1:
        weights = np.asarray(LUMINANCE, np.float32)
        grey = np.tensordot(weights, image.astype(np.float32), axes=1)[None]
        return grey if image.dtype.kind == "f" else np.rint(grey).astype(image.dtype)
    raise ShapeMismatch(
        f"it has {given} channels",
        f"{n_channels}, as the run was trained with (1 and 3 are converted into each other)",
        "Give an image with these channels.",
        code="channels",
    )


def mismatch_sentence(header: Header, n_channels: int, names: Sequence[str] = ()) -> str:
    """What `match_channels` will do to an image, in words; empty if nothing.

    names: what the wanted channels are called. Only pictures whose channels have no names,
    or those of colours, are converted: three scans of a volume are no red, green and blue.
    Raises ShapeMismatch naming the file if nothing can be done, or if the file names other
    channels, or the same in another order.
    """
    given = header.n_channels
    own = header.channel_names
    if given == n_channels:
        if own and names and _folded(own) != _folded(names):
            raise _other_names(header, names)
        return ""
    is_picture = len(header.shape) == 2 and is_colour_names(names)
    if is_picture and given == 1 and n_channels == 3:
        return "it is grey; its channel is used as red, green and blue"
    if is_picture and given == 3 and n_channels == 1 and is_colour_names(own):
        return "it is in colour; its luminance is used as grey"
    named = f" ({', '.join(names)})" if names else ""
    rule = " (1 and 3 are converted into each other)" if is_picture else ""
    raise ShapeMismatch(
        f"it has {given} channels",
        f"{n_channels}{named}, as the run was trained with{rule}",
        "Give an image with these channels.",
        path=header.path,
        code="channels",
    )


def is_colour_names(names: Sequence[str]) -> bool:
    """Whether channels have no names, or those of red, green and blue."""
    return set(_folded(names)) <= _COLOUR_NAMES


def _folded(names: Sequence[str]) -> list[str]:
    return [name.strip().casefold() for name in names]


def _other_names(header: Header, names: Sequence[str]) -> ShapeMismatch:
    own = header.channel_names
    is_order = sorted(_folded(own)) == sorted(_folded(names))
    return ShapeMismatch(
        f"its channels are {', '.join(own)}" + (", in another order" if is_order else ""),
        f"{', '.join(names)}, in this order",
        "Bring its channels into this order." if is_order else "Give an image with these channels.",
        path=header.path,
        code="channel-names",
    )
