"""What happened during training, as curves over the steps with the time below."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from pixelwise.core.plan import Plan
from pixelwise.core.quantities import format_duration
from pixelwise.core.records import IntervalRecord
from pixelwise.report.charts import Point, line_chart
from pixelwise.report.elements import Column, Content, element, folded, joined, table
from pixelwise.report.scores import undefined
from pixelwise.report.wording import count, general, number


def training_curves(history: Sequence[IntervalRecord], plan: Plan) -> Markup:
    """Loss, validation score and learning rate side by side, and the numbers to unfold."""
    if not history:
        return element("p", "No step of training was recorded.", class_="quiet")
    steps, seconds = [0, *(r.step for r in history)], [0.0, *(r.seconds for r in history)]

    def time_at(step: float) -> str:
        return format_duration(float(np.interp(step, steps, seconds)))

    scored = [r for r in history if r.validation_score is not None]
    scores = [_point(r, r.validation_score or 0.0, "validation score") for r in scored]
    charts = [
        line_chart(
            [_point(r, r.loss, "loss") for r in history],
            title="Training loss",
            x_label="step",
            x_note=time_at,
            may_be_log=True,
        ),
        line_chart(
            scores,
            title="Validation score",
            x_label="step",
            x_note=time_at,
            limits=_score_limits(scores),
            x_end=float(history[-1].step),
        ),
        line_chart(
            [_point(r, r.learning_rate, "learning rate") for r in history],
            title="Learning rate",
            x_label="step",
            x_note=time_at,
        ),
    ]
    cases = min(plan.training.validation_cases, len(plan.data.splits.get("val", ())))
    told = (
        f"The validation score is the mean foreground Dice on {count(cases, 'validation case')}, "
        "pixels pooled; it only watches the training. All scores below belong to the averaged "
        "weights after the last step: no step was picked by its score."
    )
    return joined(
        [
            element("div", *charts, class_="plots"),
            element("p", told, class_="rule"),
            _numbers(history),
        ]
    )


def _point(record: IntervalRecord, value: float, name: str) -> Point:
    at = f"step {count(record.step)}, {format_duration(record.seconds)}"
    return Point(record.step, value, f"{name} {number(value, 4)}, {at}")


def _score_limits(points: Sequence[Point]) -> tuple[float, float] | None:
    is_share = all(0 <= point.y <= 1 for point in points)
    return (0.0, 1.0) if is_share else None


def _numbers(history: Sequence[IntervalRecord]) -> Markup:
    columns = (
        Column("Step", "", True),
        Column("Time", "", True),
        Column("Loss", "", True),
        Column("Validation score", "", True),
        Column("Learning rate", "", True),
        Column("Patches per second", "", True),
    )
    rows = []
    for record in history:
        score: Content = element("small", "not measured")
        if record.validation_score is not None:
            score = number(record.validation_score)
        loss: Content = number(record.loss, 4)
        if not math.isfinite(record.loss):
            loss = undefined("not a finite number")
        speed = general(round(record.images_per_second, 2))
        rows.append(
            [
                count(record.step),
                format_duration(record.seconds),
                loss,
                score,
                general(record.learning_rate),
                speed,
            ]
        )
    whole = table(columns, rows, caption="The training, stretch by stretch")
    return folded("The numbers behind the curves", whole, is_bulk=True)
