"""Losses per pixel: cross-entropy with class weights, and focal loss; stable in bfloat16."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.losses import LOSSES, LossFunction, at_least_float32

_VOID = -100


@LOSSES.register("cross-entropy")
def cross_entropy(
    *, class_weights: tuple[float, ...] | None = None, label_smoothing: float = 0.0
) -> LossFunction:
    """Mean cross-entropy over the valid pixels, from logits (log-sum-exp, in float32).

    class_weights: one factor per class; the mean is then divided by the sum of the weights.
    No valid pixel, or only classes of weight 0: 0.
    """

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        logits = at_least_float32(logits)
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


@LOSSES.register("focal")
def focal(*, gamma: float = 2.0, class_weights: tuple[float, ...] | None = None) -> LossFunction:
    """Cross-entropy times (1 - p)^gamma, where p is the probability of the true class.

    Pixels that are right already count little; gamma=0 is cross-entropy. The mean is over
    the valid pixels, not over the weights (class_weights=(1 - alpha, alpha) is the paper's).
    Source: Lin et al. 2017, equations 4 and 5.
    """

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        inside = torch.where(valid, target, 0)
        log_p = F.log_softmax(at_least_float32(logits), dim=1).gather(1, inside[:, None])[:, 0]
        # 1 - p without cancellation where p is close to 1
        rest = -torch.expm1(log_p)
        single = -log_p * rest.clamp_min(1e-6).pow(gamma)
        if class_weights is not None:
            single = single * single.new_tensor(class_weights)[inside]
        single = torch.where(valid, single, 0.0)
        return single.sum() / valid.sum().clamp_min(1)

    return loss
