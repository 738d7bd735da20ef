"""Pictures that show the same: re-encoded, rescaled, brightened, noisy or mirrored copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

EDGE = 64
_BLUR = 2.0
"""Only detail finer than this many signature pixels counts: shading tells nothing apart."""

SAME = 0.8
"""Correlation of fine detail above which two pictures count as one. Different pictures of the
same kind were seen to stay below 0.65, copies saved as JPEG, brightened, shrunk or with noise
added above 0.89; a crop by 2 % goes unnoticed."""

_BLOCK = 512

Signature = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two pictures by index (first < second), how alike they are, and how one was turned."""

    first: int
    second: int
    correlation: float
    mirrored: str = ""


def signature(image: npt.NDArray[Any]) -> Signature:
    """Fine detail of a picture on a grid of 64 x 64, saturated, mean 0, norm 1.

    Shape: image (c, y, x); channels are averaged. A picture without detail gives zeros.
    """
    grey = np.nan_to_num(image.astype(np.float32)).mean(axis=0)
    small = np.asarray(Image.fromarray(grey).resize((EDGE, EDGE), Image.Resampling.BOX), np.float32)
    detail = small - ndimage.gaussian_filter(small, _BLUR)
    spread = float(detail.std())
    if spread < 1e-6 * max(float(np.abs(small).max()), 1e-6):
        return np.zeros((EDGE, EDGE), np.float32)
    return _normed(np.tanh(detail / spread))


def find_alike(signatures: Sequence[Signature], *, same: float = SAME) -> list[Likeness]:
    """Pairs of pictures that show the same, mirrored copies included, most alike first.

    What all pictures share (a round frame, a scale bar) is taken out first, if there are
    enough of them to tell.
    """
    if len(signatures) < 2:
        return []
    stack = np.stack(list(signatures))
    if len(stack) >= 8:
        stack = stack - stack.mean(axis=0)
    stack = np.stack([_normed(one) for one in stack])
    turned = {
        "": stack,
        "left to right": stack[:, :, ::-1],
        "top to bottom": stack[:, ::-1, :],
        "by half a turn": stack[:, ::-1, ::-1],
    }
    flat = stack.reshape(len(stack), -1)
    best: dict[tuple[int, int], Likeness] = {}
    for how, others in turned.items():
        other = np.ascontiguousarray(others).reshape(len(stack), -1)
        for start in range(0, len(flat), _BLOCK):
            alike = flat[start : start + _BLOCK] @ other.T
            for row, second in np.argwhere(alike > same):
                first = start + int(row)
                found = Likeness(first, int(second), float(alike[row, second]), how)
                known = best.get((first, int(second)))
                if first < second and (known is None or found.correlation > known.correlation):
                    best[first, int(second)] = found
    return sorted(best.values(), key=lambda pair: -pair.correlation)


def _normed(values: npt.NDArray[np.float32]) -> Signature:
    centred = values - values.mean()
    norm = float(np.linalg.norm(centred))
    return np.asarray(centred / norm if norm > 1e-6 else np.zeros_like(centred), np.float32)
