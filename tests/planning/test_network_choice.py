"""A network that was asked for by name: everything else is chosen around it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from torch import nn

from pixelwise.core.errors import UnknownName
from pixelwise.core.registry import Entry
from pixelwise.networks import NETWORKS, Field, NetworkIO, build_network, field_of
from pixelwise.networks.recipe import NEUTRAL, recipe_of
from pixelwise.planning.assembly import Demand, Proposal
from pixelwise.planning.candidate import Candidate, Measurement
from pixelwise.planning.network_choice import Situation, choose_network
from pixelwise.planning.optimizer_choice import RATE_WITH_NORM, RATE_WITHOUT_NORM
from pixelwise.planning.pins import Pins
from pixelwise.planning.plan_file import change_plan, read_pins
from pixelwise.planning.propose import propose_plan
from tests.plans import make_dataset, make_facts


class Machine:
    """A patch takes `seconds` at width 8, growing with the square of the width."""

    def __init__(self, seconds: float, *, has_norm: bool = True) -> None:
        self.seconds = seconds
        self.has_norm = has_norm
        self.asked: list[Candidate] = []

    def __call__(self, candidate: Candidate) -> Measurement:
        self.asked.append(candidate)
        width = candidate.network.options.get("width", 8)
        step = self.seconds * (width / 8) ** 2 * candidate.batch
        arithmetic = candidate.precision or "bfloat16", candidate.memory_format or "channels_last"
        return Measurement(step, 1e6, 1_000_000, 1000, *arithmetic, "measured", self.has_norm)


def choose(
    machine: Machine, *settings: str, patch: tuple[int, ...] = (256, 256), seconds: float = 1200
) -> Candidate:
    pins = read_pins(settings)
    n_dims = len(patch)
    situation = Situation(n_dims, 3, 2, patch, batch=4, seconds=seconds, pins=pins)
    return choose_network(situation, machine).candidate


def propose(machine: Machine, *settings: str) -> Proposal:
    pins = read_pins(settings)
    demand = Demand(600.0, pins=pins)
    return propose_plan(make_facts((300, 300)), make_dataset(), demand, measure=machine)


@pytest.mark.parametrize(
    ("seconds", "width", "batch"),
    [
        (0.001, 64, 4),  # 0.256 s a step at full width: 4687 steps
        (0.1, 8, 4),  # 0.4 s a step: 3000; width 16 would take 1.6 s: 750
        (0.3, 8, 4),  # 1.2 s a step: 1000 steps, 0.7 of 1200 are enough
        (0.5, 8, 2),  # 600 steps of 4 patches, but 1200 of 2
        (9.0, 8, 2),  # never fewer than 2 patches
    ],
)
def test_width_and_batch_fit_the_time(seconds: float, width: int, batch: int) -> None:
    found = choose(Machine(seconds), "network.name=segnet")
    assert found.network.name == "segnet"
    assert (found.network.options["width"], found.batch) == (width, batch)


def test_what_is_pinned_stays() -> None:
    settings = (
        "network.name=fcn-8s", "network.options.width=12", "network.options.norm=none",
        "sampling.patch=[96, 128]", "sampling.batch=7", "training.precision=float32",
        "training.memory_format=contiguous", "loss.name=soft-dice",
    )  # fmt: skip
    machine = Machine(50.0)
    found = choose(machine, *settings)
    assert dict(found.network.options) == {"width": 12, "norm": "none"}
    assert (found.patch, found.batch) == ((96, 128), 7)
    assert (found.precision, found.memory_format) == ("float32", "contiguous")
    assert found.loss.name == "soft-dice"
    assert machine.asked == [found]


def test_an_option_alone_keeps_the_planner_to_networks_that_have_it() -> None:
    """The light network has no dropout, the U-Net no norm before a stem of its own."""
    assert choose(Machine(50.0)).network.name == "light"
    assert choose(Machine(50.0), "network.options.dropout=0.5").network.name == "unet"
    assert choose(Machine(50.0), "network.options.max_width=64").network.name == "light"


def test_valid_networks_get_their_margin_on_top() -> None:
    """256 + 2 * 92 = 440; sizes are 16 i + 12, so 444; four patches have three times the pixels."""
    found = choose(Machine(0.001), "network.name=unet-paper", seconds=1e6)
    assert found.patch == (444, 444)
    assert found.batch == 2
    asked = choose(Machine(0.001), "network.name=unet-paper", "sampling.patch=[64,200]")
    assert asked.patch == (188, 204)


def test_the_window_classifier_learns_from_windows() -> None:
    proposal = propose(Machine(0.001, has_norm=False), "network.name=sliding-window")
    assert proposal.plan.sampling.patch == (95, 95)
    assert proposal.plan.sampling.batch == recipe_of("sliding-window").batch
    share = recipe_of("sliding-window").foreground_share
    assert proposal.plan.sampling.foreground_share == share


@pytest.mark.parametrize(
    ("patch", "unet", "nnunet"),
    [((256, 256), 4, 6), ((48, 64), 3, 4), ((16, 300), 2, 3), ((6, 6), 0, 1)],
)
def test_depth_fits_the_patch(patch: tuple[int, ...], unet: int, nnunet: int) -> None:
    """Halvings until the shortest edge would fall below 4; nnU-Net counts stages."""
    assert choose(Machine(9.0), "network.name=unet", patch=patch).network.options["depth"] == unet
    if nnunet > 1:
        found = choose(Machine(9.0), "network.name=nnunet", patch=patch)
        assert found.network.options["stages"] == nnunet


@pytest.mark.parametrize(("has_norm", "rate"), [(True, RATE_WITH_NORM), (False, RATE_WITHOUT_NORM)])
def test_learning_rate_by_norm(has_norm: bool, rate: float) -> None:
    plan = propose(Machine(0.001, has_norm=has_norm), "network.name=segnet").plan
    assert plan.optimizer.learning_rate == rate
    reasons = {choice.field: choice for choice in plan.reasons}
    assert ("has norm" in reasons["optimizer.learning_rate"].fact) == has_norm


def test_a_recipe_comes_before_the_rule() -> None:
    plan = propose(Machine(0.001), "network.name=light").plan
    assert plan.optimizer.learning_rate == recipe_of("light").learning_rate != RATE_WITH_NORM
    assert recipe_of("unet").learning_rate is None


def test_the_reason_for_the_size_outlives_the_setting() -> None:
    """`--set network.name=X` is applied to a plan that knows it: the planner's reason stays."""
    settings = ["network.name=segnet", "optimizer.learning_rate=0.1"]
    plan = change_plan(propose(Machine(0.02), *settings).plan, settings)
    reasons = {choice.field: choice for choice in plan.reasons}
    assert "You asked for this network" in reasons["network.name"].reason
    assert "segnet (width 16)" in reasons["network.name"].value
    assert reasons["optimizer.learning_rate"].fact == "given with --set"
    assert [c.field for c in plan.reasons].count("network.name") == 1


