"""Facts, a time budget and the measured step time of this machine become a plan with reasons."""

from __future__ import annotations

from dataclasses import dataclass

from pixelwise.core.case import DataSet
from pixelwise.core.plan import (
    ClassEntry,
    DataSection,
    InferenceSection,
    LabelSection,
    LossSection,
    NetworkSection,
    Plan,
    SamplingSection,
    TrainingSection,
)
from pixelwise.core.records import Choice, Facts
from pixelwise.core.runtime import package_version, usable_cores
from pixelwise.planning.candidate import Measure, Measurement
from pixelwise.planning.choices import (
    choose_augmentation,
    choose_intensity,
    choose_patch,
    choose_tile,
)
from pixelwise.planning.network_choice import Situation, choose_network
from pixelwise.planning.optimizer_choice import choose_optimizer
from pixelwise.planning.pins import FREE, Pins
from pixelwise.planning.task_choice import choose_task
from pixelwise.planning.volumes import choose_grid


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan and what it is expected to cost."""

    plan: Plan
    measurement: Measurement
    expected_steps: int
    expected_seconds: float
    expected_bytes: int


FOREGROUND_SHARE = 0.5
"""Share of the patches that are centred on an object."""

_FIXED_BYTES = 700_000_000
"""Interpreter, libraries and allocator slack of a training process, measured."""


def propose_plan(
    facts: Facts,
    dataset: DataSet,
    *,
    budget_seconds: float,
    measure: Measure,
    seed: int = 0,
    hold_out: float = 0.0,
    pins: Pins = FREE,
) -> Proposal:
    """The plan for a data set, a budget and this machine; each choice carries its reason.

    `measure` times one training step and one prediction of a candidate. pins: what the user
    has fixed of the network, its patches and its arithmetic; the rest is chosen around it.
    Without a network asked for, the widest U-Net that gets enough steps is taken.
    """
    seconds = training_seconds(budget_seconds)
    grid = choose_grid(
        facts, is_spacing_given=dataset.is_spacing_given, asked=pins.section("geometry")
    )
    suiting, batch, patch_reasons = choose_patch(facts, grid, seconds)
    task = choose_task(facts, dataset)
    chosen = choose_network(
        Situation(
            n_dims=len(grid.shape),
            n_channels=len(facts.channels) * grid.n_slices,
            n_classes=len(dataset.classes),
            patch=suiting,
            batch=batch,
            seconds=seconds,
            pins=pins,
            loss=task.loss,
            steps=grid.steps,
        ),
        measure,
    )
    candidate, measured, recipe = chosen.candidate, chosen.measurement, chosen.recipe
    steps = max(1, int(seconds / measured.step_seconds))
    optimizer, optimizer_reason = choose_optimizer(
        recipe, has_norm=measured.has_norm, has_weights=pins.weights is not None
    )
    intensity, intensity_reason = choose_intensity(facts)
    augmentation, augmentation_reasons = choose_augmentation(facts, suiting, grid)
    tile, halo = choose_tile(grid)
    reasons = (
        chosen.reasons[0],
        optimizer_reason,
        Choice(
            field="training.precision",
            value=f"{measured.precision}, {measured.memory_format}",
            fact=measured.sentence,
            reason="The fastest arithmetic on this processor that trains as well.",
        ),
        *grid.reasons,
        *(chosen.reasons[1:] or patch_reasons),
        intensity_reason,
        *augmentation_reasons,
        *task.reasons,
    )
    plan = Plan(
        package_version=package_version(),
        task=task.task,
        data=_data_section(facts, dataset, hold_out),
        geometry=grid.geometry,
        intensity=intensity,
        network=NetworkSection(**dict(candidate.network), weights=pins.weights),
        loss=LossSection(**dict(candidate.loss)),
        sampling=SamplingSection(
            patch=candidate.patch,
            batch=candidate.batch,
            foreground_share=FOREGROUND_SHARE
            if recipe.foreground_share is None
            else recipe.foreground_share,
        ),
        augmentation=augmentation,
        optimizer=optimizer,
        training=TrainingSection(
            steps=None,
            budget_seconds=budget_seconds,
            seed=seed,
            precision=measured.precision,  # type: ignore[arg-type]  # checked by pydantic
            memory_format=measured.memory_format,  # type: ignore[arg-type]  # likewise
            threads=usable_cores(),
        ),
        inference=InferenceSection(tile=tile, halo=halo, batch=1),
        reasons=reasons,
    )
    expected_bytes = _FIXED_BYTES + measured.training_bytes + _data_bytes(facts)
    return Proposal(plan, measured, steps, budget_seconds, expected_bytes)


def training_seconds(budget_seconds: float) -> float:
    """About how much of a budget is left for training after reading, measuring, scoring."""
    return max(0.9 * budget_seconds - 12.0, 0.4 * budget_seconds)


def _data_bytes(facts: Facts) -> int:
    n_bytes = 0
    for case in facts.cases:
        pixels = 1
        for length in case.shape:
            pixels *= length
        n_bytes += pixels * (case.n_channels * _item_bytes(case.dtype) + 1)
    return min(n_bytes, 1 << 30)


def _item_bytes(dtype: str) -> int:
    digits = "".join(ch for ch in dtype if ch.isdigit())
    return max(1, int(digits) // 8) if digits else 1


def _data_section(facts: Facts, dataset: DataSet, hold_out: float) -> DataSection:
    splits = {
        split: tuple(case.id for case in dataset.cases if case.split == split)
        for split in ("train", "val", "test")
    }
    if hold_out > 0:
        splits["val"] = splits["train"]
    meaning = dataset.meaning
    return DataSection(
        n_dims=2 if facts.n_dims == 2 else 3,
        n_channels=len(facts.channels),
        classes=tuple(ClassEntry(id=c.id, name=c.name, colour=c.colour) for c in dataset.classes),
        labels=LabelSection(
            kind=meaning.kind,
            to_class=dict(meaning.to_class),
            threshold=meaning.threshold,
            palette=meaning.palette,
            holds_regions=meaning.holds_regions,
            folders=meaning.folders,
        ),
        spacing=facts.spacing,
        unit=dataset.unit,
        splits=splits,
        hold_out=hold_out,
    )
