"""plan --diff, --page, --memory and --planner through the functions behind them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelwise.commands.compare_plans import compare_plans
from pixelwise.commands.plan import PlanResult, plan
from pixelwise.commands.write_plan_page import write_page_of_plan
from pixelwise.core.errors import BadPlan, UserError
from pixelwise.core.quantities import parse_bytes
from pixelwise.planning.plan_file import change_plan, save_plan
from pixelwise.report.plan_text import bar_lines, plan_lines
from tests.plans import make_plan

TINY = ["network.name=unet", "network.options.width=4", "network.options.depth=1",
        "sampling.patch=[32,32]"]  # fmt: skip


@pytest.fixture(scope="module")
def planned(tiny_data: Path) -> PlanResult:
    return plan(tiny_data, budget="2m", settings=TINY)


def test_two_files_and_two_runs(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    save_plan(tmp_path / "a.json", make_plan())
    save_plan(tmp_path / "run" / "plan.json", change_plan(make_plan(), ["sampling.batch=8"]))
    found = compare_plans(tmp_path / "a.json", tmp_path / "run")
    assert [(d.field, d.first, d.second) for d in found] == [("sampling.batch", "2", "8")]


def test_both_broken_plans_are_told(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text("[]")
    with pytest.raises(UserError) as caught:
        compare_plans(tmp_path / "a", tmp_path / "b")
    assert len(caught.value.problems) == 2


def test_time_and_memory_are_drawn(planned: PlanResult, tmp_path: Path) -> None:
    assert planned.expected_bytes == sum(part.n_bytes for part in planned.memory)
    assert sum(part.seconds for part in planned.times) == pytest.approx(120, abs=1)
    assert 0 < planned.probe_seconds < 0.1 * 120
    assert planned.plan.origin.data_digest
    write_page_of_plan(tmp_path / "plan.html", planned)
    page = (tmp_path / "plan.html").read_text()
    assert "<svg" in page and "training and looking at validation cases" in page
    assert "decoded images" in page
    text = "\n".join(plan_lines(planned))
    assert "Expected time: 2 min 00 s" in text and "Expected memory at the peak" in text


def test_bars_by_hand() -> None:
    """30 and 20 of 50 cells: the second part begins where the first one ends."""
    lines = bar_lines("Time", [("a", 3.0, "3 s"), ("bb", 2.0, "2 s")])
    assert lines[0] == "Time"
    assert lines[1] == "  a   " + "█" * 30 + " " * 21 + " 3 s"
    assert lines[2] == "  bb  " + " " * 30 + "█" * 20 + " " + " 2 s"


def test_a_repetition_elsewhere_says_what_differs(
    planned: PlanResult, tiny_data: Path, tmp_path: Path
) -> None:
    here = planned.plan
    origin = here.origin.model_copy(update={"machine": {"processor": "Abacus 3"}})
    save_plan(tmp_path / "there.json", here.model_copy(update={"origin": origin}))
    again = plan(tiny_data, plan=tmp_path / "there.json")
    assert any("processor Abacus 3, here" in note for note in again.notes)
    save_plan(tmp_path / "here.json", here)
    assert not plan(tiny_data, plan=tmp_path / "here.json").notes


def test_little_memory_makes_smaller_batches(planned: PlanResult, tiny_data: Path) -> None:
    """Just less than the plan would take: the batch is halved, and a reason given."""
    free = ["network.name=unet", "network.options.width=4", "network.options.depth=1"]
    first = plan(tiny_data, budget="2m", settings=free)
    limit = first.expected_bytes - 1_000_000
    second = plan(tiny_data, budget="2m", settings=free, memory=limit)
    assert second.plan.sampling.batch < first.plan.sampling.batch
    assert any("may take here" in reason.fact for reason in second.plan.reasons)


def test_planners_that_cannot_be(tiny_data: Path, tmp_path: Path) -> None:
    with pytest.raises(BadPlan, match="no planner 'magic'"):
        plan(tiny_data, planner="magic")  # type: ignore[arg-type]
    with pytest.raises(BadPlan, match="given together with --plan"):
        plan(tiny_data, planner="nnunet", plan=tmp_path / "plan.json")


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [("4 GB", 4_000_000_000), ("1.5gb", 1_500_000_000), ("800MB", 800_000_000), (2e9, 2 * 10**9)],
)
def test_sizes(text: str | float, n_bytes: int) -> None:
    assert parse_bytes(text) == n_bytes


@pytest.mark.parametrize("text", ["much", "-4 GB", "4 parsecs", "12"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(BadPlan, match="memory"):
        parse_bytes(text)