@pytest.mark.parametrize("name", NETWORKS.names())
def test_every_network_gets_a_plan_that_it_can_be_trained_with(name: str) -> None:
    """By its name alone: options that it has, patches that it takes, at least two of them."""
    machine = Machine(1.0)
    found = choose(machine, f"network.name={name}", patch=(192, 240))
    network = build_network(name, NetworkIO(2, 3, 2), dict(found.network.options))
    field = field_of(network)
    assert all(field.allows(edge) for edge in found.patch)
    assert all(field.output_size(edge) >= 1 for edge in found.patch)
    assert found.batch >= 2
    sampled = math.prod(found.patch) * found.batch
    assert sampled <= 5 * 192 * 240 * 4, "no batch is many times as large as was planned"


def test_own_networks_have_a_neutral_recipe() -> None:
    with pytest.raises(UnknownName, match="nonsense"):
        recipe_of("nonsense")
    assert NEUTRAL.widths == ()


def test_pins_of_whole_option_maps() -> None:
    values: dict[str, Any] = {
        "network.options": {"width": 8}, "network.options.norm": "none", "loss.name": "soft-dice",
    }  # fmt: skip
    pins = Pins(values)
    assert pins.network is None
    assert pins.network_options == {"width": 8, "norm": "none"}
    assert (pins.loss, pins.loss_options) == ("soft-dice", {})
    assert (pins.patch, pins.batch) == (None, None)


def test_a_network_that_looks_at_its_weights_while_it_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It cannot be built without memory; then it is built with some."""

    def build(io: NetworkIO) -> nn.Module:
        network = nn.Conv2d(io.in_channels, io.out_channels, 3)
        network.field = Field(margin=1 if float(network.weight.detach().sum()) < 1e9 else 2)
        return network

    entry = Entry("own", build, {}, "", {})
    monkeypatch.setitem(NETWORKS._entries, "own", entry)
    assert choose(Machine(9.0), "network.name=own").patch == (258, 258)
