"""Losses against worked values: y = (1, 1, 0, 0), p = (0.8, 0.6, 0.3, 0.1)."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from pixelwise.losses.overlap import cross_entropy, cross_entropy_dice, soft_dice

TRUTH = torch.tensor([[[1, 1, 0, 0]]])
PROBABILITY = torch.tensor([[[0.8, 0.6, 0.3, 0.1]]])
LOGITS = torch.stack([torch.zeros_like(PROBABILITY), torch.logit(PROBABILITY)], dim=1)
ALL = torch.ones_like(TRUTH, dtype=torch.bool)


def test_soft_dice_of_the_foreground() -> None:
    """2 (0.8 + 0.6) / (1.8 + 2) = 2.8 / 3.8 = 0.736842; smoothed by 1: 3.8 / 4.8 = 0.791667."""
    assert float(soft_dice(smooth=0.0)(LOGITS, TRUTH, ALL)) == pytest.approx(1 - 0.736842, abs=1e-6)
    assert float(soft_dice(smooth=1.0)(LOGITS, TRUTH, ALL)) == pytest.approx(1 - 0.791667, abs=1e-6)


def test_soft_dice_with_the_background() -> None:
    """The background has 2 (0.7 + 0.9) / (2.2 + 2) = 3.2 / 4.2; the mean of both classes counts."""
    loss = soft_dice(smooth=0.0, include_background=True)
    expected = 1 - (2.8 / 3.8 + 3.2 / 4.2) / 2
    assert float(loss(LOGITS, TRUTH, ALL)) == pytest.approx(expected, abs=1e-6)


def test_soft_dice_counts_the_batch_as_one() -> None:
    """Cut into two images the sums are the same; the mean of two Dice would be another number."""
    parts = torch.cat([LOGITS[..., :2], LOGITS[..., 2:]])
    truth = torch.cat([TRUTH[..., :2], TRUTH[..., 2:]])
    value = soft_dice(smooth=0.0)(parts, truth, torch.ones_like(truth, dtype=torch.bool))
    assert float(value) == pytest.approx(1 - 0.736842, abs=1e-6)


def test_absent_classes_are_left_out() -> None:
    """A third class that no pixel has changes nothing but the probabilities of the others."""
    logits = torch.cat([LOGITS, torch.full_like(LOGITS[:, :1], -100.0)], dim=1)
    assert float(soft_dice(smooth=0.0)(logits, TRUTH, ALL)) == pytest.approx(0.263158, abs=1e-6)
    nothing = soft_dice(smooth=0.0)(LOGITS, torch.zeros_like(TRUTH), ALL)
    assert float(nothing) == 0.0


def test_cross_entropy() -> None:
    """-(ln 0.8 + ln 0.6 + ln 0.7 + ln 0.9) / 4 = 0.299001."""
    assert float(cross_entropy()(LOGITS, TRUTH, ALL)) == pytest.approx(0.299001, abs=1e-6)


def test_weighted_cross_entropy_divides_by_the_weights() -> None:
    """Weight 3 on the foreground: 0.332993 (dividing by the count of pixels gives 0.665986)."""
    loss = cross_entropy(class_weights=(1.0, 3.0))
    assert float(loss(LOGITS, TRUTH, ALL)) == pytest.approx(0.332993, abs=1e-6)


def test_label_smoothing() -> None:
    """0.1 of the weight goes evenly to both classes: q = 0.95 on the truth, 0.05 beside it."""
    pairs = [(0.8, 0.2), (0.6, 0.4), (0.7, 0.3), (0.9, 0.1)]
    expected = -sum(0.95 * math.log(a) + 0.05 * math.log(b) for a, b in pairs) / 4
    loss = cross_entropy(label_smoothing=0.1)
    assert float(loss(LOGITS, TRUTH, ALL)) == pytest.approx(expected, abs=1e-6)


def test_the_sum_is_the_sum() -> None:
    value = cross_entropy_dice(dice_weight=2.0, smooth=0.0)(LOGITS, TRUTH, ALL)
    assert float(value) == pytest.approx(0.299001 + 2 * 0.263158, abs=2e-6)


@pytest.mark.parametrize("void", [0, 1, 255, -100])
def test_void_pixels_count_for_nothing_whatever_they_hold(void: int) -> None:
    """Only the first three pixels count: soft Dice 2 * 1.4 / (1.7 + 2), cross-entropy of three."""
    truth = TRUTH.clone()
    truth[..., 3] = void
    valid = ALL.clone()
    valid[..., 3] = False
    logits = LOGITS.clone().requires_grad_()
    dice = soft_dice(smooth=0.0)(logits, truth, valid)
    entropy = cross_entropy(class_weights=(1.0, 1.0))(logits, truth, valid)
    assert float(dice.detach()) == pytest.approx(1 - 2.8 / 3.7, abs=1e-6)
    expected = -(math.log(0.8) + math.log(0.6) + math.log(0.7)) / 3
    assert float(entropy.detach()) == pytest.approx(expected, abs=1e-6)
    torch.autograd.backward(dice + entropy)
    assert logits.grad is not None
    assert logits.grad[..., 3].abs().max() == 0
    assert logits.grad[..., :3].abs().min() > 0


@pytest.mark.parametrize("loss", [soft_dice(), cross_entropy(), cross_entropy_dice()])
def test_nothing_valid_is_no_loss(loss: object) -> None:
    assert callable(loss)
    logits = LOGITS.clone().requires_grad_()
    value = loss(logits, TRUTH, torch.zeros_like(ALL))
    torch.autograd.backward(value)
    assert float(value.detach()) == 0
    assert logits.grad is not None
    assert logits.grad.abs().max() == 0


def extremes(size: float) -> Tensor:
    signs = torch.tensor([[[-1.0, 1.0, -1.0, 1.0]]])
    return torch.stack([-signs, signs], dim=1).mul(size).to(torch.bfloat16)


def test_extremes_in_bfloat16() -> None:
    """Half of the pixels are sure and right, half sure and wrong by 2 x 65536.

    Cross-entropy: two pixels of 131072 and two of 0. Dice: one of two hit, one false.
    """
    logits = extremes(65536.0).requires_grad_()
    entropy = cross_entropy()(logits, TRUTH, ALL)
    dice = soft_dice(smooth=0.0)(logits, TRUTH, ALL)
    assert float(entropy.detach()) == 65536.0
    assert float(dice.detach()) == 0.5
    torch.autograd.backward(entropy + dice)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    # d CE / d logit = (p - y) / n: pixel 0 is wrong, pixel 1 right
    assert logits.grad[0, :, 0, 0].tolist() == [0.25, -0.25]
    assert logits.grad[0, :, 0, 1].tolist() == [0.0, 0.0]
