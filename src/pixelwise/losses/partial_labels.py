"""Images in which only some classes were annotated: the rest is no background, only unknown."""

from __future__ import annotations

import torch
from torch import Tensor

from pixelwise.losses import LossFunction, at_least_float32

_IMPOSSIBLE = -1e4
"""A logit whose softmax is 0 in float32 and in bfloat16, and whose gradients stay finite."""


def merge_unannotated(logits: Tensor, annotated: Tensor) -> Tensor:
    """Logits in which every class that an image does not annotate counts as background.

    Shape: logits (n, k, …); annotated (n, k) bool, class 0 (background) always True.
    The merged probability of class 0 is the sum of its own and of those that are not
    annotated, so that a pixel called background may be any of them; every loss that starts
    from a softmax may follow.
    Source: marginal loss, Shi et al. 2021 (Medical Image Analysis), equation 2.
    """
    logits = at_least_float32(logits)
    shape = (*annotated.shape, *(1,) * (logits.ndim - 2))
    known = annotated.reshape(shape)
    in_background = ~known
    in_background[:, 0] = True
    background = torch.logsumexp(logits.masked_fill(~in_background, -torch.inf), dim=1)
    rest = logits[:, 1:].masked_fill(~known[:, 1:], _IMPOSSIBLE)
    return torch.cat((background[:, None], rest), dim=1)


def respecting_annotation(
    loss: LossFunction, annotated: Tensor, *, overlaps: bool = False
) -> LossFunction:
    """A loss for one batch in which image i annotates the classes `annotated[i]` only.

    A label of a class that its image is said not to annotate is void. overlaps: classes are
    regions with a target (n, k, …) of 0 and 1; those not annotated are neither wanted nor
    answered, so that they cost nothing and get no gradient.
    """
    if bool(annotated.all()):
        return loss

    def partial(logits: Tensor, target: Tensor, valid: Tensor, *weights: Tensor | None) -> Tensor:
        if overlaps:
            known = annotated.reshape(*annotated.shape, *(1,) * (logits.ndim - 2))
            answered = at_least_float32(logits).masked_fill(~known, _IMPOSSIBLE)
            return loss(answered, target * known, valid, *weights)
        labels = torch.where(valid, target, 0)
        is_known = annotated.gather(1, labels.flatten(1)).reshape(labels.shape)
        return loss(merge_unannotated(logits, annotated), target, valid & is_known, *weights)

    return partial
