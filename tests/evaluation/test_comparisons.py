"""Tests, corrections and ranks against textbook values; contradictions are said."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelwise.core.errors import BadData
from pixelwise.core.records import Summary
from pixelwise.evaluation import score_case, summarise
from pixelwise.evaluation.advice import TaskFacts, advise, find_contradictions
from pixelwise.evaluation.comparison import compare_summaries, holm, permutation_p, rank_values
from pixelwise.evaluation.tables import comparison_table, ranking_table, summary_table


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=7))
@settings(deadline=None)
def test_permutation_equals_trying_every_sign(values: list[float]) -> None:
    differences = np.round(np.array(values), 3)
    observed = abs(differences.sum())
    signs = itertools.product((-1, 1), repeat=len(differences))
    sums = [abs(float(np.dot(s, differences))) for s in signs]
    expected = np.mean([s >= observed - 1e-9 for s in sums])
    assert permutation_p(differences) == pytest.approx(expected)


def test_permutation_of_many_is_seeded_and_close_to_exact() -> None:
    differences = np.concatenate([np.ones(13), -np.ones(3)])
    # 16 signs, 3 or fewer (or 13 or more) negative: 2 (1 + 16 + 120 + 560) / 2^16
    assert permutation_p(differences) == pytest.approx(2 * 697 / 65536, abs=0.004)
    assert permutation_p(differences) == permutation_p(differences)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]


def test_ranks_share_ties() -> None:
    np.testing.assert_array_equal(rank_values(np.array([0.9, 0.8, 0.9]), True), [1.5, 3, 1.5])
    np.testing.assert_array_equal(rank_values(np.array([3.0, 1.0, 2.0]), False), [3, 1, 2])


def make_summaries(n_cases: int = 12) -> dict[str, Summary]:
    """A thick bar, predicted thinner by one row (smooth) or with gaps (broken)."""
    truth = np.zeros((40, 80), np.uint8)
    truth[18:22, 5:75] = 1
    smooth, broken = truth.copy(), truth.copy()
    smooth[18, 5:75] = 0
    broken[:, 9:74:5] = 0  # 13 gaps, 14 pieces
    wanted = ("dice", "betti_error", "component_error")
    found = {}
    for name, predicted in (("smooth", smooth), ("broken", broken)):
        cases = [
            score_case(f"c{i}", truth, np.roll(predicted, i % 2, 0), n_classes=2, metrics=wanted)
            for i in range(n_cases)
        ]
        found[name] = summarise(cases, ["background", "vessel"], n_draws=100)
    return found


def test_comparison_finds_the_better_one_in_each_metric() -> None:
    comparison = compare_summaries(make_summaries(), n_draws=500)
    by_metric = {m.metric: m for m in comparison.metrics}
    topology = by_metric["betti_error"].differences[0]
    assert (topology.first, topology.second, topology.better) == ("smooth", "broken", "smooth")
    assert topology.n_first_better == 12
    assert topology.p == pytest.approx(2 / 2**12)
    assert topology.p_corrected == pytest.approx(3 * 2 / 2**12)
    assert by_metric["betti_error"].rank_probability["smooth"] == (1.0, 0.0)
    for table_format in ("markdown", "latex", "csv"):
        assert "smooth" in comparison_table(comparison, table_format)
        assert "smooth" in ranking_table(comparison, table_format)


def test_nearly_equal_dice_and_different_topology_is_said() -> None:
    summaries = make_summaries()
    sentences = find_contradictions(summaries)
    assert any("broken" in s and "components are off by 13.0" in s for s in sentences)


def test_a_false_alarm_in_an_empty_case_counts_against_its_maker() -> None:
    empty, spot = np.zeros((5, 5), np.uint8), np.zeros((5, 5), np.uint8)
    spot[2, 2] = 1
    summaries = {
        name: summarise(
            [score_case("e", empty, predicted, n_classes=2, metrics=("dice",)),
             score_case("s", spot, spot, n_classes=2, metrics=("dice",))],
            ["background", "cell"], n_draws=50,
        )
        for name, predicted in (("careful", empty), ("eager", spot))
    }  # fmt: skip
    compared = compare_summaries(summaries, n_draws=100).metrics[0]
    assert compared.means == {"careful": 1.0, "eager": 0.5}


def test_different_cases_are_refused() -> None:
    summaries = make_summaries()
    summaries["broken"] = make_summaries(5)["broken"]
    with pytest.raises(BadData, match="same cases"):
        compare_summaries(summaries)
    with pytest.raises(BadData, match="two or more"):
        compare_summaries({"smooth": summaries["smooth"]})


def test_advice_follows_the_facts() -> None:
    vessels = TaskFacts(2, 0.08, 3, 9000, 4.2, 10, 0, 28)
    assert {"R1", "R6"} == {a.rule for a in advise(vessels)}
    lesions = TaskFacts(3, 0.001, 40, 60, 7, 900, 3, 10, annotator_spread=1.5)
    assert {a.rule for a in advise(lesions)} >= {"R3", "R7", "R8", "R9", "R11", "R13", "R17", "R20"}
    assert all(a.source for a in advise(lesions))


def test_tables_escape_for_their_format() -> None:
    summary = make_summaries()["smooth"]
    assert r"betti\_error" in summary_table(summary, "latex")
    assert summary_table(summary, "csv").splitlines()[0].startswith("class,metric,mean over cases")
    assert summary_table(summary).startswith("| class")
