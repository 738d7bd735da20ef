"""Scores of regions that overlap: each region as a binary problem of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pixelwise.arrays.region_bits import Bits, Mask, mask_of_region
from pixelwise.core.case import IGNORE
from pixelwise.core.records import CaseScores, ClassScores
from pixelwise.evaluation.empty_rules import choose_for_evaluation
from pixelwise.evaluation.object_scores import CaseObjects, score_components
from pixelwise.evaluation.scoring import DEFAULT_METRICS, score_class
from pixelwise.metrics.inputs import as_labels, as_spacing, check_range, check_same_grid
from pixelwise.metrics.pair import label_pair


def score_regions(  # noqa: PLR0913 - the public call: two arrays and how to read them
    case_id: str,
    truth: Any,
    predicted: Any,
    *,
    n_regions: int,
    valid: Any = None,
    spacing: Sequence[float] | None = None,
    metrics: Sequence[str] = DEFAULT_METRICS,
    group: str = "",
) -> CaseScores:
    """Score one case, every region against everything outside it.

    Shape: truth, predicted ([z,] y, x) bit sets on one grid: bit r says that a pixel lies in
    region r; 255 in the truth, and pixels where `valid` is False, are scored nowhere.
    The confusion is empty: a pixel may lie in several regions. All else as score_case.
    Raises BadData for values that are no set of these regions, ShapeMismatch or BadPlan.
    """
    truth, predicted = as_labels(truth, "truth"), as_labels(predicted, "predicted")
    check_same_grid(truth, predicted)
    check_range(truth, "truth", 1 << n_regions, IGNORE)
    check_range(predicted, "predicted", 1 << n_regions, None)
    choices = choose_for_evaluation(metrics)
    void = truth == IGNORE
    if valid is not None:
        inside = as_labels(valid, "valid")
        check_same_grid(truth, inside)
        void = void | (inside == 0)
    classes: list[ClassScores] = []
    n_valid = n_ignored = 0
    for region in range(n_regions):
        pair = label_pair(
            np.where(void, np.uint8(IGNORE), mask_of_region(truth, region)),
            mask_of_region(predicted, region),
            2,
            spacing=spacing,
            ignore=IGNORE,
            classes=(1,),
        )
        n_valid, n_ignored = pair.n_valid, pair.n_ignored
        classes.append(score_class(pair, 1, choices).model_copy(update={"class_id": region}))
    return CaseScores(
        id=case_id,
        group=group,
        n_valid=n_valid,
        n_ignored=n_ignored,
        confusion=(),
        classes=tuple(classes),
        spacing=as_spacing(spacing, truth.ndim),
    )


def region_objects(
    truth: Bits, predicted: Bits, n_regions: int, valid: Mask | None = None
) -> dict[int, CaseObjects]:
    """The connected objects of every region, matched; void pixels belong to no object.

    Shape: truth, predicted ([z,] y, x) bit sets, 255 in the truth is void; valid on the same
    grid, None everywhere.
    """
    void = truth == IGNORE
    void = void if valid is None else void | ~valid
    found = {}
    for region in range(n_regions):
        inside = np.where(void, np.uint8(IGNORE), mask_of_region(truth, region))
        found[region] = score_components(
            inside, mask_of_region(predicted, region).astype(np.uint8), 1
        )
    return found
