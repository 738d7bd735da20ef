"""Plans are frozen, strict, and survive JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from pixelwise.core.plan import LabelSection, PartSection, SamplingSection, label_meaning


def test_options_cannot_be_changed_nor_shared() -> None:
    given: dict[str, Any] = {"width": 8}
    part = PartSection(name="unet", options=given)
    given["width"] = 9
    assert part.options["width"] == 8
    with pytest.raises(TypeError):
        part.options["width"] = 9  # type: ignore[index]  # that it is read-only is the point
    with pytest.raises(ValidationError):
        part.name = "x"  # type: ignore[misc]  # likewise
    assert json.loads(part.model_dump_json()) == {"name": "unet", "options": {"width": 8}}
    assert PartSection.model_validate_json(part.model_dump_json()) == part


@pytest.mark.parametrize(
    "change", [{"batch": 0}, {"patch": [32, 0]}, {"foreground_share": 1.1}, {"btach": 2}]
)
def test_impossible_values_are_refused(change: dict[str, Any]) -> None:
    fine = {"patch": [32, 32], "batch": 1, "foreground_share": 0.5}
    assert SamplingSection.model_validate(fine).patch == (32, 32)
    with pytest.raises(ValidationError):
        SamplingSection.model_validate(fine | change)


def test_the_meaning_of_masks_comes_back() -> None:
    section = LabelSection(kind="values", to_class={"0": 0, "255": 1}, threshold=128.0)
    meaning = label_meaning(section)
    assert meaning.stored_value(1) == "255"
    assert meaning.stored_value(2) is None
    assert (meaning.kind, meaning.threshold) == ("values", 128.0)
