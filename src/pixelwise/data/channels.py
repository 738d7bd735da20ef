"""Images of another channel count than the run's: grey is repeated, colour becomes luminance."""

from __future__ import annotations

import numpy as np

from pixelwise.core.errors import ShapeMismatch
from pixelwise.core.image import Array, Header

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the luma of ITU-R BT.601."""


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


def mismatch_sentence(header: Header, n_channels: int) -> str:
    """What `match_channels` will do to an image, in words; empty if nothing.

    Raises ShapeMismatch naming the file if nothing can be done.
    """
    given = header.n_channels
    if given == n_channels:
        return ""
    if given == 1 and n_channels == 3:
        return "it is grey; its channel is used as red, green and blue"
    if given == 3 and n_channels == 1:
        return "it is in colour; its luminance is used as grey"
    raise ShapeMismatch(
        f"it has {given} channels",
        f"{n_channels}, as the run was trained with (1 and 3 are converted into each other)",
        "Give an image with these channels.",
        path=header.path,
        code="channels",
    )
