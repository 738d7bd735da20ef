"""Scores of every group of cases: averaged over its cases, and pooled over its pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pixelwise.core.records import CaseScores, GroupScores
from pixelwise.evaluation.score_columns import ScoreColumn
from pixelwise.metrics.pair import LabelPair, MaskPair


def score_groups(
    scores: Sequence[CaseScores],
    rows: Sequence[tuple[int, ScoreColumn]],
    table: npt.NDArray[np.float64],
) -> tuple[GroupScores, ...]:
    """One record for each group, class and score; none where every case stands for itself.

    rows: (class, column) of each column of `table`, (n cases, n rows) with NaN for no value.
    A mean is None where no case of the group has a value, or where one is infinite.
    """
    members: dict[str, list[int]] = {}
    for i, case in enumerate(scores):
        members.setdefault(case.group, []).append(i)
    members.pop("", None)
    if len(members) == len(scores):
        return ()
    found = []
    for group, places in members.items():
        own = [scores[i] for i in places]
        summed = {k: pooled_masks(own, _confusion(own), k) for k, _ in rows}
        values = table[places]
        for j, (k, column) in enumerate(rows):
            defined = values[:, j][np.isfinite(values[:, j])]
            n_infinite = sum(column.key in case.classes[k].infinite for case in own)
            pooled = column.pooled(summed[k])
            found.append(
                GroupScores(
                    group=group,
                    class_id=k,
                    metric=column.key,
                    mean=float(defined.mean()) if defined.size and not n_infinite else None,
                    pooled=pooled if pooled is not None and np.isfinite(pooled) else None,
                    n_cases=len(places),
                    n_undefined=len(places) - defined.size - n_infinite,
                )
            )
    return tuple(found)


def pooled_masks(
    scores: Sequence[CaseScores], confusion: npt.NDArray[np.int64], class_id: int
) -> MaskPair:
    """The counts of a class summed over cases; a region's own, for regions have no confusion."""
    if confusion.size:
        return _pair_of_counts(confusion).of_class(class_id)
    own = [case.classes[class_id] for case in scores]
    table = [[sum(c.tn for c in own), sum(c.fp for c in own)],
             [sum(c.fn for c in own), sum(c.tp for c in own)]]  # fmt: skip
    return _pair_of_counts(np.array(table, dtype=np.int64)).of_class(1)


def _confusion(scores: Sequence[CaseScores]) -> npt.NDArray[np.int64]:
    tables = [np.asarray(case.confusion, dtype=np.int64) for case in scores]
    return np.sum(tables, axis=0, dtype=np.int64) if tables[0].size else np.zeros((0, 0), np.int64)


def _pair_of_counts(confusion: npt.NDArray[np.int64]) -> LabelPair:
    nothing = np.zeros((0, 0), dtype=np.uint8)
    pair = LabelPair(nothing, nothing, len(confusion), (1.0, 1.0))
    pair.confusion = confusion
    return pair
