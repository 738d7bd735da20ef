"""Facts, a time budget and the measured step time of this machine become a plan with reasons."""

from __future__ import annotations

from dataclasses import replace

from pixelwise.core.case import DataSet
from pixelwise.core.quantities import format_bytes
from pixelwise.core.records import Choice, Facts
from pixelwise.planning.assembly import Demand, Design, Proposal, assemble, training_seconds
from pixelwise.planning.candidate import Candidate, Measure, Measurement, describe_network
from pixelwise.planning.choices import choose_intensity, choose_patch
from pixelwise.planning.network_choice import Situation, choose_network
from pixelwise.planning.task_choice import choose_task
from pixelwise.planning.volumes import choose_grid

_SMALLEST_EDGE = 32
"""Patches are not made smaller than this to save memory."""


def propose_plan(facts: Facts, dataset: DataSet, demand: Demand, *, measure: Measure) -> Proposal:
    """The plan for a data set, a budget and this machine; each choice carries its reason.

    `measure` times one training step and one prediction of a candidate. Without a network asked
    for, the widest U-Net that gets enough steps is taken. Where it would take more memory than
    is allowed, batch and patch are halved until it fits.
    """
    seconds, pins = training_seconds(demand.budget_seconds), demand.pins
    grid = choose_grid(
        facts, is_spacing_given=dataset.is_spacing_given, asked=pins.section("geometry")
    )
    suiting, batch, patch_reasons = choose_patch(facts, grid, seconds)
    task = choose_task(facts, dataset)
    intensity, intensity_reason = choose_intensity(facts)
    noted = _Noted(measure)
    situation = Situation(
        n_dims=len(grid.shape),
        n_channels=len(facts.channels) * grid.n_slices,
        n_classes=len(dataset.classes),
        patch=suiting,
        batch=batch,
        seconds=seconds,
        pins=pins,
        loss=task.loss,
        steps=grid.steps,
    )
    reasons: tuple[Choice, ...] = ()
    while True:
        chosen = choose_network(situation, noted)
        own = () if chosen.reasons[1:] else tuple(patch_reasons)
        design = Design(grid, suiting, task, chosen, intensity, (*reasons, *own, intensity_reason))
        proposal = assemble(facts, dataset, design, demand)
        smaller = _smaller(situation)
        if not _is_too_much(proposal, demand) or smaller is None:
            return replace(proposal, considered=tuple(noted.found))
        situation, patch_reasons = smaller, []
        reasons = (_memory_reason(proposal, smaller, demand),)


class _Noted:
    """Hands candidates on to be measured, and keeps what was found."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self.found: list[tuple[str, Measurement]] = []

    def __call__(self, candidate: Candidate) -> Measurement:
        """The measurement of a candidate."""
        measured = self._measure(candidate)
        shape = " x ".join(str(edge) for edge in candidate.patch)
        name = f"{describe_network(candidate.network)}, {candidate.batch} patches of {shape}"
        self.found.append((name, measured))
        return measured


def _is_too_much(proposal: Proposal, demand: Demand) -> bool:
    return demand.memory_bytes is not None and proposal.expected_bytes > demand.memory_bytes


def _smaller(situation: Situation) -> Situation | None:
    """Fewer patches at a time, then shorter ones; None if both are as small as makes sense."""
    if situation.batch > 2 and situation.pins.batch is None:
        return replace(situation, batch=situation.batch // 2)
    patch = tuple(max(min(edge, _SMALLEST_EDGE), edge // 2) for edge in situation.patch)
    if patch == situation.patch or situation.pins.patch is not None:
        return None
    return replace(situation, patch=patch)


def _memory_reason(proposal: Proposal, smaller: Situation, demand: Demand) -> Choice:
    shape = " x ".join(str(edge) for edge in smaller.patch)
    return Choice(
        field="sampling.batch",
        value=f"{smaller.batch} patches of {shape}",
        fact=f"the step before took {format_bytes(proposal.expected_bytes)} of the "
        f"{format_bytes(demand.memory_bytes or 0)} that a training may take here",
        reason="Fewer or smaller patches take less memory at the price of noisier steps.",
    )
