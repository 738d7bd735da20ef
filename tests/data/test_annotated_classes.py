"""Answers on partly annotated images, by hand: classes, regions, void."""

from __future__ import annotations

import numpy as np

from pixelwise.data.annotated_classes import as_annotated


def test_classes_not_looked_for_become_background() -> None:
    predicted = np.array([[0, 1, 2, 3, 255]], np.uint8)
    assert as_annotated(predicted, (0, 2), overlaps=False).tolist() == [[0, 0, 2, 0, 255]]
    assert as_annotated(predicted, (), overlaps=False).tolist() == predicted.tolist()


def test_regions_not_looked_for_are_left_out_of_the_sets() -> None:
    predicted = np.array([[0b000, 0b011, 0b110, 0b111]], np.uint8)
    found = as_annotated(predicted, (0, 2), overlaps=True)
    assert found.tolist() == [[0b000, 0b001, 0b100, 0b101]]
