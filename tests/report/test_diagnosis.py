"""Signs of trouble in curves and scores."""

from __future__ import annotations

import pytest

from pixelwise.core.records import IntervalRecord, Summary
from pixelwise.report.diagnosis import diagnose


def scored(
    confusion: tuple[tuple[int, ...], ...], n_cases: int = 20, mean_dice: float = 0.8
) -> Summary:
    return Summary(
        n_cases=n_cases,
        class_names=("background", "cell", "wall")[: len(confusion)],
        metrics=(),
        overall={"mean_dice": mean_dice},
        confusion=confusion,
        rule="",
        cases=(),
    )


def trained(scores: list[float], loss: float = 0.5) -> list[IntervalRecord]:
    return [
        IntervalRecord(
            step=10 * (i + 1), n_steps=10 * len(scores), seconds=float(i), loss=loss,
            learning_rate=1e-3, images_per_second=1.0, validation_score=score,
        )
        for i, score in enumerate(scores)
    ]  # fmt: skip


def codes(history: list[IntervalRecord], **summaries: Summary) -> list[str]:
    return [problem.code for problem in diagnose(history, summaries)]


GOOD = ((90, 10), (10, 90))


def test_a_good_run_gives_no_warning() -> None:
    history = trained([0.3, 0.6, 0.7, 0.75, 0.79, 0.8, 0.8, 0.8, 0.8, 0.801])
    assert codes(history, test=scored(GOOD), val=scored(GOOD)) == []


def test_everything_black() -> None:
    problems = diagnose([], {"val": scored(((100, 0), (100, 0)))})
    assert [p.code for p in problems] == ["collapsed"]
    assert problems[0].what == "every pixel of the validation cases was labelled background"
    assert problems[0].severity == "warning"


@pytest.mark.parametrize(
    ("confusion", "code"),
    [
        (((90, 10, 0), (10, 90, 0), (50, 50, 0)), "never-predicted"),
        (((90, 10, 0), (10, 90, 0), (0, 0, 0)), "class-absent"),
        (((90, 10, 0), (10, 90, 0), (50, 48, 2)), "rarely-found"),
    ],
)
def test_one_class_fails(confusion: tuple[tuple[int, ...], ...], code: str) -> None:
    problems = diagnose([], {"test": scored(confusion)})
    assert [p.code for p in problems] == [code]
    assert "wall" in problems[0].what


def test_few_cases() -> None:
    assert codes([], test=scored(GOOD, n_cases=4)) == ["few-cases"]


def test_gap_between_validation_and_test() -> None:
    summaries = {"val": scored(GOOD, mean_dice=0.9), "test": scored(GOOD, mean_dice=0.7)}
    assert codes([], **summaries) == ["split-gap"]


def test_still_rising() -> None:
    history = trained([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85])
    assert codes(history) == ["still-rising"]


def test_score_fell() -> None:
    assert codes(trained([0.5, 0.8, 0.7, 0.65, 0.6])) == ["score-fell"]


def test_loss_not_finite() -> None:
    assert codes(trained([0.5], loss=float("nan"))) == ["loss-not-finite"]


def test_nothing_scored() -> None:
    assert codes([]) == []
    assert codes([], test=scored(((0, 0), (0, 0)), n_cases=0)) == []
