"""Any losses summed with weights, by their names."""

from __future__ import annotations

import torch
from torch import Tensor

from pixelwise.core.errors import BadPlan
from pixelwise.losses import LOSSES, LossFunction, at_least_float32


@LOSSES.register("sum", pixel_weights=True)
def weighted_sum(
    *,
    parts: tuple[str, ...] = ("cross-entropy", "soft-dice"),
    weights: tuple[float, ...] | None = None,
    class_weights: tuple[float, ...] | None = None,
) -> LossFunction:
    """Sum of registered losses with their default options; one weight each, 1 if not given.

    class_weights, and weights of pixels, go to those of the parts that take them.
    Raises BadPlan if a weight is missing or negative, or if a sum stands within a sum.
    """
    factors = (1.0,) * len(parts) if weights is None else weights
    if len(factors) != len(parts) or min(factors, default=0.0) < 0 or "sum" in parts or not parts:
        raise BadPlan(
            f"loss sum: parts are {list(parts)} and weights are {list(factors)}",
            "names of losses other than sum, and as many weights, none below 0",
            "For example parts=[cross-entropy,soft-dice,lovasz] and weights=[1,1,0.5].",
            code="bad-option",
        )
    targets = {LOSSES.find(name).facts.get("targets", "classes") for name in parts}
    if targets != {"classes"}:
        raise BadPlan(
            f"loss sum: {', '.join(parts)} take different kinds of target",
            "losses for classes only",
            "Leave out the losses for overlapping regions.",
            code="bad-option",
        )
    losses = [_build_part(name, class_weights) for name in parts]

    def loss(
        logits: Tensor, target: Tensor, valid: Tensor, pixel_weights: Tensor | None = None
    ) -> Tensor:
        logits = at_least_float32(logits)
        values = [
            part(logits, target, valid, *((pixel_weights,) if is_weighted else ()))
            for part, is_weighted in losses
        ]
        return torch.stack([f * value for f, value in zip(factors, values, strict=True)]).sum()

    return loss


def _build_part(name: str, class_weights: tuple[float, ...] | None) -> tuple[LossFunction, bool]:
    """A loss with its default options, and whether it takes weights of pixels."""
    entry = LOSSES.find(name)
    options: dict[str, object] = {}
    if class_weights is not None and "class_weights" in entry.options:
        options["class_weights"] = list(class_weights)
    built: LossFunction = LOSSES.build(name, options=options)
    return built, bool(entry.facts.get("pixel_weights"))
