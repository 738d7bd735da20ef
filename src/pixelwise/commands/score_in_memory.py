"""Labels a case of a run and scores it, without writing a file."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import IGNORE, Case
from pixelwise.core.image import Array, Region
from pixelwise.core.plan import Plan, label_meaning
from pixelwise.core.records import CaseScores
from pixelwise.data.case_store import held_out_region, read_training_labels
from pixelwise.data.channels import match_channels
from pixelwise.data.intensity import scale_for
from pixelwise.evaluation import score_case, score_regions
from pixelwise.inference.labeller import Answers, LabelOutput, label_image
from pixelwise.readers.stacked import open_images


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
    return score_labels(label_in_memory(predictor, plan, case), plan, case)


def label_in_memory(predictor: Answers, plan: Plan, case: Case) -> npt.NDArray[np.uint8]:
    """The labels ([z,] y, x) of a case, as `predict` would write them."""
    with open_images(case.images) as source:
        sink = MemorySink(source.header.shape)
        convert = partial(match_channels, n_channels=plan.data.n_channels)
        scale = scale_for(plan.intensity, source, convert)
        label_image(
            predictor,
            source,
            lambda image: scale.apply(convert(image)),
            LabelOutput(sink, overlaps=plan.data.labels.holds_regions),
            n_classes=len(plan.data.classes),
        )
    return sink.labels


def score_labels(labels: npt.NDArray[np.uint8], plan: Plan, case: Case) -> CaseScores:
    """Dice and IoU of labels of a case against its truth."""
    truth = read_training_labels(case, label_meaning(plan.data.labels))
    if plan.data.hold_out > 0:
        inside = held_out_region(truth.shape, plan.data.hold_out)
        outside = np.ones(truth.shape, dtype=bool)
        outside[inside] = False
        truth[outside] = IGNORE
    n_classes, metrics = len(plan.data.classes), ("dice", "iou")
    if plan.data.labels.holds_regions:
        return score_regions(case.id, truth, labels, n_regions=n_classes, metrics=metrics)
    return score_case(case.id, truth, labels, n_classes=n_classes, metrics=metrics)
