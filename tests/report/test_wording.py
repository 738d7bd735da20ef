"""Numbers in words: digits, counts, shares, and what has no value."""

from __future__ import annotations

import math

import pytest

from pixelwise.core.records import MetricSummary
from pixelwise.report.wording import (
    count,
    general,
    listed,
    main_split,
    metric_direction,
    metric_name,
    number,
    share,
    short_count,
    size_text,
    why_no_mean,
    why_no_spread,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.78349, "0.783"), (12.345, "12.3"), (1234.5, "1\u202f234"), (None, "undefined"),
     (math.nan, "undefined"), (math.inf, "infinite"), (0.0, "0.000"), (-0.5, "-0.500")],
)  # fmt: skip
def test_number(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0003, "0.0003"), (4096, "4096"), (1e-5, "1 × 10⁻⁵"), (0, "0"), (12.5, "12.5"),
     (123456, "123456"), (2.5e7, "2.5 × 10⁷")],
)  # fmt: skip
def test_general(value: float, text: str) -> None:
    assert general(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 %"), (1, "100 %"), (0.432, "43 %"), (0.0432, "4.3 %"), (0.0002, "0.02 %"),
     (0.00001, "< 0.01 %"), (0.998, "99.8 %")],
)  # fmt: skip
def test_share(value: float, text: str) -> None:
    assert share(value) == text


def test_counts() -> None:
    assert count(1, "case") == "1 case"
    assert count(12345, "case") == "12\u202f345 cases"
    assert short_count(950) == "950"
    assert short_count(12_300) == "12.3\u202fk"
    assert short_count(4_560_000) == "4.56\u202fM"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_metrics_say_direction_and_unit() -> None:
    assert metric_name("dice") == "Dice"
    assert metric_name("hd95") == "HD95"
    assert metric_direction("dice", "mm") == "higher is better"
    assert metric_direction("hd95", "mm") == "mm, lower is better"
    assert metric_direction("my own", "mm") == ""


def test_headline_prefers_test_then_validation() -> None:
    summaries = dict.fromkeys(("train", "val", "test"))
    assert main_split(summaries) == "test"  # type: ignore[arg-type]
    assert main_split({"train": None, "val": None}) == "val"  # type: ignore[dict-item]
    assert main_split({}) is None


def test_reasons_for_no_value() -> None:
    nothing = MetricSummary(
        class_id=1, metric="dice", mean=None, std=None, minimum=None, median=None, maximum=None,
        pooled=None, n_cases=4, n_undefined=4, n_missed=0, n_false_alarm=0,
    )  # fmt: skip
    assert why_no_mean(nothing) == "no value in any of 4 cases"
    infinite = nothing.model_copy(update={"n_undefined": 0, "n_infinite": 2})
    assert why_no_mean(infinite).startswith("infinite in 2 of 4 cases")
    single = nothing.model_copy(update={"mean": 0.5, "n_cases": 1, "n_undefined": 0})
    assert why_no_spread(single) == "there is only one case with a value"


@pytest.mark.parametrize(
    ("value", "unit", "n_dims", "text"),
    [
        (840.0, "mm", 3, "840 mm³"),
        (1234567.0, "mm", 3, "1235 mL"),
        (1500.0, "mm", 3, "1.5 mL"),
        (25.0, "px", 2, "25 px²"),
        (123456.0, "px", 3, "123\u202f456 px³"),
    ],
)
def test_sizes_in_words(value: float, unit: str, n_dims: int, text: str) -> None:
    assert size_text(value, unit, n_dims) == text
