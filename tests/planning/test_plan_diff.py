"""Two plans side by side: every field that differs, nothing else."""

from __future__ import annotations

from pixelwise.core.records import Choice
from pixelwise.planning.plan_diff import Difference, diff_plans
from pixelwise.planning.plan_file import change_plan
from tests.plans import make_plan


def test_a_plan_and_itself() -> None:
    assert diff_plans(make_plan(), make_plan()) == ()


def test_changed_fields_with_their_reasons() -> None:
    """Batch 2 to 8 and width 4 to 6 were asked for; the first plan explains its batch."""
    plan = make_plan()
    other = change_plan(plan, ["sampling.batch=8", "network.options.width=6"])
    found = diff_plans(plan, other)
    assert found == (
        Difference("network.options.width", "4", "6", "", "given with --set: You asked for it."),
        Difference(
            "sampling.batch",
            "2",
            "8",
            "small images: They fit.",
            "given with --set: You asked for it.",
        ),
    )


def test_options_that_only_one_network_has() -> None:
    plan = make_plan()
    other = change_plan(plan, ["network.name=light"])
    fields = {d.field: (d.first, d.second) for d in diff_plans(plan, other)}
    assert fields == {
        "network.name": ("unet", "light"),
        "network.options.width": ("4", "not there"),
        "network.options.depth": ("1", "not there"),
    }


def test_the_reason_of_a_network_stands_for_its_options() -> None:
    reason = Choice(field="network.name", value="unet", fact="slow", reason="Small is enough.")
    plan = make_plan().model_copy(update={"reasons": (reason,)})
    other = change_plan(make_plan(), ["network.options.depth=2"])
    assert diff_plans(plan, other)[0].first_reason == "slow: Small is enough."


def test_long_lists_are_told_by_what_is_not_in_both() -> None:
    plan = make_plan()
    ids = tuple(f"case-{i:03d}" for i in range(40))
    splits = [
        {"train": ids, "val": (), "test": ()},
        {"train": (*ids[2:], "new"), "val": (), "test": ()},
    ]
    plans = [
        plan.model_copy(update={"data": plan.data.model_copy(update={"splits": entry})})
        for entry in splits
    ]
    assert diff_plans(*plans) == (
        Difference(
            "data.splits.train",
            "40 entries, 2 only here: case-000, case-001",
            "39 entries, 1 only here: new",
        ),
    )
