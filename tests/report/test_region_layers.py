"""Sets of regions as classes of a picture: one for each set that occurs."""

from __future__ import annotations

import numpy as np

from pixelwise.core.case import ClassInfo
from pixelwise.report.region_layers import regions_as_classes

REGIONS = (ClassInfo(0, "whole", "#102030"), ClassInfo(1, "core", "#304050"))


def test_nested_regions_have_the_colour_of_the_inner_one() -> None:
    truth = np.array([[0, 1, 3, 255]], np.uint8)
    predicted = np.array([[1, 1, 0, 0]], np.uint8)
    arrays, classes = regions_as_classes([truth, predicted], REGIONS)
    assert [a.tolist() for a in arrays] == [[[0, 1, 2, 255]], [[1, 1, 0, 0]]]
    assert [(c.id, c.name, c.colour) for c in classes] == [
        (0, "background", "#000000"),
        (1, "whole", "#102030"),
        (2, "whole + core", "#304050"),
    ]


def test_crossing_regions_are_mixed() -> None:
    _, classes = regions_as_classes([np.array([[0, 1, 2, 3]], np.uint8)], REGIONS)
    assert [(c.name, c.colour) for c in classes[1:]] == [
        ("whole", "#102030"),
        ("core", "#304050"),
        ("whole + core", "#203040"),
    ]


def test_nothing_but_background() -> None:
    _, classes = regions_as_classes([np.zeros((2, 2), np.uint8)], REGIONS)
    assert [c.name for c in classes] == ["background"]
