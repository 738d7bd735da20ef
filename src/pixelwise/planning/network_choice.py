"""Which network, how large, on which patches: the one that was asked for, or the planner's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from pixelwise.core.plan import PartSection
from pixelwise.core.quantities import format_duration
from pixelwise.core.records import Choice
from pixelwise.networks import NETWORKS, Field, NetworkIO, build_network, field_of
from pixelwise.networks.recipe import Recipe, recipe_of
from pixelwise.planning.candidate import (
    DEFAULT_LOSS,
    Candidate,
    Measure,
    Measurement,
    describe_network,
)
from pixelwise.planning.pins import Pins
from pixelwise.planning.volumes import topology

STEPS_WANTED = 1200
"""Below about this many steps more steps help more than more channels do."""

FEWEST_STEPS = {2: STEPS_WANTED, 3: 500}
"""With fewer steps the light network learns more than the smallest U-Net. Volumes hold many more
labelled pixels a step: on the hippocampus set 600 steps of the U-Net gave 0.85, 1,400 of the light
network in the same time 0.82."""

ENOUGH = 0.7
"""A wider network is taken if it gets at least this share of the steps wanted."""

SMALLEST_BATCH = 2

_OWN, _SHORT_TIME = "unet", "light"
"""The planner's own candidates; the second where time is too short for the first."""

_FEWEST_GRIDS = 3
"""Full, half and one coarser resolution: the least for a network that begins with a stride."""

_COST_EXPONENT = 1.6
"""Step time grows about with this power of the width; only used to pick what to measure."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a network is chosen for.

    patch, batch: what suits the images, before the network is asked. seconds: for training.
    loss: of the task, unless another one is asked for.
    steps: spacing of the pixels relative to the finest axis, () if they are cubes.
    """

    n_dims: int
    n_channels: int
    n_classes: int
    patch: tuple[int, ...]
    batch: int
    seconds: float
    pins: Pins
    loss: PartSection = DEFAULT_LOSS
    steps: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ChosenNetwork:
    """The network with its batches, what it costs, its recipe, and the reason for its size."""

    candidate: Candidate
    measurement: Measurement
    recipe: Recipe
    reasons: tuple[Choice, ...]


def choose_network(situation: Situation, measure: Measure) -> ChosenNetwork:
    """The network that was asked for, else the widest U-Net or the light one, fitted to the time.

    Whatever is pinned stays; width, depth, patch and batch are chosen around it.
    Raises UnknownName or BadPlan if the network that was asked for cannot be built.
    """
    pins = situation.pins
    if pins.network is not None:
        return _fit(pins.network, situation, measure)
    if not _knows(_OWN, pins.network_options):
        return _fit(_SHORT_TIME, situation, measure)
    first = _sized(_OWN, situation)
    measured = measure(first)
    can_be_light = _knows(_SHORT_TIME, pins.network_options)
    if situation.seconds / measured.step_seconds < FEWEST_STEPS[situation.n_dims] and can_be_light:
        return _fit(_SHORT_TIME, situation, measure)
    return _fit(_OWN, situation, measure, (first, measured))


def _fit(
    name: str,
    situation: Situation,
    measure: Measure,
    smallest: tuple[Candidate, Measurement] | None = None,
) -> ChosenNetwork:
    """A network by name at the largest width that gets enough steps; smaller batches before few.

    smallest: the smallest width if it was measured already.
    """
    recipe, pins = recipe_of(name), situation.pins
    first = _sized(name, situation)
    if smallest is None:
        smallest = first, measure(first)
    chosen, measured = _widen(name, situation, measure, smallest)
    if pins.batch is None and recipe.batch is None and pins.network is not None:
        chosen, measured = _with_more_steps(chosen, measured, situation.seconds, measure)
    reasons = (_reason(chosen, measured, situation, recipe), *_patch_reason(chosen, situation))
    return ChosenNetwork(chosen, measured, recipe, reasons)


