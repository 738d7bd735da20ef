"""Lesions: by hand, and against labelling every component by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from pixelwise import metrics


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Three lesions: one found by two pieces, two merged by a third, one missed; a false alarm."""
    truth, predicted = np.zeros((2, 12, 40), bool)
    truth[2:6, 2:10] = truth[2:6, 14:17] = truth[2:6, 19:22] = truth[2:4, 26:28] = True
    predicted[2:6, 2:5] = predicted[2:6, 7:10] = True  # a split
    predicted[2:6, 14:22] = True  # a merge
    predicted[9:11, 35:37] = True  # a false alarm
    return truth, predicted


def test_by_hand() -> None:
    truth, predicted = scene()
    assert metrics.lesion_sensitivity(truth, predicted) == 3 / 4
    assert metrics.lesion_precision(truth, predicted) == 3 / 4
    assert metrics.lesion_f1(truth, predicted) == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    assert metrics.component_splits(truth, predicted) == 1
    assert metrics.component_merges(truth, predicted) == 1
    assert metrics.component_splits(predicted, truth) == 1
    split, merged = 2 * 24 / (32 + 24), 2 * 12 / (12 + 32)
    expected = (split + 2 * merged) / 5
    assert metrics.lesion_dice(truth, predicted) == pytest.approx(expected)


def test_connectivity_decides_what_a_lesion_is() -> None:
    truth, predicted = np.eye(6, dtype=bool), np.zeros((6, 6), bool)
    predicted[0, 0] = True
    assert metrics.lesion_sensitivity(truth, predicted) == 1
    assert metrics.lesion_sensitivity(truth, predicted, connectivity="face") == 1 / 6


@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3]), st.sampled_from(["full", "face"]))
@settings(deadline=None)
def test_equal_to_one_component_after_the_other(seed: int, n_dims: int, connectivity: str) -> None:
    generator = np.random.default_rng(seed)
    shape = tuple(generator.integers(1, 9, n_dims))
    truth, predicted = generator.random((2, *shape)) < generator.uniform(0.05, 0.5)
    near = np.ones((3,) * n_dims) if connectivity == "full" else None
    (t, n_t), (p, n_p) = ndimage.label(truth, near), ndimage.label(predicted, near)
    found = sum(predicted[t == k].any() for k in range(1, n_t + 1))
    wrong = sum(not truth[p == k].any() for k in range(1, n_p + 1))
    option = {"connectivity": connectivity}
    f1 = metrics.lesion_f1(truth, predicted, **option)
    if n_t + n_p == 0:
        assert math.isnan(f1)
    else:
        assert f1 == pytest.approx(2 * found / (found + wrong + n_t))
    splits = sum(max(len(set(p[t == k]) - {0}) - 1, 0) for k in range(1, n_t + 1))
    merges = sum(max(len(set(t[p == k]) - {0}) - 1, 0) for k in range(1, n_p + 1))
    assert metrics.component_splits(truth, predicted, **option) == splits
    assert metrics.component_merges(truth, predicted, **option) == merges


def test_a_metric_around_every_component() -> None:
    truth, predicted = scene()
    found = metrics.per_component(truth, predicted, "dice")
    assert len(found.values) == 4
    assert found.values[0] == pytest.approx(2 * 24 / (32 + 24))
    assert found.values[-1] == 0
    nothing = np.zeros_like(truth)
    assert metrics.per_component(nothing, predicted, "hd95").mean == math.inf
    assert metrics.per_component(nothing, nothing, "dice:empty=1").mean == 1


def test_aggregated_jaccard_by_hand() -> None:
    """25 and 25 pixels; 20 and 15 shared with objects of 20 and 25; an extra one of 10."""
    truth, predicted = np.zeros((2, 12, 60), int)
    truth[0:5, 0:5], predicted[0:4, 0:5] = 1, 4
    truth[0:5, 10:15], predicted[0:5, 12:17] = 2, 7
    predicted[8:10, 50:55] = 9
    assert metrics.aggregated_jaccard(truth, predicted) == pytest.approx(35 / (25 + 35 + 10))
    assert metrics.aggregated_jaccard(truth, truth) == 1
    assert metrics.aggregated_jaccard(truth, truth * 0) == 0
    assert math.isnan(metrics.aggregated_jaccard(truth * 0, truth * 0))
