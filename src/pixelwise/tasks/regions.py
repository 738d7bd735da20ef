"""Regions that may overlap or nest: a sigmoid for each, labels are sets of regions."""

from __future__ import annotations

import torch
from torch import Tensor

from pixelwise.arrays.region_bits import MAX_REGIONS
from pixelwise.core.errors import BadPlan
from pixelwise.tasks import TASKS, Task

LEVEL = 0.5


@TASKS.register("regions", targets="regions")
def regions(n_classes: int, *, inside: tuple[int, ...] = ()) -> Task:
    """One yes or no per region and pixel, so that regions may overlap; chosen by sigmoids.

    Labels are bit sets: bit r of a label says that the pixel lies in region r.
    inside: for each region the one that holds it (-1: none); a pixel is then never more
    probable in the inner region than in the outer one, so that answers nest as the truth does.
    Raises BadPlan for more than seven regions, or an `inside` that is no nesting.
    """
    if n_classes > MAX_REGIONS:
        raise BadPlan(
            f"there are {n_classes} regions",
            f"at most {MAX_REGIONS}",
            "Leave some out, or train two runs with a part of the regions each.",
            code="too-many-regions",
        )
    order = _outer_first(inside, n_classes)

    def encode(labels: Tensor) -> Tensor:
        bits = torch.arange(n_classes, device=labels.device)
        bits = bits.reshape(1, -1, *([1] * (labels.ndim - 1)))
        return (labels[:, None].long() >> bits) & 1

    def nest(scores: Tensor) -> Tensor:
        if not order:
            return scores
        planes = list(scores.unbind(1))
        for region, holder in order:
            planes[region] = torch.minimum(planes[region], planes[holder])
        return torch.stack(planes, dim=1)

    return Task(
        n_classes,
        encode,
        probabilities=lambda logits: nest(torch.sigmoid(logits.float())),
        decode_output=lambda probabilities: _decode(probabilities, LEVEL),
        overlaps=True,
        decode_logits=lambda logits: _decode(nest(logits), 0.0),
    )


def _decode(scores: Tensor, level: float) -> Tensor:
    labels = torch.zeros_like(scores[:, 0], dtype=torch.uint8)
    for region in range(scores.shape[1]):
        labels |= (scores[:, region] > level).to(torch.uint8) << region
    return labels


def _outer_first(inside: tuple[int, ...], n_regions: int) -> list[tuple[int, int]]:
    """(region, its holder) so that every holder comes before what it holds."""
    if not inside:
        return []
    done: set[int] = {-1}
    order: list[tuple[int, int]] = []
    while len(done) <= len(inside):
        ready = [r for r, holder in enumerate(inside) if r not in done and holder in done]
        if not ready or len(inside) != n_regions:
            raise BadPlan(
                f"task.options.inside is {list(inside)} for {n_regions} regions",
                "for each region the number of the one that holds it, or -1, without a circle",
                "Correct it, or leave it out.",
                code="bad-nesting",
            )
        order += [(r, inside[r]) for r in ready if inside[r] >= 0]
        done |= set(ready)
    return order
