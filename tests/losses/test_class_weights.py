"""Weights of classes: published numbers of a road scene set, sums by hand, classes that lack."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.losses.class_weights import class_weights

# CamVid's 367 training images of 360 x 480: pixels of each of the 11 classes, and in how many
# images each occurs (SegNet's tutorial). The weights are the paper's rule applied to them.
PIXELS = (10682767, 14750079, 623349, 20076880, 2845085, 6166762, 743859, 714595, 3719877, 405385,
          184967)  # fmt: skip
IMAGES = (366, 365, 366, 367, 349, 319, 351, 173, 360, 317, 201)
PUBLISHED = (0.2793, 0.2017, 4.7865, 0.1490, 1.0, 0.4217, 3.8467, 1.9736, 0.7889, 6.3747, 8.8587)


def test_median_frequency_of_a_published_set() -> None:
    counts = np.zeros((367, 11), np.int64)
    for k, (n_pixels, n_images) in enumerate(zip(PIXELS, IMAGES, strict=True)):
        counts[:n_images, k] = 1
        counts[0, k] = n_pixels - (n_images - 1)
    found = class_weights("median-frequency", counts, np.full(367, 360 * 480))
    assert found == pytest.approx(PUBLISHED, abs=1e-4)


def test_inverse_by_hand() -> None:
    """90 and 10 of 100 pixels: 100 / (2 x 90) and 100 / (2 x 10); the mean over pixels is 1."""
    found = class_weights("inverse", np.array([[60, 0], [30, 10]]), np.array([60, 40]))
    assert found == pytest.approx((100 / 180, 5.0))
    assert found[0] * 0.9 + found[1] * 0.1 == pytest.approx(1.0)


@pytest.mark.parametrize("scheme", ["inverse", "median-frequency"])
def test_a_class_that_never_appears(scheme: str) -> None:
    found = class_weights(scheme, np.array([[50, 0, 50]]), np.array([100]))
    assert found == pytest.approx((1.0, 1.0, 1.0))
    assert class_weights(scheme, np.zeros((1, 2), np.int64), np.array([0])) == (1.0, 1.0)


def test_none_is_none() -> None:
    assert class_weights("none", np.array([[9, 1]]), np.array([10])) == ()
