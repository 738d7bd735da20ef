"""plan: what would be trained on a data set within a budget, why, how long, how much memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pixelwise.commands.check import CheckResult, check
from pixelwise.commands.published_start import require_weights_file, with_checked_weights
from pixelwise.core.case import DataSet
from pixelwise.core.errors import BadPlan, Problem, raise_errors
from pixelwise.core.plan import Plan, network_input
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.quantities import parse_duration
from pixelwise.core.records import Facts
from pixelwise.core.runtime import usable_cores
from pixelwise.core.user_parts import load_user_parts
from pixelwise.data.labels import read_labels
from pixelwise.data.symmetry import measure_asymmetry
from pixelwise.learning.contract import check_parts
from pixelwise.learning.probe import Probe
from pixelwise.networks import NetworkIO, build_network, field_of
from pixelwise.planning.candidate import Candidate, Measurement
from pixelwise.planning.pins import Pins
from pixelwise.planning.plan_file import change_plan, load_plan, read_pins, save_plan
from pixelwise.planning.propose import Proposal, propose_plan

SHORTEST_BUDGET_SECONDS = 10.0
DEFAULT_BUDGET = "10m"
HOLD_OUT_SHARE = 0.25
"""Share of a single image that is kept from training to validate on."""

_CASES_FOR_SYMMETRY = 32


@dataclass(frozen=True, slots=True)
class PlanResult:
    """A plan, the data that it was made for, and what it is expected to cost here."""

    plan: Plan
    dataset: DataSet
    facts: Facts
    problems: tuple[Problem, ...]
    measurement: Measurement
    expected_steps: int
    expected_seconds: float
    expected_bytes: int
    notes: tuple[str, ...] = ()


def plan(
    data: str | Path,
    *,
    budget: str | float | None = None,
    plan: str | Path | None = None,
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
    settings: "section.field=value".
    use: a Python file with the user's own network or loss. out: where to write the plan.
    Raises BadData with every problem of the data, BadPlan with every problem of the plan.
    """
    if use is not None:
        load_user_parts(Path(use))
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
        listener=listener,
    )
    raise_errors(checked.problems)
    dataset, facts = _require(checked)
    dataset, hold_out, notes = _ensure_validation(dataset)
    facts = _with_asymmetry(facts, dataset)
    if given is None and settings:
        unmeasured = propose_plan(
            facts,
            dataset,
            budget_seconds=seconds,
            measure=_pretend,
            seed=seed,
            hold_out=hold_out,
            pins=pins.only("geometry"),  # it decides how many axes everything else has
        )
        change_plan(unmeasured.plan, settings)  # mistakes are told before the measuring starts
    probe = Probe(int(pins.get("training.threads") or usable_cores()))
    listener.say("Measuring this machine …")
    if given is not None:
        budgeted = settings if budget is None else (f"training.budget_seconds={seconds}", *settings)
        proposal = _take_plan(given, facts, dataset, budgeted, probe)
    else:
        proposal = propose_plan(
            facts,
            dataset,
            budget_seconds=seconds,
            measure=probe,
            seed=seed,
            hold_out=hold_out,
            pins=pins,
        )
        if settings:
            changed = change_plan(proposal.plan, settings)
            proposal = _remeasure(proposal, changed, facts, probe)
    fitting = with_checked_weights(_with_fitting_patch(proposal.plan))
    proposal = replace(proposal, plan=fitting)
    if use is not None:
        check_parts(proposal.plan.network, proposal.plan.loss, _io(proposal.plan))
    if out is not None:
        save_plan(Path(out), proposal.plan)
    return PlanResult(
        plan=proposal.plan,
        dataset=dataset,
        facts=facts,
        problems=checked.problems,
        measurement=proposal.measurement,
        expected_steps=proposal.plan.training.steps or proposal.expected_steps,
        expected_seconds=proposal.expected_seconds,
        expected_bytes=proposal.expected_bytes,
        notes=notes,
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


def _ensure_validation(dataset: DataSet) -> tuple[DataSet, float, tuple[str, ...]]:
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


def _take_plan(
    given: Plan, facts: Facts, dataset: DataSet, settings: Sequence[str], probe: Probe
) -> Proposal:
    plan = change_plan(given, settings) if settings else given
    raise_errors(_compare(plan, facts, dataset), BadPlan)
    measured = probe(_candidate(plan))
    seconds = plan.training.budget_seconds or 0.0
    steps = plan.training.steps or max(1, int(seconds / measured.step_seconds))
    expected = steps * measured.step_seconds if plan.training.steps else seconds
    return Proposal(plan, measured, steps, expected, measured.training_bytes)


def _compare(plan: Plan, facts: Facts, dataset: DataSet) -> list[Problem]:
    """A plan made for other data: everything that does not fit."""
    problems = []
    names = tuple(c.name for c in plan.data.classes)
    found = tuple(c.name for c in dataset.classes)
    pairs = (
        ("dimensions", plan.data.n_dims, facts.n_dims),
        ("channels", plan.data.n_channels, len(facts.channels)),
        ("classes", ", ".join(names), ", ".join(found)),
        ("overlapping regions", plan.data.labels.holds_regions, dataset.meaning.holds_regions),
    )
    for what, planned, present in pairs:
        if planned != present:
            problems.append(
                Problem(
                    f"the plan was made for other data: its {what}: {planned}; the data's: "
                    f"{present}",
                    f"the same {what}",
                    "Make a plan for this data with `pixelwise plan`.",
                    code="foreign-plan",
                )
            )
    known = {case.id for case in dataset.cases}
    missing = sorted({i for ids in plan.data.splits.values() for i in ids} - known)
    if missing:
        shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        problems.append(
            Problem(
                f"the plan names {len(missing)} cases that the data does not have: {shown}",
                "the cases of the plan's splits",
                "Make a plan for this data with `pixelwise plan`.",
                code="foreign-plan",
            )
        )
    return problems


def _remeasure(proposal: Proposal, changed: Plan, facts: Facts, probe: Probe) -> Proposal:
    before, after = proposal.plan, changed
    same = (before.network, before.sampling) == (after.network, after.sampling)
    measured = proposal.measurement if same else probe(_candidate(after))
    added = measured.training_bytes - proposal.measurement.training_bytes
    seconds = proposal.expected_steps * proposal.measurement.step_seconds
    steps = changed.training.steps or max(1, int(seconds / measured.step_seconds))
    expected = (
        steps * measured.step_seconds if changed.training.steps else proposal.expected_seconds
    )
    return Proposal(changed, measured, steps, expected, proposal.expected_bytes + added)


def _candidate(plan: Plan) -> Candidate:
    return Candidate(
        plan.network,
        *network_input(plan),
        len(plan.data.classes),
        plan.sampling.patch,
        plan.sampling.batch,
    )


def _io(plan: Plan) -> NetworkIO:
    return NetworkIO(*network_input(plan), len(plan.data.classes))


def _with_fitting_patch(plan: Plan) -> Plan:
    """Patches grow to the next size that the network takes (valid convolutions)."""
    field = field_of(build_network(plan.network.name, _io(plan), dict(plan.network.options)))
    patch = tuple(field.valid_size(length) for length in plan.sampling.patch)
    sampling = plan.sampling.model_copy(update={"patch": patch})
    return plan.model_copy(update={"sampling": sampling})
