"""Predicted regions as files: a mask per region, and the label map where regions nest."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from pixelwise.arrays.region_bits import is_nested, mask_of_region, painted_values
from pixelwise.core.case import IGNORE, LabelMeaning
from pixelwise.core.image import Array, Header, Region, Sink
from pixelwise.core.plan import Plan
from pixelwise.data.region_sets import folder_name
from pixelwise.readers import create_labels

PAINTED_FOLDER = "labels"
"""Where the label map lies that nested regions are painted into."""


@dataclass(frozen=True, slots=True)
class RegionPlaces:
    """Where the regions of a plan are written, and what the label map holds for each bit set.

    inside: the value of a region's pixels in its mask. painted is None where no label map
    says what the regions are made of, or where they do not nest.
    """

    folders: tuple[str, ...]
    inside: int
    painted: tuple[int, ...] | None


def region_places(plan: Plan, *, as_trained: bool = False) -> RegionPlaces:
    """The folders and values for the regions of a plan; as_trained: the training masks' value."""
    labels = plan.data.labels
    folders = tuple(folder_name(c.name) for c in plan.data.classes)
    if labels.folders:
        stored = (key for key, value in labels.to_class.items() if value == 1)
        inside = int(next(stored, "1")) if as_trained else 1
        return RegionPlaces(folders, inside, None)
    value_of_set: dict[int, int] = {}
    for key, bits in labels.to_class.items():
        if key.isdecimal() and bits != IGNORE:
            value_of_set.setdefault(bits, int(key))
    paints = 0 in value_of_set and is_nested(value_of_set, len(folders))
    if not paints or PAINTED_FOLDER in folders:
        return RegionPlaces(folders, 1, None)
    table = painted_values(value_of_set, len(folders))
    return RegionPlaces(folders, 1, tuple(int(value) for value in table))


def written_meaning(plan: Plan, *, as_trained: bool = False) -> LabelMeaning:
    """What the label files that `predict` writes mean: class ids, or a mask per region.

    A label path is that of the first region's mask, as for cases of a data set.
    """
    if not plan.data.labels.holds_regions:
        ids = {str(c.id): c.id for c in plan.data.classes}
        return LabelMeaning("values", ids, "class ids as predicted")
    places = region_places(plan, as_trained=as_trained)
    return LabelMeaning(
        "values",
        {"0": 0, str(places.inside): 1},
        "a mask for each region",
        holds_regions=True,
        folders=places.folders,
    )


class _Discarded(Exception):
    """Leaves the writing of several files without a result."""


class RegionMasks:
    """A sink for bit sets ([z,] y, x): one mask file per region, and the painted label map.

    All files appear when it is closed; where anything fails, those not yet closed are left out.
    """

    def __init__(self, out: Path, name: str, header: Header, places: RegionPlaces) -> None:
        self._places = places
        self._stack = ExitStack()
        self._painted: Sink | None = None
        with ExitStack() as guard:
            guard.push(self._stack)
            self._masks = [
                self._stack.enter_context(create_labels(out / folder / name, header))
                for folder in places.folders
            ]
            if places.painted is not None:
                dtype = "uint8" if max(places.painted) < 256 else "uint16"
                self._table = np.array(places.painted, dtype)
                self._painted = self._stack.enter_context(
                    create_labels(out / PAINTED_FOLDER / name, header, dtype=dtype)
                )
            guard.pop_all()

    def write(self, region: Region, values: Array) -> None:
        """Put bit sets where the spatial region lies."""
        for index, mask in enumerate(self._masks):
            mask.write(region, mask_of_region(values, index) * np.uint8(self._places.inside))
        if self._painted is not None:
            self._painted.write(region, self._table[values])

    def close(self) -> None:
        """Complete all files."""
        self._stack.close()

    def discard(self) -> None:
        """Leave nothing behind."""
        self._stack.__exit__(_Discarded, _Discarded(), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def open_label_sink(
    plan: Plan,
    out: Path,
    name: str,
    header: Header,
    *,
    as_trained: bool,
    dtype: str = "uint8",
    palette: tuple[tuple[int, int, int], ...] | None = None,
    keeps_patient: bool = False,
) -> tuple[Sink, Path]:
    """Where the labels of one image go, and the path that stands for them: see written_meaning.

    dtype, palette: of class ids. keeps_patient: as for create_labels. Raises BadOutput.
    """
    if not plan.data.labels.holds_regions:
        sink = create_labels(
            out / name,
            header,
            dtype=dtype,
            palette=palette,
            class_names=() if as_trained else tuple(c.name for c in plan.data.classes),
            keeps_patient=keeps_patient,
        )
        return sink, out / name
    places = region_places(plan, as_trained=as_trained)
    return RegionMasks(out, name, header, places), out / places.folders[0] / name


def described_classes(plan: Plan) -> dict[str, object]:
    """The content of classes.json: ids, names and colours; for regions the folders of masks."""
    content: dict[str, object] = {
        "classes": [{"id": c.id, "name": c.name, "color": c.colour} for c in plan.data.classes]
    }
    if plan.data.labels.holds_regions:
        content["regions"] = list(region_places(plan).folders)
    return content
