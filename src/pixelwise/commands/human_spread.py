"""Other annotators of the same cases: how far people agree, and what tolerance that gives."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixelwise.commands.ordered_work import work_in_order
from pixelwise.commands.read_pair import PixelSize, read_pair
from pixelwise.commands.score_files import score_files
from pixelwise.commands.score_pair import Judgement
from pixelwise.core.case import IGNORE, LabelMeaning
from pixelwise.core.errors import BadData, BadPlan
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.records import Summary
from pixelwise.data.scoring_pairs import ScoringPair
from pixelwise.evaluation.annotators import (
    SPREAD_PERCENTILE,
    boundary_spread,
    spread_percentile,
)


@dataclass(frozen=True, slots=True)
class Annotator:
    """The labels of a person: files by stem, for some of the cases, and what they mean."""

    name: str
    files: Mapping[str, Path]
    meaning: LabelMeaning


def with_consensus(
    pairs: Sequence[ScoringPair], annotators: Sequence[Annotator], consensus: str, n_classes: int
) -> tuple[ScoringPair, ...]:
    """Pairs that are scored against what the truth and all annotators of a case agree on.

    consensus: "" leaves the truth as it is. Raises BadPlan for STAPLE of several classes.
    """
    if consensus == "staple" and n_classes != 2:
        raise BadPlan(
            f"STAPLE was asked for and there are {n_classes} classes", "two classes",
            "Take --consensus majority.", code="bad-consensus",
        )  # fmt: skip
    if not consensus:
        return tuple(pairs)
    return tuple(
        replace(
            pair,
            consensus=consensus,
            others=tuple((a.files[pair.id], a.meaning) for a in annotators if pair.id in a.files),
        )
        for pair in pairs
    )


def consensus_sentence(pairs: Sequence[ScoringPair], consensus: str) -> tuple[str, ...]:
    """What is scored against, if it is not the truth."""
    if not consensus:
        return ()
    alone = sum(not pair.others for pair in pairs)
    name = "the majority (the lower class where votes tie)" if consensus == "majority" else "STAPLE"
    left = f"; {alone} cases have one annotator only, who is taken as the truth" if alone else ""
    return (f"Scored against {name} of the truth and the annotators{left}.",)


def score_annotators(
    pairs: Sequence[ScoringPair],
    annotators: Sequence[Annotator],
    judgement: Judgement,
    listener: Listener = SILENT,
) -> dict[str, Summary]:
    """Every annotator against the truth, and against each other, scored as predictions are.

    By name: "second" against the truth, "second and third" of two annotators. Each on the
    cases that both have.
    """
    judgement = replace(judgement, conditions=(), has_sizes=False, split=None)
    found = {}
    for annotator in annotators:
        against_truth = _pairs_of(pairs, annotator)
        found[annotator.name] = score_files(against_truth, judgement, listener=listener)
    for one, other in itertools.combinations(annotators, 2):
        between = [
            replace(pair, truth=one.files[pair.id], truth_meaning=one.meaning, consensus="")
            for pair in _pairs_of(pairs, other)
            if pair.id in one.files
        ]
        if between:
            name = f"{one.name} and {other.name}"
            found[name] = score_files(between, judgement, listener=listener)
    return found


def spread_tolerance(
    pairs: Sequence[ScoringPair],
    annotators: Sequence[Annotator],
    n_classes: int,
    pixel_size: PixelSize,
    listener: Listener = SILENT,
) -> tuple[float, str]:
    """(tolerance, how it was found): 95 % of the distances between human boundaries.

    Of all classes but 0 together, between the truth and every annotator and between them.
    Raises BadData if no object was drawn by two.
    """
    classes = tuple(range(1, n_classes))
    pairs = [replace(pair, consensus="") for pair in pairs]

    def spread(pair: ScoringPair) -> tuple[str, npt.NDArray[np.float32]]:
        labels: list[npt.NDArray[np.uint8]] = []
        unit, spacing = "px", None
        for annotator in annotators:
            if pair.id in annotator.files:
                read = read_pair(_pair_of(pair, annotator), pixel_size=pixel_size)
                outside = read.truth == IGNORE
                if read.valid is not None:
                    outside |= ~read.valid
                labels = labels or [np.where(outside, np.uint8(IGNORE), read.truth)]
                labels.append(np.where(outside, np.uint8(IGNORE), read.predicted))
                unit, spacing = read.unit, read.spacing
        if len(labels) < 2:
            return "", np.zeros(0, dtype=np.float32)
        return unit, boundary_spread(labels, classes=classes, spacing=spacing)

    outcomes = [(u, d) for u, d in work_in_order(spread, pairs, listener, "human spread") if u]
    units = {unit for unit, _ in outcomes}
    if len(units) > 1:
        raise BadData(
            f"cases have their size in different units: {', '.join(sorted(units))}",
            "one unit for all", "Say the size of a pixel with --spacing.", code="mixed-units",
        )  # fmt: skip
    tolerance = float(f"{spread_percentile([d for _, d in outcomes]):.3g}")
    names = ", ".join(annotator.name for annotator in annotators)
    sentence = (
        f"Boundary tolerance {tolerance:g} {units.pop()}: {SPREAD_PERCENTILE:g} % of the distances "
        f"between the boundaries of the truth and of {names}, on {len(outcomes)} cases."
    )
    return tolerance, sentence


def _pairs_of(pairs: Sequence[ScoringPair], annotator: Annotator) -> list[ScoringPair]:
    return [_pair_of(pair, annotator) for pair in pairs if pair.id in annotator.files]


def _pair_of(pair: ScoringPair, annotator: Annotator) -> ScoringPair:
    return replace(
        pair, predicted=annotator.files[pair.id], predicted_meaning=annotator.meaning,
        probabilities=None, threshold=None,
    )  # fmt: skip
