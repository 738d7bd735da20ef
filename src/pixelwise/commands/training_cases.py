"""The training cases of a run as batches: what the loop is fed with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pixelwise.core.case import Case
from pixelwise.core.plan import Plan, label_meaning
from pixelwise.data.case_store import CaseReader, CaseStore
from pixelwise.data.geometry import grid_spacing
from pixelwise.data.patches import PatchSampler


def make_sampler(
    plan: Plan, cases: Sequence[Case], class_pixels: Mapping[str, Sequence[int]]
) -> PatchSampler:
    """Batches of a plan from its training cases; class_pixels: counts per class by case id."""
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
