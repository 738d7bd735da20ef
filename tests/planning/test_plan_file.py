"""Plans from files and `--set`: every mistake at once, each with a suggestion."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from pixelwise.core.errors import BadPlan, UserError
from pixelwise.planning.plan_file import change_plan, load_plan, save_plan
from tests.plans import STORED, make_plan


def store(folder: Path, **sections: Any) -> Path:
    """A plan file in which some fields of some sections are others."""
    content = copy.deepcopy(STORED)
    for name, value in sections.items():
        content[name] = content[name] | value if isinstance(value, dict) else value
    path = folder / "plan.json"
    path.write_text(json.dumps(content))
    return path


def refusal(path: Path) -> BadPlan:
    with pytest.raises(BadPlan) as caught:
        load_plan(path)
    return caught.value


def setting_refusal(*settings: str) -> BadPlan:
    with pytest.raises(BadPlan) as caught:
        change_plan(make_plan(), settings)
    return caught.value


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    save_plan(path, make_plan())
    assert load_plan(path) == make_plan()


def test_settings_of_every_kind() -> None:
    plan = change_plan(
        make_plan(),
        [
            "training.steps=200", "sampling.patch=[64, 48]", "optimizer.learning_rate=1e-3",
            "network.options.dropout=0.5", "network.options.padding=valid",
            "training.budget_seconds=null", "augmentation.mirror_axes=[]",
        ],
    )  # fmt: skip
    assert plan.training.steps == 200
    assert plan.sampling.patch == (64, 48)
    assert plan.optimizer.learning_rate == 0.001
    assert dict(plan.network.options) == {
        "width": 4, "depth": 1, "dropout": 0.5, "padding": "valid",
    }  # fmt: skip
    assert plan.training.budget_seconds is None
    assert plan.augmentation.mirror_axes == ()


def test_a_setting_is_the_reason_for_itself() -> None:
    """The planner's own reason for that field is gone, others stay."""
    plan = change_plan(make_plan(), ["sampling.batch=3"])
    assert [(c.field, c.value) for c in plan.reasons] == [("sampling.batch", "3")]
    assert "--set" in plan.reasons[0].fact
    other = change_plan(make_plan(), ["training.seed=3"])
    assert [c.field for c in other.reasons] == ["sampling.batch", "training.seed"]


def test_another_network_starts_from_its_own_options() -> None:
    """The width of a U-Net is not carried over; an option given with the name is."""
    plan = change_plan(make_plan(), ["network.name=unet-paper"])
    assert dict(plan.network.options) == {}
    plan = change_plan(make_plan(), ["network.name=unet-paper", "network.options.width=8"])
    assert dict(plan.network.options) == {"width": 8}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("netwrok.name=unet", "no field 'netwrok.name'.*Did you mean network.name"),
        ("network.options.wdith=4", "no option 'wdith'.*Did you mean width"),
        ("network.name=unett", "no network called 'unett'.*Did you mean unet"),
        ("loss.name=dice", "no loss called 'dice'.*Did you mean .*soft-dice"),
        ("task.name=semantics", "no task called 'semantics'.*Did you mean semantic"),
        ("training.step=5", "no field 'training.step'.*Did you mean training.steps"),
        ("batch=5", "no field 'batch'"),
        ("sampling.batch", "'sampling.batch' cannot be read.*section.field=value"),
        ("=5", "cannot be read"),
        ("sampling.batch=0", "sampling.batch is 0.*greater than or equal to 1"),
        ("sampling.batch=many", "sampling.batch is 'many'"),
        ("sampling.patch=[32]", "sampling.patch has 1 numbers.*Expected 2: one per axis"),
        ("inference.halo=[1,2,3]", "inference.halo has 3 numbers.*Expected 2"),
        ("intensity.scale=[1,2]", "intensity.scale has 2 numbers.*1: one per channel"),
        ("intensity.scale=[0]", r"intensity.scale is \[0.0\].*positive"),
        ("augmentation.mirror_axes=[2]", "mirror_axes holds 2.*axes from 0 to 1"),
        ("inference.mirror_axes=[-1]", "mirror_axes holds -1.*axes from 0 to 1"),
        ("augmentation.rotation=181", "rotation is 181.*less than or equal to 180"),
        ("network.options.width=wide", "option width of network unet is 'wide'.*whole number"),
        ("network.options.padding=none", "padding.*one of same, valid"),
        ("training.precision=float16", "training.precision is 'float16'"),
        ("training.pace=[[1]]", "training.pace"),
        ("optimizer.learning_rate=0", "greater than 0"),
        ("optimizer.learning_rate=NaN", "learning_rate"),
        ("optimizer.learning_rate=Infinity", "learning_rate is inf.*finite number"),
        ("intensity.high=[Infinity]", "intensity.high.0 is inf.*finite number"),
        ("network.options=5", "network.options"),
        ("network=5", "network"),
        ("data.classes.0.name=x", "no field 'data.classes.0.name'"),
    ],
)
def test_each_mistake_in_a_setting(setting: str, said: str) -> None:
    refused = setting_refusal(setting)
    assert pytest.raises(BadPlan, match=f"(?s){said}").matches(refused), str(refused)


