"""The plan as a table."""

from __future__ import annotations

from collections.abc import Callable

from pixelwise.core.plan import Plan
from pixelwise.report.content import ReportContent
from pixelwise.report.settings import is_changed, plan_rows, value_text

MakeContent = Callable[..., ReportContent]


def test_every_field_of_the_plan_is_listed_once(make_content: MakeContent) -> None:
    plan = make_content().plan
    listed = [field for rows in plan_rows(plan).values() for field, _, _ in rows]
    assert len(listed) == len(set(listed))
    for section in ("sampling", "augmentation", "optimizer", "training", "inference", "data"):
        for field in type(getattr(plan, section)).model_fields:
            name = f"{section}.{field}"
            assert any(f == name or f.startswith(f"{name}.") for f in listed), name


def test_values_are_words(make_content: MakeContent) -> None:
    values = {f: v for rows in plan_rows(make_content(3).plan).values() for f, v, _ in rows}
    assert values["sampling.patch"] == "256 × 256 pixels"
    assert values["augmentation.mirror_axes"] == "y, x"
    assert values["inference.mirror_axes"] == "none"
    assert values["data.spacing"] == "not set"
    assert values["optimizer.learning_rate"] == "0.0003"
    assert values["data.splits"] == "test 3, validation 3, training 3"
    assert values["data.labels.to_class"].endswith("2 → filament, 255 → void")


def test_what_a_person_set_is_marked(make_content: MakeContent) -> None:
    rows = [row for rows in plan_rows(make_content().plan).values() for row in rows]
    assert [field for field, _, choice in rows if is_changed(choice)] == ["network.options.width"]


def test_a_reason_without_field_of_its_own_is_kept(make_content: MakeContent) -> None:
    plan = make_content().plan
    choice = plan.reasons[0].model_copy(update={"field": "augmentation.strength", "value": "low"})
    changed: Plan = plan.model_copy(update={"reasons": (choice,)})
    assert plan_rows(changed)["augmentation"][0] == ("augmentation.strength", "low", choice)


def test_values_of_every_kind() -> None:
    assert value_text(None) == "not set"
    assert value_text(True) == "yes"
    assert value_text([1, 2.5]) == "1, 2.5"
    assert value_text({"a": False}) == "a = no"
    assert value_text([]) == "none"
