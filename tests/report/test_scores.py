"""Tables of scores: every number is there, undefined ones with their reason, none as None."""

from __future__ import annotations

import re

import pytest

from pixelwise.core.records import CaseScores, ClassScores, MetricSummary, Summary
from pixelwise.report.case_scores import case_score, case_strips, case_table
from pixelwise.report.scores import (
    class_table,
    confusion_table,
    leading_metric,
    metric_keys,
    metrics_table,
    overall_table,
)

COLOURS = {0: "#000000", 1: "#e69f00", 2: "#56b4e9"}


def text_of(markup: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup)).strip()


def make_metric(class_id: int, key: str, **changes: object) -> MetricSummary:
    content = {
        "class_id": class_id, "metric": key, "mean": 0.8, "std": 0.1, "minimum": 0.6,
        "median": 0.81, "maximum": 0.9, "pooled": 0.79, "n_cases": 5, "n_undefined": 1,
        "n_missed": 2, "n_false_alarm": 3, "low": 0.7, "high": 0.88,
    }  # fmt: skip
    return MetricSummary.model_validate(content | changes)


def make_case(name: str, dice: float | None, status: str = "present") -> CaseScores:
    classes = [
        ClassScores.model_validate(
            {"class_id": k, "status": status, "tp": 1, "fp": 1, "fn": 1, "tn": 1,
             "values": {"dice": dice}}
        )
        for k in range(3)
    ]  # fmt: skip
    confusion = ((0, 0, 0),) * 3
    return CaseScores(id=name, n_valid=4, n_ignored=0, confusion=confusion, classes=tuple(classes))


NOTHING = dict.fromkeys(("mean", "std", "minimum", "median", "maximum", "pooled", "low", "high"))


@pytest.fixture
def summary() -> Summary:
    return Summary(
        n_cases=5,
        class_names=("background", "cell", "wall"),
        metrics=(
            make_metric(0, "iou"), make_metric(1, "iou"), make_metric(2, "iou"),
            make_metric(0, "dice"), make_metric(1, "dice"),
            make_metric(2, "dice", n_undefined=5, **NOTHING),
        ),
        overall={"mean_dice": 0.8, "mean_iou": None},
        confusion=((90, 10, 0), (25, 75, 0), (0, 0, 0)),
        rule="the rule",
        cases=(
            make_case("good", 0.9), make_case("bad", 0.1), make_case("none", None, "both-empty"),
            make_case("missed", 0.0, "only-truth"),
        ),
        background=0,
        interval="95 %",
    )  # fmt: skip


def test_dice_leads(summary: Summary) -> None:
    assert leading_metric(summary) == "dice"
    assert metric_keys(summary) == ["dice", "iou"]


def test_class_table_has_all_that_stands_beside_a_mean(summary: Summary) -> None:
    text = text_of(class_table(summary, "dice", COLOURS))
    assert "cell 0.800 0.700 to 0.880 0.100 0.810 0.600 0.900 0.790 4 of 5 1 2 3" in text
    assert "higher is better" in text
    assert "undefined no value in any of 5 cases" in text
    assert "None" not in text


def test_distances_are_not_pooled(summary: Summary) -> None:
    distance = make_metric(1, "hd95", mean=4.321, pooled=None)
    changed = summary.model_copy(update={"metrics": (distance,), "unit": "mm"})
    text = text_of(class_table(changed, "hd95", COLOURS))
    assert "Pooled" not in text
    assert "mm, lower is better" in text
    assert "4.32" in text


def test_metrics_table_says_what_was_not_computed(summary: Summary) -> None:
    metrics = summary.metrics[:-1]
    text = text_of(metrics_table(summary.model_copy(update={"metrics": metrics}), COLOURS))
    assert "undefined not computed" in text


def test_overall_says_how_it_was_averaged(summary: Summary) -> None:
    text = text_of(overall_table(summary))
    assert "Mean Dice 0.800 over cases, then over foreground classes" in text
    assert "Mean IoU undefined" in text


def test_confusion_is_shared_by_rows(summary: Summary) -> None:
    text = text_of(confusion_table(summary))
    assert "background 90 % 90 10.0 % 10 0 % 0 100" in text
    assert "cell 25 % 25 75 % 75 0 % 0 100" in text
    assert "wall undefined no such truth" in text


def test_cases_are_listed_worst_first(summary: Summary) -> None:
    text = text_of(case_table(summary, "dice", "test"))
    order = [text.index(name) for name in ("missed 0.000 missed", "bad", "good", "none undefined")]
    assert order == sorted(order)
    assert "in neither" in text


def test_case_score_is_the_mean_of_defined_classes() -> None:
    assert case_score(make_case("a", 0.4), "dice", [1, 2]) == pytest.approx(0.4)
    assert case_score(make_case("a", None), "dice", [1, 2]) is None


def test_strips_leave_out_the_background(summary: Summary) -> None:
    drawn = case_strips(summary, "dice", COLOURS)
    assert "Dice of cell: 3 cases with a value, lowest 0.000 (missed)" in drawn
    assert "Dice of background" not in drawn


def test_no_value_at_all_is_said(summary: Summary) -> None:
    empty = summary.model_copy(update={"cases": ()})
    assert "No case has a Dice value" in case_strips(empty, "dice", COLOURS)
