"""Which classes touch: areas by hand, only where there is something to tell."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.arrays.contacts import contact_areas
from pixelwise.core.case import ClassInfo
from pixelwise.report.contact_table import contact_fold, measure_contacts

CLASSES = tuple(ClassInfo(i, f"class {i}", "#e69f00") for i in range(3))


def test_only_what_touches_has_a_boundary() -> None:
    truth = np.zeros((10, 10, 10), np.uint8)
    truth[2:5, 2:8, 2:8] = 1
    truth[5:8, 2:8, 2:8] = 2
    predicted = truth.copy()
    predicted[5] = 0
    found = measure_contacts(truth, predicted, CLASSES, (2.0, 1.0, 1.0), "mm")
    assert found is not None
    exact = contact_areas(truth, 3, (2.0, 1.0, 1.0), estimator="faces")
    assert exact[1, 2] == 36
    assert found.true[1, 2] == pytest.approx(36, rel=0.35)  # six voxels wide, see contact_areas
    assert found.predicted[1, 2] == 0 and found.predicted[0, 1] > found.true[0, 1]
    text = str(contact_fold(found))
    assert "mm²" in text and "class 2" in text and "0 mm²" in text


def test_void_is_left_out_of_both() -> None:
    truth = np.array([[1, 255, 2], [1, 255, 2]], np.uint8)
    predicted = np.array([[1, 2, 2], [1, 2, 2]], np.uint8)
    found = measure_contacts(truth, predicted, CLASSES, None, "mm")
    assert found is not None and found.unit == "px"
    assert found.true[1, 2] == 0 and found.predicted[1, 2] == 0


@pytest.mark.parametrize("n_classes", [2, 13])
def test_too_few_or_too_many_classes(n_classes: int) -> None:
    classes = [ClassInfo(i, str(i), "#e69f00") for i in range(n_classes)]
    labels = np.zeros((4, 4), np.uint8)
    assert measure_contacts(labels, labels, classes, None, "px") is None
