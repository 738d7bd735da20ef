"""Losses of overlapping regions, against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from pixelwise.losses import LOSSES


def build(name: str, **options: object) -> object:
    return LOSSES.build(name, options=options)


def test_cross_entropy_of_undecided_logits_is_log_2() -> None:
    target = torch.tensor([[[[1, 0]], [[1, 1]]]])
    valid = torch.ones(1, 1, 2, dtype=torch.bool)
    value = build("binary-cross-entropy")(torch.zeros(1, 2, 1, 2), target, valid)
    assert value.item() == pytest.approx(math.log(2))


def test_cross_entropy_counts_valid_pixels_only() -> None:
    target = torch.tensor([[[[1, 0, 1]], [[0, 0, 1]]]])
    logits = torch.tensor([[[[1.0, -2.0, -50.0]], [[-1.0, 3.0, -50.0]]]])
    valid = torch.tensor([[[True, True, False]]])
    #  -log sigmoid of the right sign: 1, 2 for the first region, 1 and -3 for the second
    expected = sum(math.log1p(math.exp(-x)) for x in (1, 2, 1, -3)) / 4
    value = build("binary-cross-entropy")(logits, target, valid)
    assert value.item() == pytest.approx(expected, rel=1e-5)


def test_weights_of_regions() -> None:
    target = torch.tensor([[[[1]], [[1]]]])
    logits = torch.tensor([[[[1.0]], [[-1.0]]]])
    valid = torch.ones(1, 1, 1, dtype=torch.bool)
    value = build("binary-cross-entropy", region_weights=(3.0, 1.0))(logits, target, valid)
    expected = (3 * math.log1p(math.exp(-1)) + math.log1p(math.exp(1))) / 4
    assert value.item() == pytest.approx(expected, rel=1e-5)


def test_dice_of_each_region_by_hand() -> None:
    target = torch.tensor([[[[1, 1, 0, 0]], [[0, 1, 0, 0]], [[0, 0, 0, 0]]]])
    probabilities = torch.tensor([[[[1.0, 0.5, 0.5, 0.0]], [[0, 1, 0, 0]], [[1, 0, 0, 0]]]])
    logits = torch.logit(probabilities.clamp(1e-7, 1 - 1e-7))
    valid = torch.ones(1, 1, 4, dtype=torch.bool)
    # first region: 2 * 1.5 / (2 + 2) = 0.75; second: 1; the third has no true pixel
    value = build("binary-dice", smooth=0.0)(logits, target, valid)
    assert value.item() == pytest.approx((0.25 + 0.0) / 2, abs=1e-5)


def test_sum_of_both() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 4, 5, generator=generator)
    target = torch.randint(0, 2, logits.shape, generator=generator)
    valid = torch.rand(2, 4, 5, generator=generator) > 0.3
    parts = [build(n)(logits, target, valid) for n in ("binary-cross-entropy", "binary-dice")]
    value = build("binary-cross-entropy-dice", dice_weight=0.5)(logits, target, valid)
    assert value.item() == pytest.approx((parts[0] + 0.5 * parts[1]).item(), rel=1e-6)