def test_all_mistakes_in_settings_at_once() -> None:
    text = str(
        setting_refusal(
            "netwrok.name=unet", "network.options.wdith=4", "sampling.batch=0", "nonsense",
            "loss.name=dicee",
        )
    )  # fmt: skip
    for said in ("network.name", "Did you mean width", "sampling.batch is 0", "nonsense", "dicee"):
        assert said in text


def test_a_plan_is_not_changed_by_a_refusal() -> None:
    plan = make_plan()
    with pytest.raises(BadPlan):
        change_plan(plan, ["sampling.batch=0"])
    assert plan == make_plan()


def test_all_mistakes_in_a_file_at_once(tmp_path: Path) -> None:
    path = store(
        tmp_path,
        network={"name": "unett"},
        loss={"options": {"dice_wieght": 1}},
        sampling={"btach": 3, "patch": [32]},
        training={"threads": 0},
    )
    refused = refusal(path)
    assert all(p.path == str(path) for p in refused.problems)
    text = str(refused)
    for said in (
        "no network called 'unett'", "no option 'dice_wieght'", "Did you mean dice_weight",
        "no field 'sampling.btach'", "Did you mean sampling.batch", "training.threads is 0",
    ):  # fmt: skip
        assert said in text


def test_missing_fields_are_named(tmp_path: Path) -> None:
    content = copy.deepcopy(STORED)
    del content["sampling"]["batch"], content["optimizer"]
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(content))
    text = str(refusal(path))
    assert "sampling.batch is missing" in text
    assert "optimizer is missing" in text


def test_unknown_fields_at_the_top_and_deep_inside(tmp_path: Path) -> None:
    content = copy.deepcopy(STORED)
    content["epochs"] = 3
    content["data"]["classes"][0]["color"] = "#fff"
    content["data"]["labels"]["tresholds"] = 3
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(content))
    text = str(refusal(path))
    assert "no field 'epochs'" in text
    assert "no field 'data.classes.0.color'" in text
    assert "Did you mean data.labels.threshold" in text


def test_a_newer_format(tmp_path: Path) -> None:
    assert "update pixelwise" in str(refusal(store(tmp_path, format_version=2)))


@pytest.mark.parametrize("text", ["[]", "3", '"plan"', '{"epochs": 3}', "null"])
def test_other_json(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    assert "it is not a plan" in str(refusal(path))


@pytest.mark.parametrize("content", [b"", b"width: 3\n", b"\x89PNG\r\n\x1a\n\x00\xff"])
def test_no_json_at_all(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"plan\.json"):
        load_plan(path)


@pytest.mark.parametrize("section", ["network", "task", "data", "intensity", "reasons"])
def test_sections_of_another_kind(tmp_path: Path, section: str) -> None:
    content = copy.deepcopy(STORED) | {section: "other"}
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(content))
    assert section in str(refusal(path))
