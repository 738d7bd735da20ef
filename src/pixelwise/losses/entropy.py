"""Losses per pixel: cross-entropy with class weights, and focal loss; stable in bfloat16."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.losses import LOSSES, LossFunction, at_least_float32

_VOID = -100


@LOSSES.register("cross-entropy", pixel_weights=True)
def cross_entropy(
    *, class_weights: tuple[float, ...] | None = None, label_smoothing: float = 0.0
) -> LossFunction:
    """Mean cross-entropy over the valid pixels, from logits (log-sum-exp, in float32).

    class_weights: one factor per class; the mean is then divided by the sum of the weights,
    and so it is with weights of single pixels. label_smoothing: this share of the target is
    spread over all classes. No valid pixel, or only weights of 0: 0.
    """

    def loss(
        logits: Tensor, target: Tensor, valid: Tensor, pixel_weights: Tensor | None = None
    ) -> Tensor:
        logits = at_least_float32(logits)
        weights = None if class_weights is None else logits.new_tensor(class_weights)
        wanted = torch.where(valid, target, _VOID)
        single = F.cross_entropy(
            logits,
            wanted,
            weight=weights,
            ignore_index=_VOID,
            reduction="sum" if pixel_weights is None else "none",
            label_smoothing=label_smoothing,
        )
        share = valid if weights is None else weights[torch.where(valid, target, 0)] * valid
        if pixel_weights is not None:
            single, share = single * pixel_weights, share * pixel_weights
        return single.sum() / share.sum().clamp_min(1e-6)

    return loss


@LOSSES.register("focal", pixel_weights=True)
def focal(*, gamma: float = 2.0, class_weights: tuple[float, ...] | None = None) -> LossFunction:
    """Cross-entropy times (1 - p)^gamma, where p is the probability of the true class.

    Pixels that are right already count little; gamma=0 is cross-entropy. The mean is over
    the valid pixels, not over the weights (class_weights=(1 - alpha, alpha) is the paper's).
    Source: Lin et al. 2017, equations 4 and 5.
    """

    def loss(
        logits: Tensor, target: Tensor, valid: Tensor, pixel_weights: Tensor | None = None
    ) -> Tensor:
        inside = torch.where(valid, target, 0)
        log_p = F.log_softmax(at_least_float32(logits), dim=1).gather(1, inside[:, None])[:, 0]
        # 1 - p without cancellation where p is close to 1
        rest = -torch.expm1(log_p)
        single = -log_p * rest.clamp_min(1e-6).pow(gamma)
        if class_weights is not None:
            single = single * single.new_tensor(class_weights)[inside]
        if pixel_weights is not None:
            single = single * pixel_weights
        single = torch.where(valid, single, 0.0)
        return single.sum() / valid.sum().clamp_min(1)

    return loss
