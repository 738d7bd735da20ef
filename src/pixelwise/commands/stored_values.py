"""The values, type and palette that labels are written with: class ids, or as in the training."""

from __future__ import annotations

from dataclasses import dataclass

from pixelwise.core.errors import BadPlan
from pixelwise.core.plan import LabelSection, Plan

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class StoredValues:
    """values: what is written for each class id, None for the id itself; palette of a PNG."""

    values: tuple[int, ...] | None = None
    dtype: str = "uint8"
    palette: tuple[Colour, ...] | None = None


def stored_values(plan: Plan, *, as_trained: bool) -> StoredValues:
    """How the labels of a plan are written.

    Raises BadPlan if the training masks had no values of their own.
    """
    labels: LabelSection = plan.data.labels
    if not as_trained or labels.holds_regions:
        return StoredValues()
    by_class: dict[int, str] = {}
    for key, class_id in labels.to_class.items():
        by_class.setdefault(class_id, key)
    if labels.kind == "values" and labels.threshold is None:
        values = tuple(int(float(by_class[c.id])) for c in plan.data.classes)
        if min(values) >= 0 and max(values) < 65536:
            dtype = "uint8" if max(values) < 256 else "uint16"
            return StoredValues(values, dtype, labels.palette)
    if labels.kind == "colours":
        return StoredValues(palette=tuple(_rgb(by_class[c.id]) for c in plan.data.classes))
    raise BadPlan(
        f"the training labels were {'cut at a threshold' if labels.threshold else labels.kind}: "
        "they have no pixel values of their own",
        "masks with values or colours",
        "Leave out --as-trained.",
        code="as-trained",
    )


def _rgb(text: str) -> Colour:
    digits = text.lstrip("#")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
