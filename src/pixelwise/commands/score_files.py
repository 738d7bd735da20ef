"""Pairs of label files in, one summary out: the one scoring path of runs and folders."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence

from pixelwise.commands.ordered_work import work_in_order
from pixelwise.commands.score_pair import Judgement, score_pair_of_files
from pixelwise.core.errors import BadData
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.records import CaseScores, ProbabilityScores, SizeRecall, Summary
from pixelwise.core.runtime import available_bytes, usable_cores
from pixelwise.core.score_facts import KIND_OBJECTS, KIND_PROBABILITIES, keys_of
from pixelwise.data.polygons import is_polygon_label
from pixelwise.data.scoring_pairs import ScoringPair
from pixelwise.evaluation import summarise
from pixelwise.evaluation.object_scores import (
    RULES,
    CaseObjects,
    add_tallies,
    tally_values,
)
from pixelwise.evaluation.probability_scores import (
    LevelCounts,
    summarise_levels,
)
from pixelwise.evaluation.size_recall import recall_by_size
from pixelwise.readers import open_labels

_LOOKED_AT = 3
"""The largest files whose headers say how much memory a pair takes."""

BYTES_PER_PIXEL = 24
"""Roughly what scoring a pixel takes: both files as decoded, class ids, distances."""


def score_files(
    pairs: Sequence[ScoringPair],
    judgement: Judgement,
    *,
    n_workers: int | None = None,
    listener: Listener = SILENT,
) -> Summary:
    """Score pairs of label files and summarise them.

    n_workers: threads, by default as many as there are cores and memory for.
    Raises BadData with the problems of all pairs, also if some files say a spacing and
    others do not, while a distance is asked for.
    """
    cases: list[CaseScores] = []
    units: dict[str, str] = {}
    objects: dict[int, list[CaseObjects]] = {}
    levels: dict[int, LevelCounts] = {}
    for scored in work_in_order(
        lambda pair: score_pair_of_files(pair, judgement), pairs, listener, "scoring",
        n_workers=n_workers or _n_workers(pairs),
    ):  # fmt: skip
        cases.append(scored.scores)
        units.setdefault(scored.unit, scored.scores.id)
        for class_id, found in scored.objects.items():
            objects.setdefault(class_id, []).append(found)
        for class_id, counts in enumerate(scored.levels):
            levels[class_id] = levels[class_id] + counts if class_id in levels else counts
    _check_units(units)
    probabilities = _probabilities(levels, judgement)
    summary = summarise(
        cases,
        judgement.class_names,
        background=judgement.background,
        unit=next(iter(units), "px"),
        pooled=_pooled(objects if judgement.objects else {}, probabilities),
    )
    return summary.model_copy(
        update={
            "size_recall": _sizes(objects),
            "probabilities": probabilities,
            "conditions": (*judgement.conditions, *_conditions(judgement, probabilities)),
        }
    )


def _pooled(
    objects: Mapping[int, Sequence[CaseObjects]], probabilities: Sequence[ProbabilityScores]
) -> dict[tuple[int, str], float | None]:
    pooled: dict[tuple[int, str], float | None] = {}
    for class_id, found in objects.items():
        pooled |= {(class_id, key): None for key in keys_of(KIND_OBJECTS)}
        sums = tally_values(add_tallies(case.tally for case in found))
        pooled |= {(class_id, key): value for key, value in sums.items()}
    for scores in probabilities:
        pooled |= {(scores.class_id, k): getattr(scores, k) for k in keys_of(KIND_PROBABILITIES)}
    return pooled


def _sizes(objects: Mapping[int, Sequence[CaseObjects]]) -> tuple[SizeRecall, ...]:
    found = [recall_by_size(cases, class_id) for class_id, cases in objects.items()]
    return tuple(recall for recall in found if recall is not None)


def _probabilities(
    levels: Mapping[int, LevelCounts], judgement: Judgement
) -> tuple[ProbabilityScores, ...]:
    split = judgement.split if len(judgement.class_names) == 2 else None
    return tuple(summarise_levels(counts, k, split=split) for k, counts in levels.items())


def _conditions(
    judgement: Judgement, probabilities: Sequence[ProbabilityScores]
) -> tuple[str, ...]:
    said = []
    if judgement.objects:
        said.append(f"Objects: {RULES[judgement.objects]}.")
    best = [p for p in probabilities if p.best_threshold is not None and p.class_id == 1]
    for found in best:
        said.append(
            f"Best threshold of the probability of {judgement.class_names[1]}: "
            f"{found.best_threshold:.3g} (pooled Dice {found.best_dice:.4f}; at 0.5 "
            f"{found.dice_at_half:.4f}), searched on {judgement.split} cases. Give it with "
            "--threshold where test cases are scored."
        )
    if probabilities and not best and len(judgement.class_names) == 2:
        said.append(
            f"No threshold is searched: these are {_cases_of(judgement.split)}. Search it on "
            "validation cases (--split val), and give it here with --threshold."
        )
    return tuple(said)


def _cases_of(split: str | None) -> str:
    return f"{split} cases" if split else "cases of an unknown split"


def _check_units(units: Mapping[str, str]) -> None:
    if len(units) > 1:
        examples = ", ".join(f"{case} in {unit}" for unit, case in units.items())
        raise BadData(
            f"cases have their size in different units: {examples}",
            "one unit for all, or distances cannot be averaged",
            "Say the size of a pixel for all cases with --spacing, or correct the headers.",
            code="mixed-units",
        )


def _n_workers(pairs: Sequence[ScoringPair]) -> int:
    """Every core, or fewer if so many of the largest files would not fit into memory."""
    free, cores = available_bytes(), usable_cores()
    paths = [pair.truth for pair in pairs if not is_polygon_label(pair.truth)]
    if free is None or not paths:
        return cores
    largest = heapq.nlargest(_LOOKED_AT, paths, key=lambda path: path.stat().st_size)
    n_pixels = 1
    for path in largest:
        with open_labels(path) as source:
            n_pixels = max(n_pixels, math.prod(source.header.shape))
    return max(1, min(cores, int(free / 2 / (BYTES_PER_PIXEL * n_pixels))))
