"""Counted by value, probabilities score exactly as the metrics on whole arrays do."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.core.errors import BadData, ShapeMismatch
from pixelwise.evaluation.probability_scores import count_levels, level_values, summarise_levels
from pixelwise.metrics import probabilities as metrics
from pixelwise.metrics.calibration import reliability


def make(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = (random.random((30, 40)) < 0.3).astype(np.uint8)
    p = np.clip(0.3 * truth + random.random((30, 40)) * 0.7, 0, 1)
    p[0, :5], p[1, :5] = 0, 1
    return truth, np.stack([1 - p, p]).astype(np.float16)


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_the_metrics(seed: int) -> None:
    truth, p = make(seed)
    values = level_values(count_levels(truth, p)[1])
    exact = p[1].astype(np.float64)
    assert values["roc_auc"] == pytest.approx(metrics.roc_curve(truth, exact).area)
    assert values["pr_auc"] == pytest.approx(metrics.precision_recall_curve(truth, exact).area)
    assert values["brier"] == pytest.approx(metrics.brier(truth, exact))
    assert values["ece"] == pytest.approx(reliability(truth, exact).ece)


def test_cases_pool_as_if_they_were_one() -> None:
    one, other = make(1), make(2)
    summed = count_levels(*one)[1] + count_levels(*other)[1]
    both = count_levels(np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]], 1))
    assert level_values(summed) == level_values(both[1])


def test_the_threshold_is_searched_on_validation_only() -> None:
    truth, p = make(3)
    counts = count_levels(truth, p)[1]
    expected = metrics.best_threshold(truth, p[1].astype(np.float64), split="val")
    found = summarise_levels(counts, 1, split="val")
    assert (found.best_threshold, found.best_dice) == pytest.approx(expected)
    at_half = p[1] >= 0.5
    dice = 2 * (truth & at_half).sum() / (truth.sum() + at_half.sum())
    assert found.dice_at_half == pytest.approx(dice)
    for split in ("test", None):
        assert summarise_levels(counts, 1, split=split).best_threshold is None


def test_void_counts_nowhere_and_curves_are_short() -> None:
    truth, p = make(4)
    truth[:, :20] = 255
    found = summarise_levels(count_levels(truth, p)[1], 1)
    assert found.n_pixels == 30 * 20
    assert len(found.roc) <= 240
    assert found.roc[0] == (0, 0)
    assert found.roc[-1] == (1, 1)
    assert sum(n for _, _, n in found.reliability) == 600


def test_one_kind_of_pixel_has_no_area() -> None:
    truth, p = make(5)
    found = summarise_levels(count_levels(truth * 0, p)[1], 1, split="val")
    assert (found.roc_auc, found.pr_auc, found.best_threshold) == (None, None, None)
    nothing = summarise_levels(count_levels(truth * 0 + 255, p)[1], 1)
    assert (nothing.n_pixels, nothing.brier, nothing.ece) == (0, None, None)


@pytest.mark.parametrize(
    ("change", "words"), [(3.0, "run from 0 to 3"), (-0.5, "run from -0.5"), (np.nan, "with NaN")]
)
def test_what_is_no_probability_is_refused(change: float, words: str) -> None:
    truth, p = make(6)
    p[1, 4, 4] = change
    p[1, 5, 5] = 0
    p[1, 6, 6] = min(1.0, p[1, 6, 6])
    with pytest.raises(BadData, match=words):
        count_levels(truth, p)
    with pytest.raises(ShapeMismatch, match="shape"):
        count_levels(truth[:5], p)
