"""The columns of a table of scores: metrics of a mask pair, of objects, of probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixelwise.core.records import CaseScores
from pixelwise.core.score_facts import SCORE_FACTS
from pixelwise.metrics.choices import MetricChoice, choose_metrics
from pixelwise.metrics.pair import MaskPair


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """A score by the key that it has in `ClassScores.values`, with what is known about it."""

    key: str
    facts: Mapping[str, Any]
    choice: MetricChoice | None = None

    def fact(self, name: str) -> Any:
        """`best`, `higher_is_better`, `unit`, `pools`, as at a metric's registration."""
        return self.facts[name]

    def pooled(self, summed: MaskPair) -> float | None:
        """The value of summed pixel counts, None where counts are not enough."""
        if self.choice is None or not self.fact("pools"):
            return None
        return self.choice.of(summed)


def score_column(key: str) -> ScoreColumn:
    """The column of a key such as "dice", "nsd:tolerance=2" or "pq". Raises BadPlan."""
    if key in SCORE_FACTS:
        return ScoreColumn(key, SCORE_FACTS[key].as_facts())
    (choice,) = choose_metrics([key])
    return ScoreColumn(key, choice.entry.facts, choice)


def columns_of(cases: Sequence[CaseScores]) -> tuple[ScoreColumn, ...]:
    """The columns that cases have, in their order; not every class has every one."""
    classes = cases[0].classes if cases else ()
    keys = dict.fromkeys(key for scores in classes for key in scores.values)
    return tuple(score_column(key) for key in keys)
