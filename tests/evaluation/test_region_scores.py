"""Overlapping regions are scored one by one: numbers by hand, and the same as binary scoring."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.core.errors import BadData, ShapeMismatch
from pixelwise.evaluation import score_case, score_regions, summarise

METRICS = ("dice", "iou", "hd95", "nsd:tolerance=1", "specificity")


def make_bits(seed: int, shape: tuple[int, ...] = (20, 24)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 8, shape).astype(np.uint8)


def test_counts_by_hand() -> None:
    #  region 0:   1 1 0 0 0 v      region 1:  0 1 1 0 0 v
    truth = np.array([[1, 3, 2, 0, 0, 255]], dtype=np.uint8)
    #  predicted:  1 0 0 1 0 1                 0 1 1 1 0 1
    predicted = np.array([[1, 2, 2, 3, 0, 3]], dtype=np.uint8)
    case = score_regions("a", truth, predicted, n_regions=2, metrics=("dice",))
    found = [(c.class_id, c.tp, c.fp, c.fn, c.tn) for c in case.classes]
    assert found == [(0, 1, 1, 1, 2), (1, 2, 1, 0, 2)]
    assert [c.values["dice"] for c in case.classes] == [0.5, 0.8]
    assert (case.n_valid, case.n_ignored, case.confusion) == (5, 1, ())


def test_each_region_scores_as_it_would_alone() -> None:
    truth, predicted = make_bits(0), make_bits(1)
    truth[3:5, 2:9] = 255
    valid = np.ones(truth.shape, bool)
    valid[:, :4] = False
    case = score_regions(
        "a", truth, predicted, n_regions=3, valid=valid, spacing=(2.0, 0.5), metrics=METRICS
    )
    for r in range(3):
        alone = np.where(truth == 255, 255, truth >> r & 1)
        single = score_case(
            "a", alone, predicted >> r & 1, n_classes=2, valid=valid, spacing=(2.0, 0.5),
            metrics=METRICS,
        )  # fmt: skip
        assert case.classes[r].values == single.classes[1].values
        assert case.n_valid == single.n_valid


def test_a_region_that_is_missed() -> None:
    truth = np.zeros((6, 6), np.uint8)
    truth[2:4, 2:4] = 0b10
    case = score_regions("a", truth, np.zeros_like(truth), n_regions=2)
    assert [c.status for c in case.classes] == ["both-empty", "only-truth"]
    assert case.classes[0].values["dice"] is None
    assert case.classes[1].values["dice"] == 0.0


def test_summary_of_regions_has_no_background_and_no_confusion() -> None:
    truths = [np.array([[1, 3, 0, 0]], np.uint8), np.array([[3, 3, 0, 0]], np.uint8)]
    guesses = [np.array([[1, 1, 0, 0]], np.uint8), np.array([[3, 3, 1, 0]], np.uint8)]
    cases = [
        score_regions(str(i), t, p, n_regions=2, metrics=("dice", "iou"))
        for i, (t, p) in enumerate(zip(truths, guesses, strict=True))
    ]
    summary = summarise(cases, ["tumour", "core"])
    assert summary.has_regions and summary.background is None and summary.confusion == ()
    by_key = {(m.class_id, m.metric): m for m in summary.metrics}
    assert by_key[0, "dice"].mean == pytest.approx((1.0 + 0.8) / 2)
    assert by_key[0, "dice"].pooled == pytest.approx(2 * 4 / (4 + 5))
    assert by_key[1, "dice"].mean == pytest.approx((0.0 + 1.0) / 2)
    assert by_key[1, "dice"].pooled == pytest.approx(2 * 2 / (3 + 2))
    assert summary.overall == pytest.approx(
        {
            "mean_dice": (0.9 + 0.5) / 2,
            "mean_dice_pooled": (8 / 9 + 4 / 5) / 2,
            "mean_iou": (4 / 5 + 2 / 3) / 2,
            "mean_iou_over_cases": ((1 + 2 / 3) / 2 + (0 + 1) / 2) / 2,
        }
    )


def test_bad_bits_are_refused() -> None:
    with pytest.raises(BadData, match="predicted holds 255"):
        score_regions("a", make_bits(0), np.full((20, 24), 255, np.uint8), n_regions=3)
    with pytest.raises(BadData, match="truth holds 4"):
        score_regions("a", np.full((2, 2), 4, np.uint8), np.zeros((2, 2), np.uint8), n_regions=2)
    with pytest.raises(ShapeMismatch):
        score_regions("a", make_bits(0), make_bits(0, (20, 25)), n_regions=3)
