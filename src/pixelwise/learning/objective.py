"""What a training lowers: a loss of classes, with weights, partial annotation and object maps."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.losses import LossFunction, at_least_float32
from pixelwise.losses.partial_labels import respecting_annotation
from pixelwise.tasks import Task


class Objective:
    """A loss on labels as the cases hold them, as the training loop calls it.

    has_weights: the first of the maps that come with a batch says how much each pixel counts,
    which the loss takes as its fourth argument. The maps behind it are compared with the last
    outputs of the network, as many as the task says.
    """

    def __init__(self, loss: LossFunction, task: Task, *, has_weights: bool = False) -> None:
        self._loss = loss
        self._task = task
        self._has_weights = has_weights

    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        valid: Tensor,
        maps: Tensor | None = None,
        *,
        annotated: Tensor | None = None,
    ) -> Tensor:
        """Logits (n, k, …), labels and valid (n, …), maps (n, m, …), annotated (n, k or more)."""
        n_maps = self._task.n_maps
        n_classes = logits.shape[1] - n_maps
        loss = self._loss
        if annotated is not None:
            known = annotated[:, :n_classes]
            loss = respecting_annotation(loss, known, overlaps=self._task.overlaps)
        if self._has_weights and maps is not None:
            loss = partial(_weighted, loss, maps[:, 0])
            maps = maps[:, 1:]
        value = loss(logits[:, :n_classes], self._task.encode_target(target), valid)
        if n_maps and maps is not None:
            value = value + map_loss(logits[:, n_classes:], maps, valid)
        return value


def map_loss(logits: Tensor, maps: Tensor, valid: Tensor) -> Tensor:
    """Binary cross-entropy of maps in [0, 1] (n, m, …) less their own entropy, mean over m.

    So it is 0 where the answer equals the map: the Kullback-Leibler divergence of a pixel's
    yes or no. No valid pixel: 0.
    """
    logits = at_least_float32(logits)
    wanted = maps.to(logits.dtype).clamp(0, 1)
    own = -(torch.xlogy(wanted, wanted) + torch.xlogy(1 - wanted, 1 - wanted))
    single = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none") - own
    inside = valid[:, None].to(single.dtype)
    return (single * inside).sum() / (inside.sum() * maps.shape[1]).clamp_min(1)


def _weighted(
    loss: LossFunction, weights: Tensor, logits: Tensor, target: Tensor, valid: Tensor
) -> Tensor:
    return loss(logits, target, valid, weights.float())
