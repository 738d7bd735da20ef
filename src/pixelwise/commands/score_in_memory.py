"""Labels a case of a run and scores it, without writing a file."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import IGNORE, Case
from pixelwise.core.image import Array, Region, whole_region
from pixelwise.core.plan import Plan, label_meaning
from pixelwise.core.records import CaseScores
from pixelwise.data.annotated_classes import as_annotated
from pixelwise.data.case_store import held_out_region, read_training_labels
from pixelwise.data.channels import match_channels
from pixelwise.data.geometry import PartSource
from pixelwise.data.intensity import scale_for
from pixelwise.data.shading import evened
from pixelwise.evaluation import score_case, score_regions
from pixelwise.inference.labeller import Answers, LabelOutput, label_image
from pixelwise.readers.stacked import open_images

_CONTEXT, _GRID = 32, 32
"""Pixels around the held-out part that are read too; its start is a multiple of the second."""


class MemorySink:
    """Keeps the labels of one image in memory."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.labels = np.zeros(shape, dtype=np.uint8)

    def write(self, region: Region, values: Array) -> None:
        self.labels[region] = values

    def close(self) -> None:
        """Nothing is kept open."""

    def discard(self) -> None:
        """Nothing was written."""

    def __enter__(self) -> MemorySink:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to do."""


def score_in_memory(predictor: Answers, plan: Plan, case: Case) -> CaseScores:
    """Dice and IoU of a case; where it served for training too, of the part held out alone."""
    return score_labels(label_in_memory(predictor, plan, case, only_scored=True), plan, case)


def label_in_memory(
    predictor: Answers, plan: Plan, case: Case, *, only_scored: bool = False
) -> npt.NDArray[np.uint8]:
    """The labels ([z,] y, x) of a case, as `predict` would write them.

    only_scored: where a part is held out, only that part with a margin is labelled, the rest
    is 0; at its edge an answer may differ a little from that for the whole image.
    """
    with evened(open_images(case.images), plan.intensity.shading) as source:
        sink = MemorySink(source.header.shape)
        convert = partial(match_channels, n_channels=plan.data.n_channels)
        scale = scale_for(plan.intensity, source, convert)
        part = whole_region(source.header.shape)
        if only_scored and plan.data.hold_out > 0:
            part = _with_margin(held_out_region(source.header.shape, plan.data.hold_out))
        inside = MemorySink(_edges(part))
        label_image(
            predictor,
            PartSource(source, part),
            lambda image: scale.apply(convert(image)),
            LabelOutput(inside, overlaps=plan.data.labels.holds_regions),
            n_classes=len(plan.data.classes),
        )
    sink.labels[part] = inside.labels
    return sink.labels


def _with_margin(region: Region) -> Region:
    """The held-out end of an axis with some context, from a multiple of every network's stride."""
    starts = (max(0, part.start - _CONTEXT) // _GRID * _GRID for part in region)
    return tuple(slice(start, part.stop) for start, part in zip(starts, region, strict=True))


def _edges(region: Region) -> tuple[int, ...]:
    """The edge lengths of a region."""
    return tuple(part.stop - part.start for part in region)


def score_labels(labels: npt.NDArray[np.uint8], plan: Plan, case: Case) -> CaseScores:
    """Dice and IoU of labels of a case against its truth."""
    truth = read_training_labels(case, label_meaning(plan.data.labels))
    if plan.data.hold_out > 0:
        inside = held_out_region(truth.shape, plan.data.hold_out)
        outside = np.ones(truth.shape, dtype=bool)
        outside[inside] = False
        truth[outside] = IGNORE
    overlaps = plan.data.labels.holds_regions
    labels = as_annotated(labels, case.annotated, overlaps=overlaps)
    n_classes, metrics = len(plan.data.classes), ("dice", "iou")
    if overlaps:
        return score_regions(case.id, truth, labels, n_regions=n_classes, metrics=metrics)
    return score_case(case.id, truth, labels, n_classes=n_classes, metrics=metrics)
