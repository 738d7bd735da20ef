"""A missed structure never improves a mean; void is no way out; other tools' rules by name."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.core.errors import BadData, BadPlan, UnknownName
from pixelwise.core.records import CaseScores
from pixelwise.evaluation import score_case, summarise
from pixelwise.evaluation.empty_rules import RULE
from pixelwise.evaluation.metric_texts import explicit_metrics

NOTHING = np.zeros((6, 8), np.uint8)
SPOT = NOTHING.copy()
SPOT[2:4, 2:5] = 1


def case(truth: np.ndarray, predicted: np.ndarray, *metrics: str, group: str = "") -> CaseScores:
    return score_case("c", truth, predicted, n_classes=2, metrics=metrics, group=group)


def test_a_miss_counts_zero_where_a_share_is_undefined() -> None:
    bad = SPOT.copy()
    bad[0, :] = 1
    with_bad = [case(SPOT, SPOT, "precision", "mcc"), case(SPOT, bad, "precision", "mcc")]
    with_miss = [with_bad[0], case(SPOT, NOTHING, "precision", "mcc")]
    means = [
        {m.metric: m.mean for m in summarise(cases, ["b", "x"], n_draws=9).metrics if m.class_id}
        for cases in (with_bad, with_miss)
    ]
    assert means[1] == {"precision": 0.5, "mcc": 0.5}
    assert all(means[1][key] < means[0][key] for key in means[0])


def test_why_cases_have_no_value_is_counted() -> None:
    void = np.full_like(SPOT, 255)
    pairs = [(SPOT, SPOT), (NOTHING, NOTHING), (void, SPOT), (SPOT, NOTHING), (NOTHING, SPOT)]
    cases = [case(*pair, "dice", "betti_error") for pair in pairs]
    dice, betti = (m for m in summarise(cases, ["b", "x"], n_draws=9).metrics if m.class_id)
    assert (dice.n_undefined, dice.n_both_empty, dice.n_all_ignored) == (2, 1, 1)
    assert (dice.n_missed, dice.n_false_alarm) == (1, 1)
    assert dice.mean == pytest.approx(1 / 3)
    assert betti.n_undefined == 1, "nothing was scored in the void case"
    assert betti.mean == pytest.approx(2 / 4)


def test_void_predictions_are_refused() -> None:
    predicted = SPOT.copy()
    predicted[0, :3] = 255
    with pytest.raises(BadData, match="void at 3 of 48 scored pixels"):
        case(SPOT, predicted, "dice")
    truth = SPOT.copy()
    truth[0] = 255
    assert case(truth, predicted, "dice").classes[1].values["dice"] == 1


@pytest.mark.parametrize(
    ("convention", "missed", "false_alarm", "both"),
    [("monai", 0, None, None), ("metrics-reloaded", 0, 0, 1), ("panoptica", 0, 0, 0)],
)
def test_dice_as_other_tools_count_it(
    convention: str, missed: float | None, false_alarm: float | None, both: float | None
) -> None:
    (key,) = explicit_metrics(["dice"], convention=convention)
    assert key == f"dice:convention={convention}"
    pairs = ((SPOT, NOTHING), (NOTHING, SPOT), (NOTHING, NOTHING))
    found = [case(*pair, key).classes[1].values[key] for pair in pairs]
    assert found == [missed, false_alarm, both]
    summary = summarise([case(SPOT, SPOT, key)], ["background", "x"], n_draws=9)
    assert summary.rule.startswith(key)
    assert RULE in summary.rule
    assert summary.overall["mean_dice"] == 1


def test_tolerance_and_convention_go_into_the_names() -> None:
    found = explicit_metrics(["dice", "hd95", "boundary_f1"], tolerance=2.5, convention="MedPy")
    assert found[:2] == ("dice:convention=medpy", "hd95:convention=medpy")
    assert "tolerance=2.5" in found[2]
    assert explicit_metrics(["dice"], tolerance=1) == ("dice", "nsd:tolerance=1")
    assert explicit_metrics(["nsd:tolerance=3"], tolerance=1) == ("nsd:tolerance=3",)
    with pytest.raises(BadPlan, match="no metric that was asked for"):
        explicit_metrics(["dice"], convention="nobody")
    with pytest.raises(BadPlan, match="at least 0"):
        explicit_metrics(["dice"], tolerance=-1)
    with pytest.raises((BadPlan, UnknownName), match="dyce"):
        explicit_metrics(["dyce"])
    with pytest.raises(BadPlan, match="tolerance"):
        explicit_metrics(["nsd"])


def test_groups_are_averaged_and_pooled() -> None:
    half = NOTHING.copy()
    half[2:4, 2:3] = 1
    cases = [
        case(SPOT, SPOT, "dice", group="a"),
        case(SPOT, half, "dice", group="a"),
        case(NOTHING, NOTHING, "dice", group="b"),
    ]
    groups = {g.group: g for g in summarise(cases, ["b", "x"], n_draws=9).groups if g.class_id}
    assert groups["a"].mean == pytest.approx((1 + 0.5) / 2)
    assert groups["a"].pooled == pytest.approx(2 * 8 / (12 + 8))
    assert (groups["a"].n_cases, groups["a"].n_undefined) == (2, 0)
    assert (groups["b"].mean, groups["b"].pooled, groups["b"].n_undefined) == (None, None, 1)
    assert summarise([case(SPOT, SPOT, "dice")], ["b", "x"], n_draws=9).groups == ()
