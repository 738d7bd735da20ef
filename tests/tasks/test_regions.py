"""Sigmoid outputs, one per region: sets in, the same sets out."""

from __future__ import annotations

import pytest
import torch

from pixelwise.core.errors import BadPlan
from pixelwise.tasks import build_task


def test_bits_become_planes() -> None:
    target = build_task("regions", 3, {}).encode_target(torch.tensor([[[0, 1, 6]]]))
    assert target.tolist() == [[[[0, 1, 0]], [[0, 0, 1]], [[0, 0, 1]]]]


@pytest.mark.parametrize("shape", [(2, 5, 7), (1, 3, 4, 5)])
def test_every_set_survives(shape: tuple[int, ...]) -> None:
    task = build_task("regions", 7, {})
    labels = torch.randint(0, 128, shape, generator=torch.Generator().manual_seed(0))
    logits = task.encode_target(labels).float() * 2 - 1
    assert torch.equal(task.decode_output(task.probabilities(logits)).long(), labels)


def test_each_region_is_decided_for_itself() -> None:
    probabilities = torch.tensor([0.51, 0.5, 0.99]).reshape(1, 3, 1, 1)
    assert build_task("regions", 3, {}).decode_output(probabilities).item() == 0b101


def test_probabilities_are_sigmoids_in_float32() -> None:
    logits = torch.tensor([0.0, 100.0]).reshape(1, 2, 1, 1).bfloat16()
    probabilities = build_task("regions", 2, {}).probabilities(logits)
    assert probabilities.dtype == torch.float32
    assert probabilities.flatten().tolist() == [0.5, 1.0]


def test_inner_regions_stay_inside() -> None:
    task = build_task("regions", 3, {"inside": (1, -1, 0)})  # region 2 in 0 in 1
    logits = torch.tensor([2.0, -2.0, 3.0]).reshape(1, 3, 1, 1)
    probabilities = task.probabilities(logits)
    low = torch.sigmoid(torch.tensor(-2.0))
    assert torch.allclose(probabilities.flatten(), low.expand(3))
    assert task.decode_output(probabilities).item() == 0
    apart = build_task("regions", 3, {})
    assert apart.decode_output(apart.probabilities(logits)).item() == 0b101


@pytest.mark.parametrize("inside", [(1, 0), (-1,), (-1, 5)])
def test_what_is_no_nesting_is_refused(inside: tuple[int, ...]) -> None:
    with pytest.raises(BadPlan, match=r"task\.options\.inside"):
        build_task("regions", 2, {"inside": inside})


def test_eight_regions_are_refused_with_a_way_out() -> None:
    with pytest.raises(BadPlan, match=r"8 regions.*at most 7.*two runs"):
        build_task("regions", 8, {})


def test_labels_come_straight_from_logits_too() -> None:
    task = build_task("regions", 3, {"inside": (-1, 0, 1)})
    logits = torch.randn(2, 3, 6, 7, generator=torch.Generator().manual_seed(0))
    assert task.decode_logits is not None
    by_probability = task.decode_output(task.probabilities(logits))
    assert torch.equal(task.decode_logits(logits), by_probability)
    assert set(by_probability.unique().tolist()) == {0, 0b001, 0b011, 0b111}
