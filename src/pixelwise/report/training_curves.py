"""What happened during training, as curves over the steps with the time below."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from pixelwise.core.quantities import format_duration
from pixelwise.core.records import IntervalRecord
from pixelwise.report.charts import Point, line_chart
from pixelwise.report.elements import Column, Content, element, folded, joined, table
from pixelwise.report.scores import undefined
from pixelwise.report.wording import count, general, number


def training_curves(history: Sequence[IntervalRecord]) -> Markup:
    """Loss, validation score and learning rate side by side, and the numbers to unfold."""
    if not history:
        return element("p", "No step of training was recorded.", class_="quiet")
    times = [(float(r.step), format_duration(r.seconds)) for r in history]
    scored = [r for r in history if r.validation_score is not None]
    scores = [_point(r, r.validation_score or 0.0, "validation score") for r in scored]
    charts = [
        _chart([_point(r, r.loss, "loss") for r in history], "Training loss", times),
        _chart(scores, "Validation score", times, limits=_score_limits(scores)),
        _chart(
            [_point(r, r.learning_rate, "learning rate") for r in history],
            "Learning rate",
            times,
        ),
    ]
    return joined([element("div", *charts, class_="plots"), _numbers(history)])


def _point(record: IntervalRecord, value: float, name: str) -> Point:
    at = f"step {count(record.step)}, {format_duration(record.seconds)}"
    return Point(record.step, value, f"{name} {number(value, 4)}, {at}")


def _chart(
    points: Sequence[Point],
    title: str,
    times: Sequence[tuple[float, str]],
    limits: tuple[float, float] | None = None,
) -> Markup:
    return line_chart(points, title=title, x_label="step", x_notes=times, limits=limits)


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
        score: Content = undefined("not measured then")
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
    return folded("The numbers behind the curves", whole)
