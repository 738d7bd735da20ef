"""Maps of single objects that are warped beside the labels of a case: weights, depth, contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pixelwise.arrays.border_weights import border_weights
from pixelwise.arrays.object_guides import (
    contact_map,
    depth_map,
    number_objects,
    where_touching,
)
from pixelwise.core.case import IGNORE, Case
from pixelwise.core.contents import shown
from pixelwise.core.errors import BadData
from pixelwise.core.image import Region
from pixelwise.data.geometry import Method, Regrid
from pixelwise.readers import open_labels

Labels = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Guides:
    """Which maps are made of the objects of a case, in this order: weights, depth, contact.

    border_peak, border_sigma: of the weights (peak 0: no weights), see `border_weights`;
    contact_sigma: of the contact, None for neither depth nor contact. In pixels.
    """

    border_peak: float = 0.0
    border_sigma: float = 5.0
    contact_sigma: float | None = None

    @property
    def has_weights(self) -> bool:
        """Whether the first map says how much each pixel counts."""
        return self.border_peak > 0

    @property
    def n_maps(self) -> int:
        """How many maps there are."""
        return int(self.has_weights) + (0 if self.contact_sigma is None else 2)

    def part(self, labels: Labels, numbers: Numbers) -> None:
        """Make background, in place, of what touches another object, where weights are wanted."""
        if self.has_weights:
            touching = where_touching(numbers) & (labels != IGNORE)
            labels[touching] = 0

    def make(self, labels: Labels, numbers: Numbers) -> npt.NDArray[np.float16]:
        """(maps, [z,] y, x) of the objects of a case; labels are the parted ones."""
        maps = []
        if self.has_weights:
            apart = np.where(labels == 0, 0, numbers)
            maps.append(border_weights(apart, peak=self.border_peak, sigma=self.border_sigma))
        if self.contact_sigma is not None:
            maps += [depth_map(numbers), contact_map(numbers, sigma=self.contact_sigma)]
        return np.asarray(maps, np.float16)


NO_GUIDES = Guides()
"""No maps at all."""


def object_numbers(
    case: Case, labels: Labels, regrid: Regrid | None, region: Region
) -> npt.NDArray[np.int32]:
    """The objects of a region of a case as numbers from 1: declared, else what hangs together.

    labels: class ids ([z,] y, x) of the region; class 0 and void hold no objects. Where the
    plan has a grid of its own, a pixel takes the number of the nearest stored one.
    Raises BadData if the file of numbers has another size than the mask, or several channels.
    """
    inside = (labels != 0) & (labels != IGNORE)
    if case.objects is None:
        return _components(labels, inside)
    if regrid is None:
        stored = read_object_numbers(case, region)
    else:
        methods: tuple[Method, ...] = tuple("nearest" for _ in range(labels.ndim))
        nearest = Regrid(regrid.shape, regrid.goal, methods)
        held = nearest.needed(region)
        close = number_objects(read_object_numbers(case, held))
        stored = nearest.apply(close[None], held, region)[0].astype(np.int32)
    return number_objects(np.where(inside, stored, 0))


def read_object_numbers(case: Case, region: Region | None = None) -> Numbers:
    """Object numbers ([z,] y, x) as the case's file stores them; 0 is no object.

    Raises BadData if it holds more than one channel or fractions.
    """
    if case.objects is None:
        raise BadData("its objects are not numbered", path=shown(case.image), code="no-numbers")
    with open_labels(case.objects) as source:
        stored = source.read(region)
    if len(stored) != 1 or stored.dtype.kind not in "bui":
        raise BadData(
            f"it holds {len(stored)} channel{'s' if len(stored) != 1 else ''} of {stored.dtype}",
            "one whole number at each pixel, a number for each object",
            "Save object numbers as 8-, 16- or 32-bit whole numbers.",
            path=shown(case.objects),
            code="no-numbers",
        )
    numbers: Numbers = stored[0]
    return numbers


def _components(labels: Labels, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """Each class by itself: what hangs together over its 8 (26) neighbours is an object."""
    found = np.zeros(labels.shape, np.int32)
    n_found = 0
    square = np.ones((3,) * labels.ndim, dtype=bool)
    for class_id in np.unique(labels[inside]):
        parts, n_parts = ndimage.label(labels == class_id, square)
        found = np.where(parts > 0, parts + n_found, found).astype(np.int32)
        n_found += n_parts
    return found
