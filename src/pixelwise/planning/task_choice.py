"""Which task a data set asks for, classes or overlapping regions, and the loss of it."""

from __future__ import annotations

from dataclasses import dataclass

from pixelwise.arrays.region_bits import find_parents
from pixelwise.core.case import IGNORE, DataSet
from pixelwise.core.plan import PartSection
from pixelwise.core.records import Choice, Facts
from pixelwise.planning.candidate import DEFAULT_LOSS

REGION_LOSS = PartSection(name="binary-cross-entropy-dice")


@dataclass(frozen=True, slots=True)
class ChosenTask:
    """A task, the loss that suits it, and why."""

    task: PartSection
    loss: PartSection
    reasons: tuple[Choice, ...]


def choose_task(facts: Facts, dataset: DataSet) -> ChosenTask:
    """Regions that may overlap get a sigmoid each, everything else a softmax over classes.

    Where the label map says that one region lies inside another, answers are made to nest
    as well. Cross-entropy with Dice is the loss of both.
    """
    if not dataset.meaning.holds_regions:
        reason = Choice(
            field="loss.name",
            value=DEFAULT_LOSS.name,
            fact=_rarest(facts),
            reason="Cross-entropy gives calibrated probabilities, Dice keeps rare classes alive.",
        )
        return ChosenTask(PartSection(name="semantic"), DEFAULT_LOSS, (reason,))
    inside = _nesting(dataset)
    names = [c.name for c in dataset.classes]
    told = [
        f"{names[r]} lies inside {names[holder]}" for r, holder in enumerate(inside) if holder >= 0
    ]
    reasons = (
        Choice(
            field="task.name",
            value="regions",
            fact=", ".join(told) or f"the masks of {', '.join(names)} may share pixels",
            reason="A pixel can lie in several regions, so each region gets a yes or no of its own "
            "instead of one class per pixel"
            + ("; answers are made to nest as the truth does." if told else "."),
        ),
        Choice(
            field="loss.name",
            value=REGION_LOSS.name,
            fact=_rarest(facts),
            reason="Each region is judged for itself: binary cross-entropy gives calibrated "
            "probabilities, Dice keeps small regions alive.",
        ),
    )
    options = {"inside": list(inside)} if told else {}
    return ChosenTask(PartSection(name="regions", options=options), REGION_LOSS, reasons)


def _nesting(dataset: DataSet) -> tuple[int, ...]:
    """The holder of each region as the label map's values say; with a mask each nobody says."""
    meaning = dataset.meaning
    if meaning.folders:
        return (-1,) * len(dataset.classes)
    sets = [value for value in meaning.to_class.values() if value != IGNORE]
    return find_parents(sets, len(dataset.classes))


def _rarest(facts: Facts) -> str:
    rarest = min(facts.classes, key=lambda c: c.share)
    return f"the rarest class, {rarest.name}, takes {rarest.share:.2%} of the labelled pixels"
