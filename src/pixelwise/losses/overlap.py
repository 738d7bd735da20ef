"""Cross-entropy and soft Dice, alone and summed: stable in bfloat16, blind to void pixels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.losses import LOSSES, LossFunction

_VOID = -100


@LOSSES.register("cross-entropy")
def cross_entropy(
    *, class_weights: tuple[float, ...] | None = None, label_smoothing: float = 0.0
) -> LossFunction:
    """Mean cross-entropy over the valid pixels, from logits (log-sum-exp, in float32)."""

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        logits = logits.float()
        weights = None if class_weights is None else logits.new_tensor(class_weights)
        wanted = torch.where(valid, target, _VOID)
        total = F.cross_entropy(
            logits,
            wanted,
            weight=weights,
            ignore_index=_VOID,
            reduction="sum",
            label_smoothing=label_smoothing,
        )
        share = valid if weights is None else weights[torch.where(valid, target, 0)] * valid
        return total / share.sum().clamp_min(1e-6)

    return loss


@LOSSES.register("soft-dice")
def soft_dice(*, smooth: float = 1.0, include_background: bool = False) -> LossFunction:
    """One minus the soft Dice, per class over the whole batch, averaged over present classes.

    Denominators are linear: 2 sum(p y) / (sum p + sum y), with `smooth` added to both.
    A class without a true pixel in the batch is left out; with none present the loss is 0.
    Source: Milletari et al. 2016 (there with squared denominators); batch form as in nnU-Net.
    """

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        probabilities = torch.softmax(logits.float(), dim=1) * valid[:, None]
        n_classes = logits.shape[1]
        truth = F.one_hot(torch.where(valid, target, 0), n_classes).movedim(-1, 1)
        truth = truth.to(probabilities.dtype) * valid[:, None]
        axes = [0, *range(2, logits.ndim)]
        overlap = (probabilities * truth).sum(axes)
        n_true = truth.sum(axes)
        dice = (2 * overlap + smooth) / (probabilities.sum(axes) + n_true + smooth)
        counted = (n_true > 0).to(dice.dtype)
        if not include_background:
            counted[0] = 0.0
        return ((1 - dice) * counted).sum() / counted.sum().clamp_min(1.0)

    return loss


@LOSSES.register("cross-entropy-dice")
def cross_entropy_dice(
    *,
    dice_weight: float = 1.0,
    class_weights: tuple[float, ...] | None = None,
    label_smoothing: float = 0.0,
    smooth: float = 1.0,
) -> LossFunction:
    """Cross-entropy plus soft Dice: the sum that most segmentation systems train with."""
    first = cross_entropy(class_weights=class_weights, label_smoothing=label_smoothing)
    second = soft_dice(smooth=smooth)

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        return first(logits, target, valid) + dice_weight * second(logits, target, valid)

    return loss
