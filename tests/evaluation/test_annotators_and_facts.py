"""Human spread, consensus, measured task facts, and metrics collected over a loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pixelwise.core.errors import BadData, BadPlan, MissingExtra
from pixelwise.evaluation.advice import advise
from pixelwise.evaluation.annotators import (
    majority,
    pairwise_agreement,
    staple,
    tolerance_from_annotators,
)
from pixelwise.evaluation.task_facts import measure_task
from pixelwise.metrics.running import RunningMetric


def box(left: int) -> np.ndarray:
    mask = np.zeros((12, 30), np.uint8)
    mask[2:10, left : left + 10] = 1
    return mask


ANNOTATORS = {"a": [box(5)], "b": [box(6)], "c": [box(8)]}


def test_pairwise_agreement_by_hand() -> None:
    found = pairwise_agreement(ANNOTATORS)
    assert found.pairs == {("a", "b"): 0.9, ("a", "c"): 0.7, ("b", "c"): 0.8}
    assert found.mean == pytest.approx(0.8)
    assert found.spread == (0.7, 0.9)
    with pytest.raises(BadData, match="two or more"):
        pairwise_agreement({"a": [box(5)]})


def test_majority_and_tolerance() -> None:
    np.testing.assert_array_equal(majority([box(5), box(6), box(8)], 2), box(6))
    two = {"a": [box(5)], "b": [box(7)]}
    assert tolerance_from_annotators(two, percentile=100) == 2
    assert tolerance_from_annotators(two, spacing=(1, 0.5), percentile=100) == 1
    with pytest.raises(BadData, match="no object"):
        tolerance_from_annotators({"a": [box(5) * 0], "b": [box(5)]})


def test_staple_says_what_it_needs() -> None:
    try:
        consensus = staple([box(5), box(6), box(8)])
    except MissingExtra as error:
        assert "pip install" in str(error)
    else:
        assert consensus[5, 10]


def test_facts_of_thin_lines_and_small_spots() -> None:
    lines = np.zeros((60, 60), np.uint8)
    lines[10:13, 5:55] = 1
    lines[40, 40] = 2
    facts = measure_task([lines, lines * 0], [1, 2])
    assert facts[1].mean_width < 6
    assert facts[1].share == pytest.approx(150 / 7200)
    assert (facts[2].median_size, facts[2].n_empty, facts[2].n_objects) == (1, 1, 1)
    assert "R6" in {advice.rule for advice in advise(facts[1])}
    assert "R7" in {advice.rule for advice in advise(facts[2])}


def test_wide_vessels_are_lines_and_cells_are_not() -> None:
    """A band of 12 x 900 pixels has a centre line of about 894: 894² / 10,800 is 74."""
    band = np.zeros((60, 960), np.uint8)
    band[20:32, 30:930] = 1
    facts = measure_task([band], [1])[1]
    assert facts.mean_width > 6
    assert facts.elongation == pytest.approx(74, abs=0.5)
    (advice,) = (a for a in advise(facts) if a.rule == "R6")
    assert "12.1 pixels wide, 74 times as long" in advice.reason
    cells = np.zeros((200, 200), np.uint8)
    y, x = np.mgrid[:20, :20]
    for corner in range(0, 200, 25):
        for side in range(0, 200, 25):
            disc = (y - 10) ** 2 + (x - 10) ** 2 < 81
            cells[corner : corner + 20, side : side + 20][disc] = 1
    assert "R6" not in {a.rule for a in advise(measure_task([cells], [1])[1])}


def test_running_metric_is_used_like_torchmetrics() -> None:
    target = torch.tensor(np.stack([box(5), box(5), box(5) * 0]))
    preds = torch.tensor(np.stack([box(6), box(7), box(5) * 0]))
    running = RunningMetric("dice", n_classes=2)
    assert running(preds[:1], target[:1]) == pytest.approx(0.9)
    running.update(preds[1:], target[1:])
    assert running.compute() == pytest.approx(0.85)
    pooled = RunningMetric("dice", n_classes=2, aggregate="pooled", include_background=True)
    scores = torch.nn.functional.one_hot(preds.long(), 2).movedim(-1, 1).float()
    pooled.update(scores, target)
    wrong = 16 + 32
    assert pooled.compute() == pytest.approx(
        (2 * 136 / 320 + 2 * (1080 - 160 - wrong / 2) / (2 * 920)) / 2
    )
    running.reset()
    assert math.isnan(running.compute())
    with pytest.raises(BadPlan, match="pooled"):
        RunningMetric("hd95", n_classes=2, aggregate="pooled")
    with pytest.raises(BadData, match="shape"):
        running.update(preds[0], target)
