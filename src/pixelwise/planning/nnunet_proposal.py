"""A plan as nnU-Net would make it: its grid, network, patch and batch, trained by this package."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

from pixelwise.core.case import DataSet
from pixelwise.core.errors import BadPlan
from pixelwise.core.plan import GeometrySection, IntensitySection, PartSection
from pixelwise.core.quantities import format_duration
from pixelwise.core.records import CaseFacts, Choice, Facts
from pixelwise.data.geometry import SAME_SHARE
from pixelwise.networks.recipe import recipe_of
from pixelwise.planning.assembly import Demand, Design, Proposal, assemble, training_seconds
from pixelwise.planning.candidate import Candidate, Measure
from pixelwise.planning.network_choice import ChosenNetwork
from pixelwise.planning.nnunet_rules import (
    PICTURE_SPACING,
    USUAL_MEMORY_GB,
    WIDTH,
    Configuration,
    Fingerprint,
    NnunetPlans,
    plan_configurations,
)
from pixelwise.planning.task_choice import choose_task
from pixelwise.planning.volumes import ANISOTROPIC, Grid

Planner = Literal["own", "nnunet", "nnunet-2d", "nnunet-3d-lowres"]
PLANNERS: tuple[str, ...] = get_args(Planner)

NETWORK = "nnunet"
ITS_STEPS = 250_000
"""Training steps of nnU-Net: 1,000 times 250."""

_CUT_BELOW = 0.75
"""Zeros do not count for the intensities where boxes around the objects are smaller than this."""

_CT = "ct"
_CASCADE = (
    "nnU-Net would train a network on a coarser grid first (3d_lowres) and hand its answer to "
    "this one; --planner nnunet-3d-lowres plans the coarser one, the hand-over is not built."
)

Box = tuple[tuple[int, ...], float]


def take_fingerprint(facts: Facts, dataset: DataSet, boxes: Sequence[Box]) -> Fingerprint:
    """nnU-Net's view of the cases of training and validation; boxes: as `measure_boxes` has them.

    Pictures have no spacing for it. An ignored label is one of its labels.
    """
    cases = planned_cases(facts)
    has_ignored = any(case.n_ignored for case in cases)
    regions = dataset.meaning.n_regions
    shapes = [shape if len(shape) == 3 else (1, *shape) for shape, _ in boxes]
    return Fingerprint(
        shapes=tuple(shapes),  # type: ignore[arg-type]  # three axes each
        spacings=tuple(_spacing(case, facts) for case in cases),
        n_labels=(regions + 1 if regions else len(dataset.classes)) + has_ignored,
    )


def planned_cases(facts: Facts) -> list[CaseFacts]:
    """The cases that nnU-Net plans with: all that it would train folds on."""
    return [case for case in facts.cases if case.split in ("train", "val")]


def propose_nnunet(
    facts: Facts,
    dataset: DataSet,
    boxes: Sequence[Box],
    demand: Demand,
    *,
    measure: Measure,
    planner: Planner = "nnunet",
) -> Proposal:
    """nnU-Net's plan for a data set, with what it costs on this machine.

    demand.memory_bytes: of the graphics card that nnU-Net is to plan for; 8 GB if None.
    Raises BadPlan if there is no such configuration for this data.
    """
    memory = demand.memory_bytes / 1e9 if demand.memory_bytes else USUAL_MEMORY_GB
    plans = plan_configurations(take_fingerprint(facts, dataset, boxes), memory)
    configuration, name = _select(plans, planner)
    own_axes = _own_axes(plans, configuration)
    grid = _grid(facts, plans, configuration)
    task = choose_task(facts, dataset)
    candidate = Candidate(
        network=_network(configuration, own_axes),
        n_dims=len(grid.shape),
        n_channels=len(facts.channels),
        n_classes=len(dataset.classes),
        patch=_in_order(configuration.patch, own_axes),
        batch=configuration.batch,
        loss=task.loss,
    )
    measured = measure(candidate)
    seconds = training_seconds(demand.budget_seconds)
    reasons = _reasons(configuration, name, memory, seconds, measured.step_seconds)
    chosen = ChosenNetwork(candidate, measured, recipe_of(NETWORK), reasons)
    intensity, intensity_reason = _intensity(facts, [share for _, share in boxes])
    cascade = _cascade_reason(plans) if configuration is plans.three else ()
    design = Design(grid, candidate.patch, task, chosen, intensity, (intensity_reason, *cascade))
    return assemble(facts, dataset, design, demand)


def _select(plans: NnunetPlans, planner: Planner) -> tuple[Configuration, str]:
    if planner == "nnunet-3d-lowres":
        if plans.low is None:
            raise BadPlan(
                "nnU-Net makes no 3d_lowres configuration for this data",
                "volumes of which a patch shows less than a quarter",
                "Take --planner nnunet.",
                code="no-configuration",
            )
        return plans.low, "3d_lowres"
    if planner == "nnunet-2d" or plans.three is None:
        return plans.two, "2d"
    return plans.three, "3d_fullres"


def _spacing(case: CaseFacts, facts: Facts) -> tuple[float, float, float]:
    if len(case.shape) == 2:
        return PICTURE_SPACING
    found = case.spacing or facts.spacing or (1.0, 1.0, 1.0)
    return (found[0], found[1], found[2])


def _own_axes(plans: NnunetPlans, configuration: Configuration) -> tuple[int, ...]:
    """Which of the stored axes that the network sees each of nnU-Net's is, in nnU-Net's order."""
    if len(configuration.patch) == 3:
        return plans.axes
    left = sorted(plans.axes[1:])
    return tuple(left.index(axis) for axis in plans.axes[1:])


def _in_order(values: Sequence[int], axes: tuple[int, ...]) -> tuple[int, ...]:
    """Values per axis of nnU-Net, in the order of the stored axes."""
    found = dict(zip(axes, values, strict=True))
    return tuple(found[axis] for axis in range(len(axes)))


def _network(configuration: Configuration, axes: tuple[int, ...]) -> PartSection:
    options: dict[str, object] = {"width": WIDTH, "stages": configuration.stages}
    strides = tuple(_in_order(stride, axes) for stride in configuration.strides)
    kernels = tuple(_in_order(kernel, axes) for kernel in configuration.kernels)
    is_even = all(len(set(stride)) == 1 for stride in strides)
    if not is_even or any(set(kernel) != {3} for kernel in kernels):
        options |= {"strides": strides, "kernels": kernels}
    return PartSection(name=NETWORK, options=options)


def _grid(facts: Facts, plans: NnunetPlans, configuration: Configuration) -> Grid:
    """Where its network works; volumes seen slice by slice are resampled within slices only."""
    if facts.n_dims == 2:
        shape = tuple(round(n) for n in configuration.median_shape)
        return Grid(GeometrySection(), shape, (1.0, 1.0), None)
    is_flat = len(configuration.patch) == 2
    seen = plans.axes[1:] if is_flat else plans.axes
    spacing: list[float | None] = [None] * 3
    shape_by_axis: dict[int, int] = {}
    for axis, step, n in zip(seen, configuration.spacing, configuration.median_shape, strict=True):
        spacing[axis], shape_by_axis[axis] = step, round(n)
    known = [step for step in spacing if step is not None]
    steps = tuple(step / min(known) for step in known)
    coarse = [i for i, step in enumerate(steps) if step > ANISOTROPIC]
    is_changed = any(
        step is not None and abs(own / step - 1) >= SAME_SHARE
        for case in planned_cases(facts)
        for own, step in zip(_spacing(case, facts), spacing, strict=True)
    )
    geometry = GeometrySection(
        spacing=tuple(spacing) if is_changed else (),
        nearest_axes=tuple(coarse) if len(coarse) == 1 and not is_flat and is_changed else (),
        interpolation="cubic" if is_changed else "linear",
        slice_axis=plans.axes[0] if is_flat else None,
    )
    shape = tuple(shape_by_axis[axis] for axis in sorted(shape_by_axis))
    still = plans.axes[0] if is_flat else (coarse[0] if coarse else None)
    return Grid(geometry, shape, steps, still)


def _intensity(facts: Facts, shares: Sequence[float]) -> tuple[IntensitySection, Choice]:
    """By the names of the channels: the objects' range where all are CT, else image by image."""
    is_ct = bool(facts.channel_names) and all(n.casefold() == _CT for n in facts.channel_names)
    is_ct = is_ct and all(channel.foreground for channel in facts.channels)
    ordered = sorted(shares)
    median = (ordered[len(ordered) // 2] + ordered[(len(ordered) - 1) // 2]) / 2
    numbers = [c.foreground if is_ct else (c.mean, c.std, 0.0, 0.0) for c in facts.channels]
    section = IntensitySection(
        scheme="data set" if is_ct else "image",
        centre=tuple(n[0] for n in numbers),
        scale=tuple(max(n[1], 1e-8) for n in numbers),
        low=tuple(
            n[2] if is_ct else c.minimum for n, c in zip(numbers, facts.channels, strict=True)
        ),
        high=tuple(
            n[3] if is_ct else c.maximum for n, c in zip(numbers, facts.channels, strict=True)
        ),
        channels=facts.channel_names,
        without_zeros=not is_ct and median < _CUT_BELOW,
    )
    names = ", ".join(facts.channel_names) or "none has a name"
    reason = Choice(
        field="intensity.scheme",
        value=section.scheme + (", without zeros" if section.without_zeros else ""),
        fact=f"channels: {names}; without zeros around it, a case has {median:.0%} of its voxels",
        reason="nnU-Net's rule: channels called CT are clipped to the range of the objects, all "
        "others are brought to mean 0 and deviation 1 image by image.",
    )
    return section, reason


def _reasons(
    configuration: Configuration, name: str, memory_gb: float, seconds: float, step_seconds: float
) -> tuple[Choice, Choice]:
    n_steps = max(1, int(seconds / step_seconds))
    whole = ITS_STEPS * step_seconds
    network = Choice(
        field="network.name",
        value=f"{NETWORK} (nnU-Net's {name}: width {WIDTH}, {configuration.stages} stages)",
        fact=f"a step of {configuration.batch} patches takes {step_seconds:.2f} s here, so about "
        f"{n_steps:,} steps fit into {format_duration(seconds)}; nnU-Net takes {ITS_STEPS:,}, "
        f"which would be {format_duration(whole)} here",
        reason="You asked for nnU-Net's planning: it fills the memory of a graphics card and knows "
        "no time. Grid, network, patch and batch are its own; optimizer, schedule and "
        "augmentation are those of this package, fitted to the budget. On a processor expect "
        "less than from --planner own in the same time.",
    )
    shape = " x ".join(str(edge) for edge in configuration.patch)
    median = " x ".join(f"{n:g}" for n in configuration.median_shape)
    patch = Choice(
        field="sampling.patch",
        value=f"{shape}, {configuration.batch} at a time",
        fact=f"the median case is {median} on its grid; one patch makes "
        f"{configuration.estimate:,} feature map elements",
        reason=f"nnU-Net's rule for {memory_gb:g} GB: the largest patch with the proportions of "
        "the median case of which two fit, then as many of them as fit, at most 5 % of the set.",
    )
    return network, patch


def _cascade_reason(plans: NnunetPlans) -> tuple[Choice, ...]:
    if plans.low is None or plans.three is None:
        return ()
    share = math.prod(plans.three.patch) / math.prod(plans.three.median_shape)
    spacing = " x ".join(f"{step:.3g}" for step in plans.low.spacing)
    shape = " x ".join(str(edge) for edge in plans.low.patch)
    return (
        Choice(
            field="geometry.spacing",
            value=f"3d_lowres at {spacing}, patch {shape}, batch {plans.low.batch}",
            fact=f"a patch at full resolution shows {share:.0%} of the median case",
            reason=_CASCADE,
        ),
    )
