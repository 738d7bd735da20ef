"""Lovász-softmax: a convex stand-in for intersection over union, class by class."""

from __future__ import annotations

import torch
from torch import Tensor

from pixelwise.losses import LOSSES, LossFunction, at_least_float32


@LOSSES.register("lovasz")
def lovasz(*, include_background: bool = True) -> LossFunction:
    """Lovász extension of the Jaccard loss on softmax errors, mean over the present classes.

    Errors |y - p| are sorted downwards and weighted by how much each lowers the Jaccard
    index; all valid pixels of the batch are one set. A class without a true pixel in the
    batch is left out; with none present the loss is 0.
    Source: Berman, Triki, Blaschko, CVPR 2018, section 3.
    """

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        probabilities = torch.softmax(at_least_float32(logits), dim=1).movedim(1, -1)[valid]
        truth = target[valid]
        losses = [
            _of_one_class(probabilities[:, k], (truth == k).to(probabilities.dtype))
            for k in range(0 if include_background else 1, logits.shape[1])
            if bool((truth == k).any())
        ]
        if not losses:
            return probabilities.sum() * 0.0
        return torch.stack(losses).mean()

    return loss


def _of_one_class(probabilities: Tensor, truth: Tensor) -> Tensor:
    errors, order = torch.sort((truth - probabilities).abs(), descending=True)
    return torch.dot(errors, _jaccard_steps(truth[order]))


def _jaccard_steps(truth: Tensor) -> Tensor:
    """How much the Jaccard loss grows when the errors are made one after the other."""
    total = truth.sum()
    right = total - truth.cumsum(0)
    union = total + (1 - truth).cumsum(0)
    jaccard = 1 - right / union
    return torch.diff(jaccard, prepend=jaccard.new_zeros(1))
