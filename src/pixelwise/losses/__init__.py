"""One family of losses per file: functions of (logits, target, valid)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pixelwise.core.registry import Registry

LossFunction = Callable[..., Tensor]
"""(logits (n, k, ...), target (n, ...) int64, valid (n, ...) bool) -> scalar, lower is better.

Pixels where `valid` is False add nothing to value or gradient, whatever target holds there.
A loss registered with `targets="regions"` takes a target (n, k, ...) of 0 and 1 for each region,
one registered with `pixel_weights=True` a fourth argument, None or (n, ...) float32: how much
each pixel counts.
"""

LOSSES: Registry[Callable[..., LossFunction]] = Registry("loss", "pixelwise.losses")


def at_least_float32(logits: Tensor) -> Tensor:
    """Logits in the precision that sums over many pixels need: float32, float64 as it is."""
    return logits if logits.dtype == torch.float64 else logits.float()
