"""What the curves and scores give away: signs of trouble, each with a likely cause and a remedy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pixelwise.core.errors import Problem
from pixelwise.core.records import IntervalRecord, Summary
from pixelwise.report.wording import count, listed, main_split, number, split_name

FEW_CASES = 5
STILL_RISING = 0.01
"""If the last fifth of the training gained at least this much score, more time would help."""

FALLING = 0.03
GAP = 0.1
RARELY_FOUND = 0.05


def diagnose(history: Sequence[IntervalRecord], summaries: Mapping[str, Summary]) -> list[Problem]:
    """Warnings and notes from a training's history and scores; empty if nothing stands out."""
    split = main_split(summaries)
    found = _about_curves(history)
    if split is not None:
        found += _about_scores(summaries[split], split)
        found += _about_gap(summaries)
    return found


def _about_scores(summary: Summary, split: str) -> list[Problem]:
    if summary.n_cases == 0:
        return []
    found = []
    names = summary.class_names
    truth, predicted, right = _pixel_sums(summary)
    never = [names[k] for k in range(len(names)) if truth[k] and not predicted[k]]
    n_predicted = sum(n > 0 for n in predicted)
    if n_predicted == 1 and never and not summary.has_regions:
        only = names[next(k for k, n in enumerate(predicted) if n)]
        found.append(
            Problem(
                f"every pixel of the {split_name(split)} cases was labelled {only}",
                "",
                "The network has collapsed to one answer. Look at the truth in the gallery first "
                "(is it what you meant?); then train longer, or raise "
                "sampling.foreground_share.",
                severity="warning",
                code="collapsed",
            )
        )
    elif never:
        verb = "was" if len(never) == 1 else "were"
        found.append(
            Problem(
                f"{listed(never)} {verb} never predicted in the {split_name(split)} cases, "
                "though the truth has it",
                "",
                "Rare classes need more time or more examples; their share is under Data.",
                severity="warning",
                code="never-predicted",
            )
        )
    absent = [names[k] for k in range(len(names)) if not truth[k]]
    if absent:
        found.append(
            Problem(
                f"the truth of the {split_name(split)} cases has no pixel of {listed(absent)}",
                "",
                "Nothing can be said about how well it is found: its scores are undefined or 0.",
                severity="warning",
                code="class-absent",
            )
        )
    rare = [
        names[k]
        for k in range(len(names))
        if truth[k] and predicted[k] and right[k] / truth[k] < RARELY_FOUND
    ]
    if rare:
        found.append(
            Problem(
                f"less than {RARELY_FOUND:.0%} of the pixels of {listed(rare)} were found",
                "",
                "The pictures show where they are missed."
                if summary.has_regions
                else "See the confusion table for what they are taken for.",
                severity="warning",
                code="rarely-found",
            )
        )
    if summary.n_cases < FEW_CASES:
        found.append(
            Problem(
                f"the scores rest on {count(summary.n_cases, f'{split_name(split)} case')}",
                "",
                "Spread and interval are rough with so few: read them as an order of magnitude.",
                severity="note",
                code="few-cases",
            )
        )
    return found


def _pixel_sums(summary: Summary) -> tuple[list[int], list[int], list[int]]:
    """True, predicted and rightly predicted pixels of each class, summed over cases."""
    table, n = summary.confusion, len(summary.class_names)
    if not summary.has_regions:
        return (
            [sum(row) for row in table],
            [sum(row[k] for row in table) for k in range(n)],
            [table[k][k] for k in range(n)],
        )
    own = [[case.classes[k] for case in summary.cases] for k in range(n)]
    return (
        [sum(c.tp + c.fn for c in found) for found in own],
        [sum(c.tp + c.fp for c in found) for found in own],
        [sum(c.tp for c in found) for found in own],
    )


def _about_gap(summaries: Mapping[str, Summary]) -> list[Problem]:
    if "test" not in summaries or "val" not in summaries:
        return []
    test, val = (summaries[s].overall.get("mean_dice") for s in ("test", "val"))
    if test is None or val is None or val - test < GAP:
        return []
    return [
        Problem(
            f"mean Dice is {number(val)} on validation but {number(test)} on test",
            "",
            "The test cases differ from those for training: compare their class shares, sizes "
            "and pictures, and check that no group lies in two splits.",
            severity="warning",
            code="split-gap",
        )
    ]


def _about_curves(history: Sequence[IntervalRecord]) -> list[Problem]:
    found = []
    if any(not math.isfinite(record.loss) for record in history):
        found.append(
            Problem(
                "the loss was not a finite number in a part of the training",
                "",
                "Lower optimizer.learning_rate, or train with training.precision=float32.",
                severity="warning",
                code="loss-not-finite",
            )
        )
    scores = [r for r in history if r.validation_score is not None]
    if len(scores) < 3:
        return found
    values = [r.validation_score or 0.0 for r in scores]
    late = scores[-1].step * 0.8
    before = max(
        (v for r, v in zip(scores, values, strict=True) if r.step <= late), default=values[0]
    )
    if values[-1] - before >= STILL_RISING:
        found.append(
            Problem(
                f"the validation score still rose by {number(values[-1] - before)} in the last "
                "fifth of the training",
                "",
                "A longer budget will probably give a better result.",
                severity="note",
                code="still-rising",
            )
        )
    if max(values) - values[-1] >= FALLING:
        best = scores[values.index(max(values))]
        found.append(
            Problem(
                f"the validation score fell from {number(max(values))} at step {best.step} to "
                f"{number(values[-1])} at the end",
                "",
                "A sign of overfitting or of too few validation cases: add training cases or "
                "augmentation, or train for fewer steps.",
                severity="warning",
                code="score-fell",
            )
        )
    return found
