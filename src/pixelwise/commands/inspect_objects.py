"""The objects of a data set against what one output pixel can see."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pixelwise.core.case import IGNORE
from pixelwise.core.errors import BadData, raise_errors
from pixelwise.core.records import Record
from pixelwise.data.cases import find_cases
from pixelwise.data.labels import read_labels
from pixelwise.data.objects import OBJECT_COLUMNS, measure_objects
from pixelwise.explanation.receptive import EffectiveField, ReceptiveField

_MOST_CASES = 24
_MOST_OBJECTS = 20_000


class ObjectComparison(Record):
    """Sizes of the connected objects of a data set, set against a receptive field.

    Diameters in pixels, of discs (balls) of equal content. sees: the smallest width that an
    output pixel can see; share_larger: of the objects, how many are wider. looks_at: diameter
    of the effective field if it was measured, share_beyond: how many are wider than that.
    """

    data: str
    n_cases: int
    n_objects: int
    median_diameter: float
    largest_diameter: float
    sees: int | None
    share_larger: float
    looks_at: float | None = None
    share_beyond: float | None = None
    sentence: str


def compare_with_objects(
    data: Path, field: ReceptiveField, effective: EffectiveField | None = None
) -> ObjectComparison:
    """Measure the objects of up to 24 labelled cases. Raises BadData if there are none."""
    dataset, problems = find_cases(data)
    raise_errors(problems, BadData)
    cases = [case for case in dataset.cases if case.label is not None] if dataset else []
    step = max(1, len(cases) // _MOST_CASES)
    chosen = cases[::step][:_MOST_CASES]
    column = OBJECT_COLUMNS.index("equivalent_diameter")
    diameters: list[float] = []
    for case in chosen:
        if dataset is None or case.label is None or len(diameters) >= _MOST_OBJECTS:
            break
        labels = read_labels(case.label, dataset.meaning)
        labels = np.where(labels == IGNORE, 0, labels)
        names = {entry.id: entry.name for entry in dataset.classes}
        rows = measure_objects(labels, np.zeros((1, *labels.shape), np.uint8), names)
        diameters += [float(str(row[column])) for row in rows if row[column] not in (None, "")]
    if not diameters:
        raise BadData(
            "there is no labelled object in it",
            "masks with at least one class besides the background",
            "Check the masks with `pixelwise check`.",
            path=data,
            code="no-objects",
        )
    sees = field.sizes[0] if field.sizes else None
    share = float(np.mean([d > sees for d in diameters])) if sees else 0.0
    looks_at = effective.diameter if effective else None
    beyond = None if looks_at is None else float(np.mean([d > looks_at for d in diameters]))
    return ObjectComparison(
        data=data.name,
        n_cases=len(chosen),
        n_objects=len(diameters),
        median_diameter=round(float(np.median(diameters)), 1),
        largest_diameter=round(max(diameters), 1),
        sees=sees,
        share_larger=round(share, 4),
        looks_at=looks_at,
        share_beyond=None if beyond is None else round(beyond, 4),
        sentence=_sentence(share, sees, max(diameters)) + _effective_sentence(beyond, looks_at),
    )


def _sentence(share: float, sees: int | None, largest: float) -> str:
    if sees is None:
        return "An output pixel sees the whole image, so every object fits into its sight."
    if share == 0:
        return (
            f"Every object in this set is smaller than the {sees} pixels that an output pixel "
            f"can see (the largest: {largest:.0f})."
        )
    return f"{share:.0%} of the objects in this set are larger than the {sees} pixels in sight."


def _effective_sentence(beyond: float | None, looks_at: float | None) -> str:
    if beyond is None or looks_at is None:
        return ""
    return f" {beyond:.0%} are larger than the {looks_at:g} pixels that it mostly looks at."
