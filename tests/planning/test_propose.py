"""A budget and a measured step time decide on the network; every choice has a reason."""

from __future__ import annotations

import pytest

from pixelwise.networks.unet import WIDTHS
from pixelwise.planning.assembly import Demand, Proposal, training_seconds
from pixelwise.planning.candidate import Candidate, Measurement
from pixelwise.planning.network_choice import STEPS_WANTED
from pixelwise.planning.plan_file import check_plan
from pixelwise.planning.propose import propose_plan
from tests.plans import make_dataset, make_facts


class Machine:
    """Takes `seconds` a step at width 16, growing with the square of the width."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asked: list[Candidate] = []

    def __call__(self, candidate: Candidate) -> Measurement:
        self.asked.append(candidate)
        options = candidate.network.options
        cost = (options["width"] / 16) ** 2 if candidate.network.name == "unet" else 1 / 3
        return Measurement(
            self.seconds * cost, 1e6, 10_000_000, 1000, "bfloat16", "channels_last", "measured"
        )


def propose(machine: Machine, budget: float = 600.0, **options: float) -> Proposal:
    demand = Demand(budget, **options)  # type: ignore[arg-type]
    return propose_plan(make_facts(), make_dataset(), demand, measure=machine)


def test_time_for_training() -> None:
    """600 s: nine tenths less 12 s; of a short budget at least 40 %."""
    assert training_seconds(600) == pytest.approx(528)
    assert training_seconds(20) == pytest.approx(8)


@pytest.mark.parametrize(
    ("seconds", "name", "width"),
    [
        (0.001, "unet", WIDTHS[-1]),  # everything fits
        (0.3, "unet", 16),  # 1760 steps; width 24 would take 2.25 times as long: 782
        (0.15, "unet", 24),  # 3520 steps at 16, 1564 at 24, 880 at 32
        (1.0, "light", None),  # 528 steps of a U-Net are too few
    ],
)
def test_the_widest_network_with_enough_steps(seconds: float, name: str, width: int | None) -> None:
    machine = Machine(seconds)
    found = propose(machine)
    assert found.plan.network.name == name
    assert found.plan.network.options.get("width") == width
    steps = int(528 / found.measurement.step_seconds)
    assert found.expected_steps == steps
    assert name == "light" or steps >= 0.7 * STEPS_WANTED
    assert found.measurement.step_seconds == machine(machine.asked[-1]).step_seconds


def test_the_plan_is_valid_and_explained() -> None:
    plan = propose(Machine(0.3)).plan
    assert check_plan(plan.model_dump(mode="json"), "") == plan
    assert plan.training.steps is None
    assert plan.training.budget_seconds == 600
    assert (plan.training.precision, plan.training.memory_format) == ("bfloat16", "channels_last")
    assert plan.data.splits["train"] == tuple(f"case-{i}" for i in range(4))
    fields = {choice.field for choice in plan.reasons}
    assert {"network.name", "training.precision", "sampling.patch", "intensity.scheme"} <= fields
    assert all(choice.fact and choice.reason and choice.value for choice in plan.reasons)
    losses = [choice for choice in plan.reasons if choice.field == "loss.name"]
    assert "cell, takes 10.00%" in losses[0].fact


def test_a_single_image_is_trained_and_validated_on() -> None:
    plan = propose(Machine(0.3), hold_out=0.25).plan
    assert plan.data.hold_out == 0.25
    assert plan.data.splits["val"] == plan.data.splits["train"]


def test_memory_is_what_was_measured_and_the_decoded_data() -> None:
    """4 cases of 100 x 100 bytes and as many labels, the step, and the process itself."""
    found = propose(Machine(0.3))
    assert found.expected_bytes == 700_000_000 + 10_000_000 + 4 * 100 * 100 * 2
