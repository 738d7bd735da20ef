"""Facts, a time budget and the measured step time of this machine become a plan with reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pixelwise.core.case import DataSet
from pixelwise.core.plan import (
    ClassEntry,
    DataSection,
    InferenceSection,
    LabelSection,
    OptimizerSection,
    PartSection,
    Plan,
    SamplingSection,
    TrainingSection,
)
from pixelwise.core.quantities import format_duration
from pixelwise.core.records import Choice, Facts
from pixelwise.core.runtime import package_version, usable_cores
from pixelwise.planning.choices import (
    choose_augmentation,
    choose_intensity,
    choose_patch,
    choose_tile,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network with the batches that it would be trained on."""

    network: PartSection
    n_dims: int
    n_channels: int
    n_classes: int
    patch: tuple[int, ...]
    batch: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a candidate costs on this machine, in its fastest arithmetic.

    training_bytes: network, optimizer and activations of one step, without the data.
    """

    step_seconds: float
    pixels_per_second: float
    training_bytes: int
    n_parameters: int
    precision: str
    memory_format: str
    sentence: str


Measure = Callable[[Candidate], Measurement]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan and what it is expected to cost."""

    plan: Plan
    measurement: Measurement
    expected_steps: int
    expected_seconds: float
    expected_bytes: int


WIDTHS = (16, 24, 32, 48, 64)
_COST_EXPONENT = 1.6
"""Step time grows about with this power of the width; only used to pick what to measure."""

STEPS_WANTED = 1200
"""Below about this many steps more steps help more than more channels do."""

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
    needs_unet: bool = False,
) -> Proposal:
    """The plan for a data set, a budget and this machine; each choice carries its reason.

    `measure` times one training step and one prediction of a candidate. The widest network
    is taken that still gets enough steps within the budget. needs_unet: the user changes
    options that only the U-Net has.
    """
    n_classes = len(dataset.classes)
    patch, batch, patch_reasons = choose_patch(facts)
    seconds = training_seconds(budget_seconds)

    def candidate(name: str, options: dict[str, int]) -> Candidate:
        network = PartSection(name=name, options=options)
        return Candidate(network, facts.n_dims, len(facts.channels), n_classes, patch, batch)

    chosen, measured = _choose_network(
        candidate, measure, seconds, _depth(patch), needs_unet=needs_unet
    )
    steps = max(1, int(seconds / measured.step_seconds))
    intensity, intensity_reason = choose_intensity(facts)
    augmentation, augmentation_reasons = choose_augmentation(facts, patch)
    tile, halo = choose_tile(facts)
    reasons = (
        Choice(
            field="network.name",
            value=describe_network(chosen.network),
            fact=f"a step takes {measured.step_seconds:.2f} s here, so about {steps:,} steps fit "
            f"into {format_duration(budget_seconds)}",
            reason=_reason(chosen.network),
        ),
        Choice(
            field="training.precision",
            value=f"{measured.precision}, {measured.memory_format}",
            fact=measured.sentence,
            reason="The fastest arithmetic on this processor that trains as well.",
        ),
        *patch_reasons,
        intensity_reason,
        *augmentation_reasons,
        Choice(
            field="loss.name",
            value="cross-entropy-dice",
            fact=_rarest(facts),
            reason="Cross-entropy gives calibrated probabilities, Dice keeps rare classes alive.",
        ),
    )
    plan = Plan(
        package_version=package_version(),
        task=PartSection(name="semantic"),
        data=_data_section(facts, dataset, hold_out),
        intensity=intensity,
        network=chosen.network,
        loss=PartSection(name="cross-entropy-dice"),
        sampling=SamplingSection(patch=patch, batch=batch, foreground_share=0.5),
        augmentation=augmentation,
        optimizer=OptimizerSection(
            learning_rate=5e-3 if chosen.network.name == "light" else 3e-3,
            weight_decay=0.01,
            warmup_share=0.05,
            final_share=0.01,
            averaging=0.99,
            gradient_clip=5.0,
        ),
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


def _choose_network(
    candidate: Callable[[str, dict[str, int]], Candidate],
    measure: Measure,
    seconds: float,
    depth: int,
    *,
    needs_unet: bool,
) -> tuple[Candidate, Measurement]:
    """The widest U-Net that gets enough steps; the light network where not even the first does."""
    first = candidate("unet", {"width": WIDTHS[0], "depth": depth})
    measured = measure(first)
    if seconds / measured.step_seconds < STEPS_WANTED and not needs_unet:
        light = candidate("light", {})
        return light, measure(light)
    width = _widest(measured.step_seconds, seconds)
    while width > WIDTHS[0]:
        wider = candidate("unet", {"width": width, "depth": depth})
        found = measure(wider)
        if seconds / found.step_seconds >= 0.7 * STEPS_WANTED:
            return wider, found
        width = WIDTHS[WIDTHS.index(width) - 1]
    return first, measured


def describe_network(network: PartSection) -> str:
    """A network with its options, for people: unet (width 16, depth 4)."""
    options = ", ".join(f"{key} {value}" for key, value in network.options.items())
    return f"{network.name} ({options})" if options else network.name


def _reason(network: PartSection) -> str:
    if network.name == "light":
        return (
            f"A U-Net would get fewer than {STEPS_WANTED} steps in this time; the light network "
            "takes a third of the time per step, and more steps are worth more than more channels."
        )
    return f"The widest U-Net that still gets about {STEPS_WANTED} steps in this time."


def _widest(first_step_seconds: float, seconds: float) -> int:
    fitting = [
        width
        for width in WIDTHS
        if seconds / (first_step_seconds * (width / WIDTHS[0]) ** _COST_EXPONENT) >= STEPS_WANTED
    ]
    return fitting[-1] if fitting else WIDTHS[0]


def _depth(patch: tuple[int, ...]) -> int:
    depth = 0
    while depth < 4 and min(patch) >= 2 ** (depth + 1) * 4:
        depth += 1
    return depth


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


def _rarest(facts: Facts) -> str:
    rarest = min(facts.classes, key=lambda c: c.share)
    return f"the rarest class, {rarest.name}, takes {rarest.share:.2%} of the labelled pixels"


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
        ),
        spacing=facts.spacing,
        unit=dataset.unit,
        splits=splits,
        hold_out=hold_out,
    )
