"""Summaries by hand: averaged and pooled, empty cases counted, a miss never helps a mean."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pixelwise.core.records import Summary
from pixelwise.evaluation import score_case, summarise
from pixelwise.evaluation.bootstrap import bootstrap_means

NAMES = ["background", "cell"]


def scored(*pairs: tuple[str, str], metrics: tuple[str, ...] = ("dice", "iou", "hd95")) -> Summary:
    cases = []
    for i, (truth, predicted) in enumerate(pairs):
        arrays = [np.array([[int(c) for c in text]], np.uint8) for text in (truth, predicted)]
        cases.append(score_case(f"case{i}", *arrays, n_classes=2, metrics=metrics))
    return summarise(cases, NAMES, n_draws=200)


def find(summary: Summary, metric: str, class_id: int = 1):  # noqa: ANN201 - a record
    return next(m for m in summary.metrics if (m.metric, m.class_id) == (metric, class_id))


def test_mean_over_cases_and_pooled_differ_and_are_named() -> None:
    summary = scored(("1111", "1111"), ("1000", "0000"))
    dice = find(summary, "dice")
    assert dice.mean == pytest.approx(0.5)
    assert dice.pooled == pytest.approx(2 * 4 / (2 * 4 + 1))
    assert (dice.n_missed, dice.n_false_alarm, dice.n_undefined) == (1, 0, 0)
    assert summary.overall["mean_dice"] == pytest.approx(0.5)
    assert summary.overall["pixel_accuracy"] == pytest.approx(7 / 8)
    assert summary.overall["mean_iou"] == pytest.approx((3 / 4 + 4 / 5) / 2)


def test_every_degenerate_case_is_counted() -> None:
    summary = scored(("1100", "1100"), ("0000", "0000"), ("1100", "0000"), ("0000", "0011"))
    dice, hd95 = find(summary, "dice"), find(summary, "hd95")
    assert (dice.n_cases, dice.n_undefined, dice.n_missed, dice.n_false_alarm) == (4, 1, 1, 1)
    assert dice.mean == pytest.approx(1 / 3)
    assert dice.mean_present == 1
    assert hd95.mean == pytest.approx(2 * math.sqrt(17) / 3)  # the diagonal of 1 x 4, twice
    statuses = [case.classes[1].status for case in summary.cases]
    assert statuses == ["present", "both-empty", "only-truth", "only-predicted"]


def test_a_missed_structure_never_improves_a_mean() -> None:
    good = [("1100", "1000"), ("1100", "1100")]
    with_miss = [*good, ("1100", "0000")]
    for metric, sign in (("dice", 1), ("iou", 1), ("hd95", -1)):
        before, after = find(scored(*good), metric).mean, find(scored(*with_miss), metric).mean
        assert sign * after < sign * before


def test_an_ignored_case_has_no_value() -> None:
    truth = np.full((2, 2), 255, np.uint8)
    case = score_case("void", truth, np.zeros_like(truth), n_classes=2)
    assert case.n_valid == 0
    assert case.classes[1].status == "all-ignored"
    assert set(case.classes[1].values.values()) == {None}


def test_infinite_means_are_said_and_not_dropped() -> None:
    summary = scored(("0000", "0011"), ("1100", "1100"), metrics=("volume_difference",))
    volume = find(summary, "volume_difference")
    assert volume.mean is None
    assert volume.n_infinite == 1


def test_records_survive_json() -> None:
    summary = scored(("1100", "0110"))
    assert Summary.model_validate_json(summary.model_dump_json()) == summary


def test_bootstrap_covers_like_the_textbook() -> None:
    """For normal data the interval is close to mean +- 1.96 s / sqrt(n)."""
    values = np.random.default_rng(3).normal(5, 2, (400, 1))
    interval = bootstrap_means(values, n_draws=4000)
    half = 1.96 * values.std(ddof=1) / 20
    assert interval.low[0] == pytest.approx(values.mean() - half, abs=0.03)
    assert interval.high[0] == pytest.approx(values.mean() + half, abs=0.03)


def test_bootstrap_of_equal_values_is_a_point_and_is_seeded() -> None:
    interval = bootstrap_means(np.full((25, 1), 0.8), n_draws=300)
    assert interval.low[0] == pytest.approx(0.8)
    assert interval.high[0] == pytest.approx(0.8)
    values = np.random.default_rng(0).random((30, 2))
    first, again = (bootstrap_means(values, n_draws=300, seed=7) for _ in range(2))
    np.testing.assert_array_equal(first.low, again.low)
    assert np.isnan(bootstrap_means(np.full((5, 1), np.nan), n_draws=50).low[0])


def test_groups_are_drawn_together() -> None:
    """Copies of a case in one group add no certainty."""
    values = np.random.default_rng(1).random((8, 1))
    groups = [f"patient{i}" for i in range(8)]
    single = bootstrap_means(values, groups, n_draws=2000)
    copied = bootstrap_means(
        np.repeat(values, 5, axis=0), [g for g in groups for _ in range(5)], n_draws=2000
    )
    assert copied.low[0] == pytest.approx(single.low[0], abs=1e-12)
