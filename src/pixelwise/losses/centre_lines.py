"""Soft clDice: whether the centre lines of truth and answer lie inside each other."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.losses import LOSSES, LossFunction, at_least_float32
from pixelwise.losses.overlap import soft_dice


def soft_skeleton(values: Tensor, iterations: int) -> Tensor:
    """Skeleton of soft masks (n, k, [z,] y, x) in [0, 1] by repeated opening.

    `iterations` must reach half the width of the widest structure.
    Source: Shit et al., CVPR 2021, algorithm 1.
    """
    skeleton = F.relu(values - _open(values))
    for _ in range(iterations):
        values = _erode(values)
        rest = F.relu(values - _open(values))
        skeleton = skeleton + F.relu(rest - skeleton * rest)
    return skeleton


def _erode(values: Tensor) -> Tensor:
    """Minimum over the neighbours that share a face."""
    n_dims = values.ndim - 2
    pool = F.max_pool2d if n_dims == 2 else F.max_pool3d
    smallest = -values
    for axis in range(n_dims):
        size = [3 if other == axis else 1 for other in range(n_dims)]
        padding = [1 if other == axis else 0 for other in range(n_dims)]
        smallest = torch.maximum(smallest, pool(-values, size, 1, padding))
    return -smallest


def _open(values: Tensor) -> Tensor:
    pool = F.max_pool2d if values.ndim == 4 else F.max_pool3d
    return pool(_erode(values), 3, 1, 1)


@LOSSES.register("cl-dice")
def cl_dice(*, share: float = 0.5, iterations: int = 10, smooth: float = 1.0) -> LossFunction:
    """(1 - share) soft Dice + share (1 - soft clDice), for tubes: vessels, roads, neurites.

    clDice is the harmonic mean of the shares of each centre line that lies inside the other
    mask; mean over the present foreground classes, 0 with none.
    Source: Shit et al., CVPR 2021, equations 1 to 3.
    """
    region = soft_dice(smooth=smooth)

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        probabilities = torch.softmax(at_least_float32(logits), dim=1)[:, 1:] * valid[:, None]
        truth = F.one_hot(torch.where(valid, target, 0), logits.shape[1]).movedim(-1, 1)
        truth = (truth[:, 1:] * valid[:, None]).to(probabilities.dtype)
        line, true_line = (soft_skeleton(m, iterations) for m in (probabilities, truth))
        axes = [0, *range(2, logits.ndim)]
        precision = ((line * truth).sum(axes) + smooth) / (line.sum(axes) + smooth)
        reached = (true_line * probabilities).sum(axes)
        sensitivity = (reached + smooth) / (true_line.sum(axes) + smooth)
        both = 2 * precision * sensitivity / (precision + sensitivity).clamp_min(1e-8)
        counted = (truth.sum(axes) > 0).to(both.dtype)
        lines = ((1 - both) * counted).sum() / counted.sum().clamp_min(1.0)
        return (1 - share) * region(logits, target, valid) + share * lines

    return loss
