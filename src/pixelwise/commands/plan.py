"""plan: what would be trained on a data set within a budget, why, how long, how much memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pixelwise.commands.check import CheckResult, check
from pixelwise.commands.given_plan import remeasure, take_plan
from pixelwise.commands.published_start import require_weights_file, with_checked_weights
from pixelwise.commands.time_budget import Clock, TimePart, expected_times, require_time
from pixelwise.core.case import DataSet
from pixelwise.core.errors import BadPlan, Problem, raise_errors
from pixelwise.core.plan import Plan, network_input
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.quantities import format_bytes, parse_bytes, parse_duration
from pixelwise.core.records import Facts
from pixelwise.core.runtime import usable_cores, usable_memory
from pixelwise.core.user_parts import load_user_parts
from pixelwise.data.labels import read_labels
from pixelwise.data.object_boxes import measure_boxes
from pixelwise.data.symmetry import measure_asymmetry
from pixelwise.learning.contract import check_parts
from pixelwise.learning.probe import Probe
from pixelwise.networks import NetworkIO, build_network, field_of
from pixelwise.planning.assembly import Demand, Proposal
from pixelwise.planning.candidate import Candidate, Measurement
from pixelwise.planning.memory import MemoryPart
from pixelwise.planning.nnunet_proposal import (
    PLANNERS,
    Planner,
    planned_cases,
    propose_nnunet,
)
from pixelwise.planning.pins import Pins
from pixelwise.planning.plan_file import change_plan, load_plan, read_pins, save_plan
from pixelwise.planning.propose import propose_plan

SHORTEST_BUDGET_SECONDS = 10.0
DEFAULT_BUDGET = "10m"
HOLD_OUT_SHARE = 0.25
"""Share of a single image that is kept from training to validate on."""

PROBE_SHARE = 0.05
"""Share of the budget that measuring this machine may take."""

_CASES_FOR_SYMMETRY = 32


@dataclass(frozen=True, slots=True)
class PlanResult:
    """A plan, the data that it was made for, and what it is expected to cost here.

    memory, times: the expected cost part by part. considered: every network that was measured.
    probe_seconds: that measuring took. notes: what a person should know of this plan.
    """

    plan: Plan
    dataset: DataSet
    facts: Facts
    problems: tuple[Problem, ...]
    measurement: Measurement
    expected_steps: int
    expected_seconds: float
    memory: tuple[MemoryPart, ...]
    times: tuple[TimePart, ...]
    considered: tuple[tuple[str, Measurement], ...] = ()
    probe_seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def expected_bytes(self) -> int:
        """The most memory that the training is expected to hold."""
        return sum(part.n_bytes for part in self.memory)


def plan(
    data: str | Path,
    *,
    budget: str | float | None = None,
    plan: str | Path | None = None,
    planner: Planner = "own",
    memory: str | int | None = None,
    settings: Sequence[str] = (),
    use: str | Path | None = None,
    out: str | Path | None = None,
    group: str | None = None,
    label_map: str | None = None,
    allow_unpaired: bool = False,
    seed: int = 0,
    listener: Listener = SILENT,
) -> PlanResult:
    """Plan a training without doing it: facts, measurements of this machine, choices, reasons.

    budget: wall-clock time of the whole training command ("30s", "10m", "2h"; default: the
    given plan's, else 10 minutes). plan: a plan file to take instead of a new proposal.
    planner: "own", or nnU-Net's rules. memory: that the training may take ("4 GB"); for
    nnU-Net's rules that of the graphics card to plan for. settings: "section.field=value".
    use: a Python file with the user's own network or loss. out: where to write the plan.
    Raises BadData with every problem of the data, BadPlan with every problem of the plan.
    """
    started = time.monotonic()
    if use is not None:
        load_user_parts(Path(use))
    _require_planner(planner, plan)
    given = None if plan is None else load_plan(Path(plan))
    pins = read_pins(settings)
    require_weights_file(pins.weights)
    seconds = _budget_seconds(budget if budget is not None else _pinned_budget(pins), given)
    if seconds < SHORTEST_BUDGET_SECONDS:
        raise BadPlan(
            f"the time budget is {seconds:g} s",
            f"at least {SHORTEST_BUDGET_SECONDS:g} s: reading, measuring and scoring take that",
            "Give more time, for example --budget 1m.",
            code="short-budget",
        )
    checked = check(
        data,
        group=group,
        label_map=label_map,
        seed=seed,
        allow_unpaired=allow_unpaired,
        quick=True,
        listener=listener,
    )
    raise_errors(checked.problems)
    dataset, facts = _require(checked)
    dataset, hold_out, notes = ensure_validation(dataset)
    facts = _with_asymmetry(facts, dataset)
    demand = Demand(seconds, seed, hold_out, pins, None if memory is None else parse_bytes(memory))
    probe = Probe(int(pins.get("training.threads") or usable_cores()), PROBE_SHARE * seconds)
    if given is not None:
        listener.say("Measuring this machine …")
        budgeted = settings if budget is None else (f"training.budget_seconds={seconds}", *settings)
        proposal, differences = take_plan(given, facts, dataset, budgeted, probe)
        notes += differences
    else:
        proposal = _propose(facts, dataset, demand, settings, planner, probe, listener)
    fitting = with_checked_weights(_with_fitting_patch(proposal.plan))
    proposal = replace(proposal, plan=fitting)
    if use is not None:
        check_parts(fitting.network, fitting.loss, _io(fitting))
    fixed = fitting.training.steps is not None
    clock = Clock(started, None if fixed else fitting.training.budget_seconds)
    require_time(clock, fitting, facts, proposal.measurement)
    notes += _memory_note(proposal)
    if out is not None:
        save_plan(Path(out), fitting)
    return PlanResult(
        plan=fitting,
        dataset=dataset,
        facts=facts,
        problems=checked.problems,
        measurement=proposal.measurement,
        expected_steps=fitting.training.steps or proposal.expected_steps,
        expected_seconds=proposal.expected_seconds,
        memory=proposal.memory,
        times=expected_times(clock, fitting, facts, proposal.measurement),
        considered=proposal.considered,
        probe_seconds=probe.spent_seconds,
        notes=notes,
    )


def _propose(
    facts: Facts,
    dataset: DataSet,
    demand: Demand,
    settings: Sequence[str],
    planner: Planner,
    probe: Probe,
    listener: Listener,
) -> Proposal:
    """A new plan, with what was asked for built in; mistakes are told before the measuring."""
    if settings and planner == "own":
        # The geometry decides how many axes everything else has.
        first = replace(demand, pins=demand.pins.only("geometry"))
        change_plan(propose_plan(facts, dataset, first, measure=_pretend).plan, settings)
    if planner == "own":
        listener.say("Measuring this machine …")
        if demand.memory_bytes is None:
            demand = replace(demand, memory_bytes=usable_memory())
        proposal = propose_plan(facts, dataset, demand, measure=probe)
    else:
        by_id = {case.id: case for case in dataset.cases}
        cases = [by_id[case.id] for case in planned_cases(facts)]
        boxes = measure_boxes(cases, listener)
        listener.say("Measuring this machine …")
        proposal = propose_nnunet(facts, dataset, boxes, demand, measure=probe, planner=planner)
    if not settings:
        return proposal
    return remeasure(proposal, change_plan(proposal.plan, settings), facts, probe)


def _require_planner(planner: str, plan: str | Path | None) -> None:
    if planner not in PLANNERS:
        raise BadPlan(
            f"there is no planner {planner!r}",
            f"one of {', '.join(PLANNERS)}",
            "Correct it.",
            code="bad-value",
        )
    if planner != "own" and plan is not None:
        raise BadPlan(
            f"--planner {planner} was given together with --plan {plan}",
            "one of them: a plan that exists needs no planner",
            "Leave one of them out.",
            code="two-plans",
        )


def _memory_note(proposal: Proposal) -> tuple[str, ...]:
    free = usable_memory()
    if free is None or proposal.expected_bytes <= free:
        return ()
    return (
        f"This training is expected to take {format_bytes(proposal.expected_bytes)} of memory, and "
        f"{format_bytes(free)} are free: it may become slow or be killed. Lower sampling.batch or "
        "sampling.patch with --set, or take --planner own.",
    )


def _pretend(candidate: Candidate) -> Measurement:
    """No costs: the plan of a fast machine, whose U-Net knows every option of smaller networks."""
    return Measurement(1e-6, 1e6, 0, 0, "float32", "contiguous", "")


def _pinned_budget(pins: Pins) -> float | None:
    value = pins.get("training.budget_seconds")
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _budget_seconds(budget: str | float | None, given: Plan | None) -> float:
    if budget is not None:
        return parse_duration(budget)
    stored = None if given is None else given.training.budget_seconds
    return stored or parse_duration(DEFAULT_BUDGET)


def _require(checked: CheckResult) -> tuple[DataSet, Facts]:
    if checked.dataset is None or checked.facts is None:
        raise_errors(checked.problems)
        raise BadPlan("the data set could not be understood", "images with masks", "Run check.")
    return checked.dataset, checked.facts


def ensure_validation(dataset: DataSet) -> tuple[DataSet, float, tuple[str, ...]]:
    """A data set in which something is validated on: cases, else a share of each image (told)."""
    labelled = [case for case in dataset.cases if case.label is not None]
    if any(case.split == "val" for case in labelled):
        return dataset, 0.0, ()
    train = [case for case in labelled if case.split in ("train", None)]
    note = (
        f"There is no separate validation image: the last {HOLD_OUT_SHARE:.0%} of "
        f"{train[0].id if len(train) == 1 else 'each image'} along its longest axis is kept from "
        "training and scored. Neighbouring pixels are alike, so expect lower scores on new images."
    )
    cases = tuple(
        replace(case, split="train") if case.split is None else case for case in dataset.cases
    )
    return replace(dataset, cases=cases), HOLD_OUT_SHARE, (note,)


def _with_asymmetry(facts: Facts, dataset: DataSet) -> Facts:
    labelled = [c for c in dataset.cases if c.split == "train" and c.label is not None]
    chosen = labelled[:: max(1, len(labelled) // _CASES_FOR_SYMMETRY)]
    maps = (read_labels(case.label, dataset.meaning) for case in chosen if case.label is not None)
    n_regions = dataset.meaning.n_regions
    asymmetry = measure_asymmetry(maps, 1 << n_regions if n_regions else len(dataset.classes))
    return facts.model_copy(update={"asymmetry": asymmetry})


def _io(plan: Plan) -> NetworkIO:
    return NetworkIO(*network_input(plan), len(plan.data.classes))


def _with_fitting_patch(plan: Plan) -> Plan:
    """Patches grow to the next size that the network takes (valid convolutions)."""
    field = field_of(build_network(plan.network.name, _io(plan), dict(plan.network.options)))
    patch = tuple(field.valid_size(length) for length in plan.sampling.patch)
    sampling = plan.sampling.model_copy(update={"patch": patch})
    return plan.model_copy(update={"sampling": sampling})