def _knows(name: str, options: Mapping[str, Any]) -> bool:
    return set(options) <= set(NETWORKS.find(name).options)


def _sized(name: str, situation: Situation, width: int | None = None) -> Candidate:
    """A candidate at a width (the smallest of its recipe if None), patches as it takes them."""
    recipe, pins = recipe_of(name), situation.pins
    options: dict[str, Any] = {}
    if recipe.widths:
        options["width"] = _smallest_width(recipe, pins) if width is None else width
    patch = _wanted_patch(recipe, situation)
    options |= _depth_options(name, recipe, patch, situation.steps)
    if pins.weights is None:
        options |= dict(recipe.from_scratch)
    options |= pins.network_options
    network = PartSection(name=name, options=options)
    patch = _fitting_patch(patch, _field(network, situation), situation, recipe)
    pixels = math.prod(patch) / math.prod(situation.patch)
    batch = pins.batch or recipe.batch or max(SMALLEST_BATCH, int(situation.batch / pixels))
    return Candidate(
        network=network,
        n_dims=situation.n_dims,
        n_channels=situation.n_channels,
        n_classes=situation.n_classes,
        patch=patch,
        batch=min(batch, situation.batch) if recipe.batch is None and not pins.batch else batch,
        loss=PartSection(name=pins.loss or situation.loss.name, options=pins.loss_options),
        precision=pins.get("training.precision"),
        memory_format=pins.get("training.memory_format"),
    )


def _smallest_width(recipe: Recipe, pins: Pins) -> int:
    """Published weights fit the full width only."""
    return recipe.widths[0] if pins.weights is None else recipe.widths[-1]


def _field(network: PartSection, situation: Situation) -> Field:
    """How the sizes of a network relate, from a form of it without memory if that can be had."""
    io = NetworkIO(situation.n_dims, situation.n_channels, situation.n_classes)
    try:
        with torch.device("meta"):
            return field_of(build_network(network.name, io, dict(network.options)))
    except (NotImplementedError, RuntimeError):
        # a user's own network may look at its weights while it is built
        return field_of(build_network(network.name, io, dict(network.options)))


def _wanted_patch(recipe: Recipe, situation: Situation) -> tuple[int, ...]:
    if situation.pins.patch is not None:
        return situation.pins.patch
    if recipe.patch is not None:
        return (recipe.patch,) * situation.n_dims
    return situation.patch


def _fitting_patch(
    patch: tuple[int, ...], field: Field, situation: Situation, recipe: Recipe
) -> tuple[int, ...]:
    """A size that the network takes; its margins come on top unless the size was asked for."""
    is_asked = situation.pins.patch is not None or recipe.patch is not None
    margin = 0 if is_asked else field.margin
    return tuple(field.valid_size(edge + 2 * margin) for edge in patch)


def _depth_options(
    name: str, recipe: Recipe, patch: tuple[int, ...], steps: tuple[float, ...]
) -> dict[str, Any]:
    """How deep a network goes, and its strides and kernels where axes differ in spacing."""
    if len(patch) == 2 or not _knows(name, {"strides": (), "kernels": ()}):
        if recipe.halvings is None:
            return {}
        option, added = recipe.halvings
        return {option: _halvings(patch, recipe.most_halvings) + added}
    strides, kernels = topology(patch, steps or (1.0,) * len(patch), recipe.most_halvings)
    is_even = all(len(set(stride)) == 1 for stride in strides) and all(1 not in k for k in kernels)
    if recipe.halvings is None:
        # Such a network halves at its first layer, so its grids begin with the second one.
        if is_even or len(strides) < _FEWEST_GRIDS:
            return {}
        strides, kernels = strides[1:], kernels[1:]
        return {"depth": len(strides) - 1, "strides": strides, "kernels": kernels}
    option, added = recipe.halvings
    depth = {option: len(strides) - 1 + added}
    return depth if is_even else {**depth, "strides": strides, "kernels": kernels}


