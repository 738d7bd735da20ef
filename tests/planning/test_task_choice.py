"""Overlapping regions get their own task and loss, with reasons; mismatches are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pixelwise.core.case import ClassInfo, DataSet, LabelMeaning
from pixelwise.core.errors import BadPlan
from pixelwise.core.plan import label_meaning
from pixelwise.planning.assembly import Demand
from pixelwise.planning.candidate import Candidate, Measurement
from pixelwise.planning.plan_file import change_plan
from pixelwise.planning.propose import propose_plan
from pixelwise.planning.task_choice import choose_task
from tests.plans import make_dataset, make_facts

NAMES = ("whole", "core", "enhancing")


def with_regions(table: dict[str, int], folders: tuple[str, ...] = ()) -> DataSet:
    classes = tuple(ClassInfo(i, name, "#e69f00") for i, name in enumerate(NAMES))
    meaning = LabelMeaning("values", table, "", holds_regions=True, folders=folders)
    return replace(make_dataset(), classes=classes, meaning=meaning)


BRATS = with_regions({"0": 0, "1": 0b011, "2": 0b001, "4": 0b111})


def measure(candidate: Candidate) -> Measurement:
    return Measurement(0.1, 1e6, 10_000_000, 1000, "float32", "contiguous", "measured")


def test_classes_stay_as_they_were() -> None:
    chosen = choose_task(make_facts(), make_dataset())
    assert (chosen.task.name, chosen.loss.name) == ("semantic", "cross-entropy-dice")
    assert [r.field for r in chosen.reasons] == ["loss.name"]


def test_nested_regions() -> None:
    chosen = choose_task(make_facts(), BRATS)
    assert (chosen.task.name, chosen.loss.name) == ("regions", "binary-cross-entropy-dice")
    assert chosen.task.options == {"inside": [-1, 0, 1]}
    reason = chosen.reasons[0]
    assert reason.fact == "core lies inside whole, enhancing lies inside core"
    assert "one class per pixel" in reason.reason


def test_regions_that_cross_do_not_nest() -> None:
    crossing = with_regions({"0": 0, "1": 0b001, "2": 0b010, "3": 0b011, "4": 0b100})
    assert choose_task(make_facts(), crossing).task.options == {}
    folders = with_regions({"0": 0, "1": 1}, NAMES)
    assert choose_task(make_facts(), folders).task.options == {}


def test_the_plan_carries_it_all() -> None:
    plan = propose_plan(make_facts(), BRATS, Demand(600.0), measure=measure).plan
    assert plan.task.name == "regions" and plan.loss.name == "binary-cross-entropy-dice"
    assert label_meaning(plan.data.labels).n_regions == 3
    assert any(reason.field == "task.name" for reason in plan.reasons)


@pytest.mark.parametrize(
    ("data", "setting", "words"),
    [
        (BRATS, "loss.name=cross-entropy", "loss cross-entropy is for classes, the masks hold reg"),
        (BRATS, "task.name=semantic", "task semantic is for classes, the masks hold regions"),
        (make_dataset(), "loss.name=binary-dice", "loss binary-dice is for regions, the masks"),
        (make_dataset(), "task.name=regions", "task regions is for regions, the masks hold class"),
    ],
)
def test_what_does_not_fit_the_masks_is_refused(data: DataSet, setting: str, words: str) -> None:
    plan = propose_plan(make_facts(), data, Demand(600.0), measure=measure).plan
    with pytest.raises(BadPlan, match=words):
        change_plan(plan, [setting])
