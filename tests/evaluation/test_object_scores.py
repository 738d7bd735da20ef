"""Scores of objects against numbers worked out by hand, and against the public metrics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelwise.core.errors import BadData
from pixelwise.evaluation.object_scores import (
    add_tallies,
    number_components,
    score_components,
    score_objects,
    tally_values,
)
from pixelwise.evaluation.size_recall import recall_by_size
from pixelwise.metrics.instances import average_precision, panoptic_quality, seg_score


def toy() -> tuple[np.ndarray, np.ndarray]:
    """Two true objects of 25 pixels: one met with IoU 20/25 = 0.8, one with 15/35; one extra."""
    truth, predicted = np.zeros((10, 40), np.uint16), np.zeros((10, 40), np.uint16)
    truth[0, :25], predicted[0, 5:25] = 7, 3
    truth[4, :25], predicted[4, 10:35] = 300, 9
    predicted[8, :4] = 11
    return truth, predicted


def test_by_hand() -> None:
    found = score_objects(*toy())
    values = found.values
    assert values["ap50"] == pytest.approx(1 / 4)
    assert values["ap_dsb"] == pytest.approx(0.15)  # an IoU of 0.8 does not count at 0.8
    assert values["pq"] == pytest.approx(0.32)
    assert (values["sq"], values["rq"]) == pytest.approx((0.8, 0.4))
    assert values["object_f1_touching"] == pytest.approx(4 / 5)
    assert values["seg"] == pytest.approx((0.8 + 15 / 35) / 2)
    assert (values["missed_objects"], values["extra_objects"]) == (0, 1)
    assert found.sizes.tolist() == [25, 25]
    assert found.touched.tolist() == [True, True]
    assert found.found.tolist() == [True, False]


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_as_the_public_metrics(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, predicted = random.integers(0, 5, (2, 12, 12)).repeat(3, 1).repeat(3, 2)
    values = score_objects(truth, predicted).values
    quality = panoptic_quality(truth, predicted)
    assert values["pq"] == pytest.approx(quality.pq, nan_ok=True)
    assert values["ap_dsb"] == pytest.approx(average_precision(truth, predicted)[0], nan_ok=True)
    assert values["seg"] == pytest.approx(seg_score(truth, predicted), nan_ok=True)


def test_pooled_over_cases_sums_objects() -> None:
    truth, predicted = toy()
    perfect = score_objects(truth, truth).tally
    pooled = tally_values(add_tallies([score_objects(truth, predicted).tally, perfect]))
    assert pooled["pq"] == pytest.approx((0.8 + 2) / ((2 + 3 + 2 + 2) / 2))
    assert pooled["extra_objects"] == 1


def test_empty_sides() -> None:
    truth, _ = toy()
    nothing = np.zeros_like(truth)
    both = score_objects(nothing, nothing).values
    assert np.isnan([both["pq"], both["ap50"], both["seg"], both["sq"]]).all()
    assert both["missed_objects"] == 0
    missed = score_objects(truth, nothing).values
    assert (missed["pq"], missed["ap50"], missed["seg"], missed["sq"]) == (0, 0, 0, 0)
    assert missed["missed_objects"] == 2
    with pytest.raises(BadData, match="negative"):
        score_objects(truth.astype(int) - 5, truth)


def test_components_touch_at_corners_and_leave_void_out() -> None:
    labels = np.zeros((6, 6), np.uint8)
    labels[0, 0] = labels[1, 1] = 1
    labels[4, 4] = 1
    assert number_components(labels == 1).max() == 2
    void = labels.copy()
    void[3:] = 255
    assert score_components(void, labels, 1).values["extra_objects"] == 0


def test_recall_by_size() -> None:
    truth, predicted = toy()
    truth[6, :2] = 20
    truth[6, 10:13] = 21
    recall = recall_by_size([score_objects(truth, predicted)], 1)
    assert recall is not None
    assert sum(recall.n_objects) == 4
    assert recall.edges == (3, 25)
    assert recall.n_objects == (1, 1, 2)
    assert recall.n_touched == (0, 0, 2)
    assert recall.n_matched == (0, 0, 1)
    nothing = np.zeros_like(truth)
    assert recall_by_size([score_objects(nothing, nothing)], 1) is None
