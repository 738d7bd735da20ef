"""The data as tables."""

from __future__ import annotations

from collections.abc import Callable

from pixelwise.report.content import ReportContent
from pixelwise.report.data_facts import facts_tables, label_table

MakeContent = Callable[..., ReportContent]


def test_masks_are_explained(make_content: MakeContent) -> None:
    plan = make_content(3).plan
    text = label_table(plan)
    assert "Value in the mask" in text and "filament" in text and "void: not trained on" in text
    labels = plan.data.labels.model_copy(update={"threshold": 127.5})
    data = plan.data.model_copy(update={"labels": labels})
    assert "127.5" in label_table(plan.model_copy(update={"data": data}))


def test_facts_count_classes_by_split(make_content: MakeContent) -> None:
    text = facts_tables(make_content().facts, {})
    assert "160 × 200" in text
    assert "Void or outside the field of view" in text
