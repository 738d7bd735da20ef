"""Single objects, touching ones too: a class per pixel, and two maps that tell objects apart."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from skimage.segmentation import watershed
from torch import Tensor

from pixelwise.tasks import TASKS, Labels, Numbers, Planes, Task
from pixelwise.tasks.semantic import decode_classes

CONTACT_SIGMA = 3.0
"""Reach in pixels of the contact between objects, where the data set does not ask for another."""

N_MAPS = 2


@TASKS.register("instances")
def instances(
    n_classes: int,
    *,
    contact_sigma: float = CONTACT_SIGMA,
    seed_level: float = 0.5,
    smallest: int = 0,
) -> Task:
    """One class per pixel by softmax, and the objects of all classes but the first by number.

    Two more outputs say how deep a pixel lies in its object (0 at the rim, 1 at the middle) and
    how close it is to a second one. contact_sigma: reach of that closeness in pixels.
    An object grows by watershed from a seed, a part where depth x (1 - contact) is above
    seed_level, over the pixels of the classes; a part without any seed is an object too.
    smallest: objects of fewer pixels are left out.
    """
    return Task(
        n_classes + N_MAPS,
        encode_target=lambda labels: labels,
        probabilities=_probabilities,
        decode_output=lambda found: decode_classes(found[:, :-N_MAPS]),
        decode_logits=lambda logits: decode_classes(logits[:, :-N_MAPS]),
        n_maps=N_MAPS,
        decode_objects=partial(find_objects, seed_level=seed_level, smallest=smallest),
    )


def find_objects(
    probabilities: Planes, labels: Labels, *, seed_level: float = 0.5, smallest: int = 0
) -> Numbers:
    """Numbers ([z,] y, x) of the objects of a whole image, 0 for none, 1, 2, 3 … without gaps.

    Shape: probabilities (k, [z,] y, x), the last two are depth and contact; labels ([z,] y, x)
    class ids, 0 is background. Empty: no foreground, no objects.
    """
    inside = labels > 0
    height = probabilities[-2] * (1.0 - probabilities[-1])
    seeds, n_seeds = ndimage.label((height > seed_level) & inside)
    seeds = np.asarray(seeds, np.int32)
    parts, n_parts = ndimage.label(inside)
    has_seed = np.zeros(n_parts + 1, dtype=bool)
    has_seed[parts[seeds > 0]] = True
    has_seed[0] = True
    lone = ~has_seed[parts]
    seeds[lone] = parts[lone] + n_seeds
    numbers = watershed(-height, seeds, mask=inside)  # type: ignore[no-untyped-call]  # skimage ships no types
    return _renumber(numbers, smallest)


def _renumber(numbers: Numbers, smallest: int) -> Numbers:
    sizes = np.bincount(numbers.reshape(-1))
    kept = sizes >= max(smallest, 1)
    kept[0] = False
    table = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    found: npt.NDArray[np.int32] = table[numbers]
    return found


def _probabilities(logits: Tensor) -> Tensor:
    logits = logits.float()
    classes = torch.softmax(logits[:, :-N_MAPS], dim=1)
    return torch.cat((classes, torch.sigmoid(logits[:, -N_MAPS:])), dim=1)
