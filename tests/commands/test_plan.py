"""Planning: what is refused, what is said, and that nothing is measured in vain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pixelwise.commands.plan as plan_module
from pixelwise.commands.plan import plan
from pixelwise.core.errors import BadPlan
from pixelwise.planning.plan_file import load_plan

from .conftest import Notes, write_squares

pytestmark = pytest.mark.usefixtures("pretend")


def test_a_plan_is_written_and_read(squares: Path, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    result = plan(squares, budget="5m", out=path, settings=["sampling.batch=3"])
    assert load_plan(path) == result.plan
    assert result.plan.sampling.batch == 3
    assert result.plan.training.budget_seconds == 300
    assert [c.name for c in result.dataset.classes] == [c.name for c in result.plan.data.classes]
    again = plan(squares, plan=path)
    assert again.plan == result.plan
    shorter = plan(squares, plan=path, budget="1m")
    assert shorter.plan.training.budget_seconds == 60


def test_what_it_will_take(squares: Path) -> None:
    """A step is pretended to take 10 ms: of 100 s, 78 s are left for 7800 steps."""
    result = plan(squares, budget=100)
    assert result.expected_steps == 7800
    assert result.expected_seconds == 100
    fixed = plan(squares, budget=100, settings=["training.steps=50"])
    assert fixed.expected_steps == 50
    assert fixed.expected_seconds == pytest.approx(0.5)


@pytest.mark.parametrize("budget", ["9s", 0.5, "ten minutes", "-5m"])
def test_impossible_budgets(squares: Path, budget: str | float) -> None:
    with pytest.raises(BadPlan, match="budget"):
        plan(squares, budget=budget)


def test_mistakes_are_told_before_the_measuring(
    squares: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(candidate: object) -> None:
        raise AssertionError("nothing should be measured")

    monkeypatch.setattr(plan_module, "Probe", lambda threads, limit_seconds: refuse)
    with pytest.raises(BadPlan, match="wdith"):
        plan(squares, settings=["network.options.wdith=3"])


@pytest.mark.parametrize("setting", ["network.options.convolutions=1", "network.options.width=8"])
def test_options_of_the_proposed_network_can_be_set(squares: Path, setting: str) -> None:
    result = plan(squares, budget="10m", settings=[setting])
    name, value = setting.removeprefix("network.options.").split("=")
    assert result.plan.network.options[name] == int(value)


def test_a_plan_for_other_data(squares: Path, tmp_path: Path) -> None:
    content = json.loads(plan(squares).plan.model_dump_json())
    content["data"]["splits"]["train"].append("case-99")
    content["data"]["classes"].append({"id": 2, "name": "other", "colour": "#ffffff"})
    content["data"]["n_channels"] = 3
    for name in ("centre", "scale", "low", "high"):
        content["intensity"][name] *= 3
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(content))
    with pytest.raises(BadPlan) as caught:
        plan(squares, plan=path)
    text = str(caught.value)
    for said in ("channels: 3; the data's: 1", "classes: ", "case-99"):
        assert said in text
    assert {p.code for p in caught.value.problems} == {"foreign-plan"}


def test_patches_grow_to_what_a_valid_network_takes(squares: Path) -> None:
    settings = ["network.name=unet-paper", "network.options.width=2", "sampling.patch=[64,200]"]
    assert plan(squares, settings=settings).plan.sampling.patch == (188, 204)


def test_a_single_image(tmp_path: Path) -> None:
    notes = Notes()
    result = plan(write_squares(tmp_path / "data", 1, 0, 0), listener=notes)
    assert result.plan.data.hold_out == 0.25
    assert "last 25%" in result.notes[0]
