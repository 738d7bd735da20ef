"""One pair of label files in, its scores out, with what only its arrays can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.commands.read_pair import PIXELS, PairLabels, PixelSize, read_pair
from pixelwise.core.background import find_background
from pixelwise.core.case import IGNORE
from pixelwise.core.errors import BadData, Problem, UserError
from pixelwise.core.records import CaseScores
from pixelwise.data.scoring_pairs import ScoringPair
from pixelwise.evaluation import DEFAULT_METRICS, score_case, score_regions
from pixelwise.evaluation.object_scores import (
    CaseObjects,
    ObjectRule,
    score_components,
    score_objects,
)
from pixelwise.evaluation.probability_scores import (
    LevelCounts,
    count_levels,
    level_values,
)
from pixelwise.evaluation.region_scores import region_objects


@dataclass(frozen=True, slots=True)
class Judgement:
    """What pairs of files are scored with.

    objects: what a single object is ("" : objects are not scored). has_sizes: whether true
    objects are counted by size. split: of all cases, where known.
    """

    class_names: Sequence[str]
    metrics: Sequence[str] = DEFAULT_METRICS
    background: int | None = -1
    pixel_size: PixelSize = PIXELS
    objects: ObjectRule | str = ""
    has_sizes: bool = False
    split: str | None = None
    conditions: tuple[str, ...] = ()

    @property
    def foreground(self) -> tuple[int, ...]:
        """The classes whose objects are scored."""
        names = list(self.class_names)
        background = find_background(names) if self.background == -1 else self.background
        return tuple(k for k in range(len(names)) if k != background)


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """One case and what is only known while its arrays are there."""

    scores: CaseScores
    unit: str
    objects: Mapping[int, CaseObjects] = field(default_factory=dict)
    levels: tuple[LevelCounts, ...] = ()


def score_pair_of_files(pair: ScoringPair, judgement: Judgement) -> ScoredPair:
    """Read a pair and score it. Raises UserError naming the file that is wrong."""
    labels = read_pair(pair, judgement.objects, judgement.pixel_size)
    try:
        return _score_labels(pair, labels, judgement)
    except UserError as error:
        raise type(error)([_at(problem, pair) for problem in error.problems]) from error


def _at(problem: Problem, pair: ScoringPair) -> Problem:
    """The problem with the file that it sits in; options are wrong in no file."""
    is_of_option = problem.code in ("bad-tolerance", "bad-option", "bad-percentile", "bad-spacing")
    if problem.path or is_of_option:
        return problem
    return Problem(
        problem.what, problem.expected, problem.remedy, str(pair.predicted), problem.severity,
        problem.code,
    )  # fmt: skip


def _score_labels(pair: ScoringPair, labels: PairLabels, judgement: Judgement) -> ScoredPair:
    if pair.truth_meaning.holds_regions:
        return _score_sets(pair, labels, judgement)
    scores = score_case(
        pair.id,
        labels.truth,
        labels.predicted,
        n_classes=len(judgement.class_names),
        valid=labels.valid,
        spacing=labels.spacing,
        metrics=judgement.metrics,
        group=pair.group,
        ignore=IGNORE,
    )
    truth = labels.truth if labels.valid is None else np.where(labels.valid, labels.truth, IGNORE)
    objects = _objects(truth, labels, judgement)
    levels: tuple[LevelCounts, ...] = ()
    if labels.probabilities is not None:
        _check_classes(labels.probabilities, judgement)
        levels = count_levels(truth, labels.probabilities)
    extra: dict[int, dict[str, float]] = {}
    if judgement.objects:
        extra = {k: dict(found.values) for k, found in objects.items()}
    for class_id, counts in enumerate(levels):
        extra.setdefault(class_id, {}).update(level_values(counts))
    return ScoredPair(_with_values(scores, extra), labels.unit, objects, levels)


def _score_sets(pair: ScoringPair, labels: PairLabels, judgement: Judgement) -> ScoredPair:
    """Regions that may overlap: each is scored by itself, its objects too."""
    n_regions = len(judgement.class_names)
    scores = score_regions(
        pair.id, labels.truth, labels.predicted, n_regions=n_regions, valid=labels.valid,
        spacing=labels.spacing, metrics=judgement.metrics, group=pair.group,
    )  # fmt: skip
    if not judgement.objects and not judgement.has_sizes:
        return ScoredPair(scores, labels.unit)
    objects = region_objects(labels.truth, labels.predicted, n_regions, labels.valid)
    extra = {k: dict(found.values) for k, found in objects.items()} if judgement.objects else {}
    return ScoredPair(_with_values(scores, extra), labels.unit, objects)


def _objects(
    truth: npt.NDArray[Any], labels: PairLabels, judgement: Judgement
) -> dict[int, CaseObjects]:
    if labels.true_numbers is not None and labels.predicted_numbers is not None:
        is_scored = truth != IGNORE
        true_numbers = np.where(is_scored, labels.true_numbers, 0)
        predicted_numbers = np.where(is_scored, labels.predicted_numbers, 0)
        return {1: score_objects(true_numbers, predicted_numbers)}
    if not judgement.objects and not judgement.has_sizes:
        return {}
    only_sizes = not judgement.objects
    return {
        k: score_components(truth, labels.predicted, k, only_sizes=only_sizes)
        for k in judgement.foreground
    }


def _with_values(scores: CaseScores, extra: Mapping[int, Mapping[str, float]]) -> CaseScores:
    classes = [
        own.model_copy(
            update={
                "values": {
                    **own.values,
                    **{
                        key: value if np.isfinite(value) and scores.n_valid else None
                        for key, value in extra[own.class_id].items()
                    },
                }
            }
        )
        if own.class_id in extra
        else own
        for own in scores.classes
    ]
    return scores.model_copy(update={"classes": tuple(classes)}) if extra else scores


def _check_classes(probabilities: npt.NDArray[np.floating], judgement: Judgement) -> None:
    n_classes = len(judgement.class_names)
    if len(probabilities) != n_classes:
        raise BadData(
            f"it holds probabilities of {len(probabilities)} classes",
            f"{n_classes}: {', '.join(list(judgement.class_names)[:8])}",
            "Give the probabilities of the network whose labels are scored.",
            code="other-classes",
        )
