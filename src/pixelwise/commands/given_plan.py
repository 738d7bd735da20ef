"""A plan that was given instead of made here: does it fit the data, and what does it cost?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pixelwise.core.case import DataSet
from pixelwise.core.errors import BadPlan, Problem, raise_errors
from pixelwise.core.plan import Plan, network_input
from pixelwise.core.records import Facts
from pixelwise.planning.assembly import Proposal
from pixelwise.planning.candidate import Candidate, Measure
from pixelwise.planning.memory import expected_memory
from pixelwise.planning.origin import differences_from
from pixelwise.planning.plan_file import change_plan


def take_plan(
    given: Plan, facts: Facts, dataset: DataSet, settings: Sequence[str], measure: Measure
) -> tuple[Proposal, tuple[str, ...]]:
    """A stored plan with `settings` applied, measured here; and sentences on what is not as it was.

    Raises BadPlan with everything that shows that it was made for other data.
    """
    plan = change_plan(given, settings) if settings else given
    raise_errors(_compare(plan, facts, dataset), BadPlan)
    measured = measure(planned_candidate(plan))
    seconds = plan.training.budget_seconds or 0.0
    steps = plan.training.steps or max(1, int(seconds / measured.step_seconds))
    expected = steps * measured.step_seconds if plan.training.steps else seconds
    memory = expected_memory(facts, plan, measured.training_bytes)
    proposal = Proposal(plan, measured, steps, expected, memory)
    return proposal, differences_from(given.origin, facts)


def remeasure(proposal: Proposal, changed: Plan, facts: Facts, measure: Measure) -> Proposal:
    """A proposal whose plan was changed by hand, with what it costs now."""
    before, after = proposal.plan, changed
    same = (before.network, before.sampling) == (after.network, after.sampling)
    measured = proposal.measurement if same else measure(planned_candidate(after))
    seconds = proposal.expected_steps * proposal.measurement.step_seconds
    steps = changed.training.steps or max(1, int(seconds / measured.step_seconds))
    expected = (
        steps * measured.step_seconds if changed.training.steps else proposal.expected_seconds
    )
    return replace(
        proposal,
        plan=changed,
        measurement=measured,
        expected_steps=steps,
        expected_seconds=expected,
        memory=expected_memory(facts, changed, measured.training_bytes),
    )


def planned_candidate(plan: Plan) -> Candidate:
    """The network of a plan with its batches, as a probe takes it."""
    return Candidate(
        plan.network,
        *network_input(plan),
        len(plan.data.classes),
        plan.sampling.patch,
        plan.sampling.batch,
    )


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
