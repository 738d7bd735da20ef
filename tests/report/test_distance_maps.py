"""Maps of surface distances: every boundary pixel falls into the step of its true distance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from pixelwise.report.case_dots import case_anchor
from pixelwise.report.distance_maps import (
    COLOURS,
    STEPS,
    distance_bins,
    distance_layer,
    distance_legend,
)
from pixelwise.report.volume_pictures import thin_out_largest, view_volume


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


def slow_bins(
    truth: np.ndarray, predicted: np.ndarray, classes: list[int], spacing: tuple[float, ...]
) -> np.ndarray:
    """The same from a distance transform of the whole grid, class by class."""
    bins = np.zeros(truth.shape, np.uint8)
    for k in classes:
        masks = [(labels == k) & (truth != 255) for labels in (truth, predicted)]
        rims = [mask & ~ndimage.binary_erosion(mask) for mask in masks]
        for rim, other in (rims, rims[::-1]):
            far = np.full(truth.shape, np.inf)
            if other.any():
                far = ndimage.distance_transform_edt(~other, sampling=spacing)
            ends = [end * min(spacing) + 1e-6 for end in STEPS]
            found = 1 + sum((far > end).astype(np.uint8) for end in ends)
            bins[rim] = np.maximum(bins[rim], found[rim])
    return bins


@pytest.mark.parametrize(
    ("shape", "spacing"), [((40, 50), (1.0, 1.0)), ((12, 20, 30), (2.5, 0.7, 0.5))]
)
def test_equal_to_a_distance_transform(shape: tuple[int, ...], spacing: tuple[float, ...]) -> None:
    random = np.random.default_rng(0)
    fields = ndimage.gaussian_filter(random.standard_normal((2, *shape)), (0, *(2,) * len(shape)))
    truth, predicted = np.digitize(fields, [-0.02, 0.03]).astype(np.uint8)
    truth[..., :4] = 255
    predicted[predicted == 2] = 1
    bins = distance_bins(truth, predicted, classes=[1, 2], spacing=spacing)
    np.testing.assert_array_equal(bins, slow_bins(truth, predicted, [1, 2], spacing))


def test_planes_of_a_volume_keep_their_part_of_the_map() -> None:
    truth = np.zeros((8, 30, 20), np.uint8)
    truth[2:6, 5:20, 4:12] = 1
    predicted = np.roll(truth, 3, axis=1)
    bins = distance_bins(truth, predicted, classes=[1])
    views = view_volume(
        np.zeros((1, *truth.shape)), truth, predicted, distances=bins, place=(3, 20, 7)
    )
    cuts = [bins[3], bins[:, 20], bins[:, :, 7]]
    for plane, cut in zip(views.planes, cuts, strict=True):
        np.testing.assert_array_equal(plane.distances, cut)
    assert thin_out_largest(np.array([[1, 0, 2], [0, 6, 0]], np.uint8), 2).tolist() == [[6, 2]]


def test_layer_and_legend() -> None:
    layer = distance_layer(np.array([[0, 1, 6]], np.uint8))
    assert layer.shape == (1, 3, 4)
    assert layer[0, 1, 3] < layer[0, 2, 3], "where lines are thinned out the farther one stays"
    assert "up to 0.5 mm" in distance_legend(0.5, "mm")


@pytest.mark.parametrize(("one", "other"), [("a b", "a-b"), ("a.b", "a b")])
def test_names_that_differ_in_signs_have_anchors_of_their_own(one: str, other: str) -> None:
    assert case_anchor(one) != case_anchor(other)
    assert case_anchor("p1_3") == "case-p1_3"
