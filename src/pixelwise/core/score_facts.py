"""What the scores of objects and of probabilities mean: name, direction, unit, rule where empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KIND_OBJECTS = "objects"
KIND_PROBABILITIES = "probabilities"


@dataclass(frozen=True, slots=True)
class ScoreFact:
    """A score that is no function of two masks of a class, as `METRICS` describes those that are.

    `empty`: what it is where truth or prediction has nothing, in words.
    """

    key: str
    kind: str
    name: str
    summary: str
    best: float
    higher_is_better: bool
    empty: str = ""
    pools: bool = False

    def as_facts(self) -> dict[str, Any]:
        """The same keys as the facts of a registered metric."""
        return {
            "family": self.kind,
            "best": self.best,
            "higher_is_better": self.higher_is_better,
            "unit": "",
            "pools": self.pools,
            "unbounded": False,
        }


_NONE = "no object in either: no value; in one only: 0"
_COUNT = "no object in either: 0"
_ALL = (
    ScoreFact("pq", KIND_OBJECTS, "PQ",
              "Panoptic quality: sum of the IoU of matched objects / (TP + FP/2 + FN/2); a match "
              "has an IoU above 0.5 (Kirillov et al. 2019).", 1, True, _NONE, True),
    ScoreFact("sq", KIND_OBJECTS, "SQ", "Segmentation quality: mean IoU of matched objects.",
              1, True, _NONE, True),
    ScoreFact("rq", KIND_OBJECTS, "RQ",
              "Recognition quality: F1 of objects matched with an IoU above 0.5.",
              1, True, _NONE, True),
    ScoreFact("object_f1_touching", KIND_OBJECTS, "Object F1, touching",
              "F1 of objects that share at least one pixel, each matched once (lesion-wise).",
              1, True, _NONE, True),
    ScoreFact("ap50", KIND_OBJECTS, "AP at 0.50",
              "TP / (TP + FP + FN) of objects matched with an IoU above 0.5; not COCO's AP, which "
              "needs confidences.", 1, True, _NONE, True),
    ScoreFact("ap75", KIND_OBJECTS, "AP at 0.75",
              "TP / (TP + FP + FN) of objects matched with an IoU above 0.75.",
              1, True, _NONE, True),
    ScoreFact("ap_dsb", KIND_OBJECTS, "AP 0.50:0.95",
              "Mean of TP / (TP + FP + FN) at the IoU thresholds 0.50, 0.55 … 0.95 (2018 Data "
              "Science Bowl).", 1, True, _NONE, True),
    ScoreFact("seg", KIND_OBJECTS, "SEG",
              "Mean over true objects of the IoU with the prediction that covers over half of "
              "them, 0 if none does (Cell Tracking Challenge).", 1, True,
              "no true object: no value", True),
    ScoreFact("missed_objects", KIND_OBJECTS, "Missed objects",
              "True objects that no prediction covers or is covered by, over half.",
              0, False, _COUNT, True),
    ScoreFact("extra_objects", KIND_OBJECTS, "Extra objects",
              "Predicted objects that no true object covers or is covered by, over half.",
              0, False, _COUNT, True),
    ScoreFact("merges", KIND_OBJECTS, "Merges",
              "True objects beyond the first that one prediction covers over half.",
              0, False, _COUNT, True),
    ScoreFact("splits", KIND_OBJECTS, "Splits",
              "Predicted objects beyond the first that one true object covers over half.",
              0, False, _COUNT, True),
    ScoreFact("adapted_rand", KIND_OBJECTS, "Adapted Rand error",
              "1 - F1 of pixel pairs in one object, over the pixels of true objects "
              "(Arganda-Carreras et al. 2015).", 0, False, "no true object: no value"),
    ScoreFact("voi_split", KIND_OBJECTS, "VI split",
              "Variation of information, bits lost by objects taken apart, over the pixels of "
              "true objects.", 0, False, "no true object: no value"),
    ScoreFact("voi_merge", KIND_OBJECTS, "VI merge",
              "Variation of information, bits lost by objects put together, over the pixels of "
              "true objects.", 0, False, "no true object: no value"),
    ScoreFact("roc_auc", KIND_PROBABILITIES, "ROC AUC",
              "Area under the curve of sensitivity over false positive rate; 0.5 is chance.",
              1, True, "truth without pixels inside or outside: no value", True),
    ScoreFact("pr_auc", KIND_PROBABILITIES, "PR AUC",
              "Average precision: area under precision over recall, in steps; chance is the share "
              "of the class.", 1, True, "truth without the class: no value", True),
    ScoreFact("brier", KIND_PROBABILITIES, "Brier",
              "Mean squared difference of probability and truth.", 0, False,
              "no scored pixel: no value", True),
    ScoreFact("ece", KIND_PROBABILITIES, "ECE",
              "Expected calibration error: |probability - share found| averaged over 15 equal "
              "bins by pixels; above 0 for few pixels even where calibrated.", 0, False,
              "no scored pixel: no value", True),
)  # fmt: skip

SCORE_FACTS: Mapping[str, ScoreFact] = {fact.key: fact for fact in _ALL}
"""By the key that they have in tables and files."""


def keys_of(kind: str) -> tuple[str, ...]:
    """The keys of the scores of objects, or of probabilities, in their order."""
    return tuple(fact.key for fact in _ALL if fact.kind == kind)
