"""Binary cross-entropy and soft Dice for regions that overlap, each region on its own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.losses import LOSSES, LossFunction


@LOSSES.register("binary-cross-entropy", targets="regions")
def binary_cross_entropy(*, region_weights: tuple[float, ...] | None = None) -> LossFunction:
    """Mean binary cross-entropy over the valid pixels and all regions, from logits, in float32.

    region_weights: one factor per region; the mean is then a weighted one.
    """

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        logits = logits.float()
        weights = logits.new_ones(logits.shape[1])
        if region_weights is not None:
            weights = logits.new_tensor(region_weights)
        wanted = torch.where(valid[:, None], target, 0).to(logits.dtype)
        single = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
        axes = [0, *range(2, logits.ndim)]
        per_region = (single * valid[:, None]).sum(axes)
        total = (per_region * weights).sum()
        return total / (valid.sum() * weights.sum()).clamp_min(1e-6)

    return loss


@LOSSES.register("binary-dice", targets="regions")
def binary_dice(*, smooth: float = 1.0) -> LossFunction:
    """One minus the soft Dice of each region over the whole batch, averaged over present regions.

    A region without a true pixel in the batch is left out; with none present the loss is 0.
    Source: Milletari et al. 2016, with linear denominators as in nnU-Net's region training.
    """

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        inside = valid[:, None]
        probabilities = torch.sigmoid(logits.float()) * inside
        truth = torch.where(inside, target, 0).to(probabilities.dtype)
        axes = [0, *range(2, logits.ndim)]
        n_true = truth.sum(axes)
        overlap = (probabilities * truth).sum(axes)
        dice = (2 * overlap + smooth) / (probabilities.sum(axes) + n_true + smooth)
        counted = (n_true > 0).to(dice.dtype)
        return ((1 - dice) * counted).sum() / counted.sum().clamp_min(1.0)

    return loss


@LOSSES.register("binary-cross-entropy-dice", targets="regions")
def binary_cross_entropy_dice(
    *,
    dice_weight: float = 1.0,
    region_weights: tuple[float, ...] | None = None,
    smooth: float = 1.0,
) -> LossFunction:
    """Binary cross-entropy plus soft Dice of every region."""
    first = binary_cross_entropy(region_weights=region_weights)
    second = binary_dice(smooth=smooth)

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        return first(logits, target, valid) + dice_weight * second(logits, target, valid)

    return loss
