"""Volumes of scored cases: counted by hand, with units, for the terminal and the page."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.core.records import Summary
from pixelwise.evaluation import score_case, score_regions, summarise
from pixelwise.report.size_table import class_sizes, size_lines, size_table

SPACING = (5.0, 2.0, 2.0)
"""20 mm³ a voxel."""


def make_summary(unit: str = "mm") -> Summary:
    cases = []
    for i, (true, found) in enumerate(((100, 80), (60, 90))):
        truth, predicted = (np.zeros((5, 8, 8), np.uint8) for _ in range(2))
        truth.reshape(-1)[:true] = 1
        predicted.reshape(-1)[:found] = 1
        cases.append(score_case(str(i), truth, predicted, n_classes=2, spacing=SPACING))
    return summarise(cases, ["background", "organ"], unit=unit, n_draws=1)


def test_means_and_differences() -> None:
    (organ,) = class_sizes(make_summary())
    assert (organ.true, organ.predicted) == (80 * 20, 85 * 20)
    assert organ.difference == pytest.approx((0.2 + 0.5) / 2)


def test_lines_and_table_have_units() -> None:
    assert size_lines(make_summary()) == [
        "organ: 1.6 mL in truth, 1.7 mL predicted (means), off by 35 % a case"
    ]
    text = str(size_table(make_summary(), {}))
    assert "1.6 mL" in text and "35 %" in text
    assert "px³" in size_lines(make_summary("px"))[0]


def test_regions_have_volumes_too() -> None:
    bits = np.zeros((2, 4, 4), np.uint8)
    bits[0] = 0b01
    bits[1, :2] = 0b11
    case = score_regions("a", bits, bits, n_regions=2, spacing=(1.0, 1.0, 1.0))
    summary = summarise([case], ["whole", "core"], unit="mm", n_draws=1)
    assert [(s.true, s.difference) for s in class_sizes(summary)] == [(24, 0.0), (8, 0.0)]


def test_pictures_have_none() -> None:
    flat = np.zeros((4, 4), np.uint8)
    summary = summarise([score_case("a", flat, flat, n_classes=2)], ["background", "cell"])
    assert class_sizes(summary) == () and size_table(summary, {}) is None