def _halvings(patch: tuple[int, ...], most: int) -> int:
    """How often a patch can be halved before its shortest edge is below 4 pixels."""
    depth = 0
    while depth < most and min(patch) >= 2 ** (depth + 1) * 4:
        depth += 1
    return depth


def _widen(
    name: str, situation: Situation, measure: Measure, smallest: tuple[Candidate, Measurement]
) -> tuple[Candidate, Measurement]:
    """The widest form that gets enough steps; widths are tried from the likely one down."""
    widths = recipe_of(name).widths
    if not widths or "width" in situation.pins.network_options or situation.pins.weights:
        return smallest
    seconds, step = situation.seconds, smallest[1].step_seconds
    likely = [
        width
        for width in widths[1:]
        if seconds / (step * (width / widths[0]) ** _COST_EXPONENT) >= STEPS_WANTED
    ]
    for width in reversed(likely):
        wider = _sized(name, situation, width)
        found = measure(wider)
        if seconds / found.step_seconds >= ENOUGH * STEPS_WANTED:
            return wider, found
    return smallest


def _with_more_steps(
    chosen: Candidate, measured: Measurement, seconds: float, measure: Measure
) -> tuple[Candidate, Measurement]:
    """Smaller batches where the time is short: many noisy steps learn more than few good ones."""
    while seconds / measured.step_seconds < ENOUGH * STEPS_WANTED and chosen.batch > SMALLEST_BATCH:
        chosen = replace(chosen, batch=max(SMALLEST_BATCH, chosen.batch // 2))
        measured = measure(chosen)
    return chosen, measured


def _reason(
    chosen: Candidate, measured: Measurement, situation: Situation, recipe: Recipe
) -> Choice:
    steps = int(situation.seconds / measured.step_seconds)
    return Choice(
        field="network.name",
        value=describe_network(chosen.network),
        fact=f"a step of {chosen.batch} patches takes {measured.step_seconds:.2f} s here, so about "
        f"{max(1, steps):,} steps fit into {format_duration(situation.seconds)} of training",
        reason=_sentence(chosen.network, steps, situation.pins, recipe),
    )


def _sentence(network: PartSection, steps: int, pins: Pins, recipe: Recipe) -> str:
    if pins.weights is not None:
        return (
            "Published weights fit this network at its full width, without norm unless they "
            "have it."
        )
    own = f" {recipe.sentence}" if recipe.sentence else ""
    if pins.network is None and network.name == _SHORT_TIME:
        return (
            "A U-Net would get too few steps in this time; the light network "
            "takes about half of the time per step, and more steps are worth more than channels."
        )
    asked = "You asked for this network" if pins.network is not None else "The planner's choice"
    if not recipe.widths or "width" in pins.network_options:
        return f"{asked}.{own}"
    width = network.options["width"]
    if width == recipe.widths[-1]:
        return f"{asked}; its full width gets enough steps.{own}"
    if width == recipe.widths[0] and steps < STEPS_WANTED:
        return (
            f"{asked}; at width {width}, the smallest, it gets fewer than the {STEPS_WANTED} steps "
            f"that it should have: give it more time.{own}"
        )
    return f"{asked}; the widest form that still gets about {STEPS_WANTED} steps.{own}"


def _patch_reason(chosen: Candidate, situation: Situation) -> tuple[Choice, ...]:
    if (chosen.patch, chosen.batch) == (situation.patch, situation.batch):
        return ()
    shape = " x ".join(str(edge) for edge in chosen.patch)
    suiting = " x ".join(str(edge) for edge in situation.patch)
    return (
        Choice(
            field="sampling.patch",
            value=f"{shape}, {chosen.batch} at a time",
            fact=f"{suiting}, {situation.batch} at a time would suit the images",
            reason=f"{chosen.network.name} takes these sizes, and this many get enough steps.",
        ),
    )
