"""Maps of surface distances: every boundary pixel falls into the step of its true distance."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.report.case_dots import case_anchor
from pixelwise.report.distance_maps import COLOURS, distance_bins, distance_layer, distance_legend


def bar(left: int, right: int) -> np.ndarray:
    mask = np.zeros((5, 40), np.uint8)
    mask[1:4, left:right] = 1
    return mask


def test_by_hand() -> None:
    """Right ends 10 apart: from 1 to 10 pixels from the nearest pixel of the other boundary."""
    bins = distance_bins(bar(2, 12), bar(2, 22), classes=[1])
    assert set(np.unique(bins[:, :12])) == {0, 1}, "the same boundary on the left"
    assert bins[1, 11:22].tolist() == [1, 1, 2, 3, 3, 4, 4, 4, 4, 5, 5]
    assert bins[2, 3:11].max() == 0, "inside and outside are no boundary"


def test_spacing_sets_the_steps() -> None:
    truth, predicted = bar(2, 12), bar(2, 22)
    scaled = distance_bins(truth, predicted, classes=[1], spacing=(0.5, 0.5))
    np.testing.assert_array_equal(scaled, distance_bins(truth, predicted, classes=[1]))
    tall = distance_bins(truth, predicted, classes=[1], spacing=(0.5, 4.0))
    assert tall[2, 21] == len(COLOURS), "ten steps of 4 are 80 of the smallest side"


def test_no_counterpart_is_farthest_and_void_is_no_boundary() -> None:
    truth = bar(2, 12)
    missed = distance_bins(truth, truth * 0, classes=[1])
    assert set(np.unique(missed[truth == 1])) == {0, len(COLOURS)}
    void = truth.copy()
    void[:, 20:] = 255
    predicted = np.maximum(truth, bar(25, 30))
    assert distance_bins(void, predicted, classes=[1])[:, 20:].max() == 0
    assert distance_bins(truth * 0, truth * 0, classes=[1]).max() == 0


def test_volumes() -> None:
    truth = np.zeros((5, 9, 9), np.uint8)
    truth[1:4, 2:6, 2:6] = 1
    bins = distance_bins(truth, np.roll(truth, 2, 2), classes=[1], spacing=(3.0, 1.0, 1.0))
    assert bins.shape == truth.shape
    assert bins.max() == 2


def test_layer_and_legend() -> None:
    layer = distance_layer(np.array([[0, 1, 6]], np.uint8))
    assert layer.shape == (1, 3, 4)
    assert layer[0, 1, 3] < layer[0, 2, 3], "where lines are thinned out the farther one stays"
    assert "up to 0.5 mm" in distance_legend(0.5, "mm")


@pytest.mark.parametrize(("one", "other"), [("a b", "a-b"), ("a.b", "a b")])
def test_names_that_differ_in_signs_have_anchors_of_their_own(one: str, other: str) -> None:
    assert case_anchor(one) != case_anchor(other)
    assert case_anchor("p1_3") == "case-p1_3"
