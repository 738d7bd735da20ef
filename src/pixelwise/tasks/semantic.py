"""One class per pixel: a softmax over the classes, the label is the most probable one."""

from __future__ import annotations

import torch
from torch import Tensor

from pixelwise.tasks import TASKS, Task


@TASKS.register("semantic")
def semantic(n_classes: int) -> Task:
    """One class per pixel, chosen by softmax."""
    return Task(n_classes, _encode, _probabilities, decode_classes, decode_logits=decode_classes)


def _encode(labels: Tensor) -> Tensor:
    return labels


def _probabilities(logits: Tensor) -> Tensor:
    return torch.softmax(logits.float(), dim=1)


def decode_classes(scores: Tensor) -> Tensor:
    """As argmax over classes (the first of equals), in bytes: argmax itself is much slower."""
    best = scores[:, 0]
    labels = torch.zeros(best.shape, dtype=torch.uint8, device=best.device)
    for class_id in range(1, scores.shape[1]):
        candidate = scores[:, class_id]
        is_better = candidate > best
        labels.masked_fill_(is_better, class_id)
        best = torch.maximum(best, candidate)
    return labels
