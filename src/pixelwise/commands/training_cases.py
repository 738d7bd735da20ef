"""The training cases of a run as batches: what the loop is fed with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pixelwise.core.case import Case
from pixelwise.core.plan import Plan, label_meaning
from pixelwise.core.records import Facts
from pixelwise.data.case_store import CaseReader, CaseStore
from pixelwise.data.geometry import grid_spacing
from pixelwise.data.guides import Guides
from pixelwise.data.patches import PatchSampler
from pixelwise.learning.objective import Objective
from pixelwise.losses import LOSSES, LossFunction
from pixelwise.losses.class_weights import class_weights
from pixelwise.tasks import build_task
from pixelwise.tasks.single_objects import CONTACT_SIGMA


def make_loss(plan: Plan, facts: Facts) -> Objective:
    """The loss of a plan, as a function of logits and what the cases hold.

    Weights of classes follow from the pixels of the training cases.
    """
    options = dict(plan.loss.options)
    trained = [case for case in facts.cases if case.id in plan.data.splits["train"]]
    weights = class_weights(
        plan.loss.class_weights,
        np.array([case.class_pixels for case in trained], dtype=np.int64),
        np.array([case.n_counted for case in trained], dtype=np.int64),
    )
    if weights:
        options["region_weights" if plan.data.labels.holds_regions else "class_weights"] = weights
    loss: LossFunction = LOSSES.build(plan.loss.name, options=options)
    task = build_task(plan.task.name, len(plan.data.classes), dict(plan.task.options))
    return Objective(loss, task, has_weights=plan.loss.border_peak > 0)


def planned_guides(plan: Plan) -> Guides:
    """The maps of single objects that a plan's loss and task ask for."""
    sigma = plan.task.options.get("contact_sigma", CONTACT_SIGMA)
    return Guides(
        border_peak=plan.loss.border_peak,
        border_sigma=plan.loss.border_sigma,
        contact_sigma=float(sigma) if plan.task.name == "instances" else None,
    )


def make_sampler(plan: Plan, cases: Sequence[Case], facts: Facts) -> PatchSampler:
    """Batches of a plan from its training cases; facts say where its classes are.

    Overlapping regions have no class for what lies outside all of them: its pixels are
    counted behind them, so that patches are centred on regions and on nothing else.
    """
    overlaps = plan.data.labels.holds_regions
    class_pixels = {
        case.id: (*case.class_pixels, case.n_counted) if overlaps else case.class_pixels
        for case in facts.cases
    }
    data = plan.data
    reader = CaseReader(
        label_meaning(data.labels),
        plan.intensity,
        data.n_channels,
        len(data.classes),
        geometry=plan.geometry,
        spacing=data.spacing,
        unit=data.unit,
        hold_out=data.hold_out,
        guides=planned_guides(plan),
    )
    return PatchSampler(
        CaseStore(cases, reader),
        plan.sampling,
        plan.augmentation,
        class_pixels=np.array([class_pixels[case.id] for case in cases], dtype=np.int64),
        seed=plan.training.seed,
        geometry=plan.geometry,
        spacing=grid_spacing(plan.geometry, data.spacing),
    )
