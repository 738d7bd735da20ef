"""The training cases of a run as batches: what the loop is fed with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pixelwise.core.case import Case
from pixelwise.core.plan import Plan, label_meaning
from pixelwise.core.records import Facts
from pixelwise.data.case_store import CaseReader, CaseStore
from pixelwise.data.geometry import grid_spacing
from pixelwise.data.patches import PatchSampler
from pixelwise.losses import LOSSES, LossFunction
from pixelwise.tasks import build_task


def make_loss(plan: Plan) -> LossFunction:
    """The loss of a plan, as a function of logits and labels as the cases hold them."""
    loss: LossFunction = LOSSES.build(plan.loss.name, options=dict(plan.loss.options))
    encode = build_task(
        plan.task.name, len(plan.data.classes), dict(plan.task.options)
    ).encode_target
    return lambda logits, labels, valid: loss(logits, encode(labels), valid)


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
