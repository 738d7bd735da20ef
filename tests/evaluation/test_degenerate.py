"""The table of degenerate cases says what the rules say, and the page in docs is current."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import pytest

from pixelwise.evaluation.degenerate import degenerate_values

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("dice", (math.nan, 0, 0, 1, math.nan)),
        ("iou", (math.nan, 0, 0, 1, math.nan)),
        ("hd95", (math.nan, math.inf, math.inf, 0, math.nan)),
        ("nsd", (math.nan, 0, 0, 1, math.nan)),
        ("precision", (math.nan, math.nan, 0, 1, math.nan)),
        ("sensitivity", (math.nan, 0, math.nan, 1, math.nan)),
        ("specificity", (1, 1, 42 / 48, math.nan, math.nan)),
        ("cldice", (math.nan, 0, 0, 1, math.nan)),
        ("betti_error", (0, 1, 1, 0, 0)),
        ("volume_difference", (math.nan, 1, math.inf, 0, math.nan)),
    ],
)
def test_rules(metric: str, expected: tuple[float, ...]) -> None:
    assert degenerate_values()[metric] == pytest.approx(expected, nan_ok=True)


def test_the_page_is_current() -> None:
    path = DOCS / "make_metrics_page.py"
    spec = importlib.util.spec_from_file_location("make_metrics_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.render()
