"""What was decided, put together as a plan with its reasons and its expected cost."""

from __future__ import annotations

from dataclasses import dataclass

from pixelwise.core.case import DataSet
from pixelwise.core.plan import (
    ClassEntry,
    DataSection,
    InferenceSection,
    IntensitySection,
    LabelSection,
    LossSection,
    NetworkSection,
    OriginSection,
    Plan,
    SamplingSection,
    TrainingSection,
)
from pixelwise.core.records import Choice, Facts
from pixelwise.core.runtime import package_version, usable_cores
from pixelwise.planning.candidate import Measurement
from pixelwise.planning.choices import choose_augmentation, choose_tile
from pixelwise.planning.memory import MemoryPart, expected_memory
from pixelwise.planning.network_choice import ChosenNetwork
from pixelwise.planning.optimizer_choice import choose_optimizer
from pixelwise.planning.origin import data_digest, machine_facts
from pixelwise.planning.pins import FREE, Pins
from pixelwise.planning.task_choice import ChosenTask
from pixelwise.planning.volumes import Grid

FOREGROUND_SHARE = 0.5
"""Share of the patches that are centred on an object."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What somebody asks of a plan.

    hold_out: share of a single image that is kept from training. pins: what is fixed of the
    network, its patches and its arithmetic. memory_bytes: that a training may take, None for
    as much as it needs.
    """

    budget_seconds: float
    seed: int = 0
    hold_out: float = 0.0
    pins: Pins = FREE
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Design:
    """Everything that planners decide in ways of their own.

    patch: that suits the images, whatever the network takes. reasons: besides those of the
    parts and of the network.
    """

    grid: Grid
    patch: tuple[int, ...]
    task: ChosenTask
    chosen: ChosenNetwork
    intensity: IntensitySection
    reasons: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan and what it is expected to cost. considered: every network that was measured."""

    plan: Plan
    measurement: Measurement
    expected_steps: int
    expected_seconds: float
    memory: tuple[MemoryPart, ...]
    considered: tuple[tuple[str, Measurement], ...] = ()

    @property
    def expected_bytes(self) -> int:
        """The most memory that the training is expected to hold."""
        return sum(part.n_bytes for part in self.memory)


def training_seconds(budget_seconds: float) -> float:
    """About how much of a budget is left for training after reading, measuring, scoring."""
    return max(0.9 * budget_seconds - 12.0, 0.4 * budget_seconds)


def assemble(facts: Facts, dataset: DataSet, design: Design, demand: Demand) -> Proposal:
    """The plan of a design: what is left to choose is chosen as for every network."""
    chosen, pins = design.chosen, demand.pins
    candidate, measured, recipe = chosen.candidate, chosen.measurement, chosen.recipe
    optimizer, optimizer_reason = choose_optimizer(
        recipe, has_norm=measured.has_norm, has_weights=pins.weights is not None
    )
    augmentation, augmentation_reasons = choose_augmentation(facts, design.patch, design.grid)
    tile, halo = choose_tile(design.grid)
    precision_reason = Choice(
        field="training.precision",
        value=f"{measured.precision}, {measured.memory_format}",
        fact=measured.sentence,
        reason="The fastest arithmetic on this processor that trains as well.",
    )
    plan = Plan(
        package_version=package_version(),
        task=design.task.task,
        data=_data_section(facts, dataset, demand.hold_out),
        geometry=design.grid.geometry,
        intensity=design.intensity,
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
            budget_seconds=demand.budget_seconds,
            seed=demand.seed,
            precision=measured.precision,  # type: ignore[arg-type]  # checked by pydantic
            memory_format=measured.memory_format,  # type: ignore[arg-type]  # likewise
            threads=usable_cores(),
        ),
        inference=InferenceSection(tile=tile, halo=halo, batch=1),
        origin=OriginSection(machine=machine_facts(), data_digest=data_digest(facts)),
        reasons=(
            chosen.reasons[0],
            optimizer_reason,
            precision_reason,
            *design.grid.reasons,
            *chosen.reasons[1:],
            *design.reasons,
            *augmentation_reasons,
            *design.task.reasons,
        ),
    )
    seconds = training_seconds(demand.budget_seconds)
    steps = max(1, int(seconds / measured.step_seconds))
    memory = expected_memory(facts, plan, measured.training_bytes)
    return Proposal(plan, measured, steps, demand.budget_seconds, memory)


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
