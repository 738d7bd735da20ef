"""Losses that compare soft sets: Dice and its variants, Jaccard, Tversky."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.losses import LOSSES, LossFunction, at_least_float32
from pixelwise.losses.entropy import cross_entropy

Denominators = Literal["linear", "squared"]
Scope = Literal["batch", "image"]
Absent = Literal["skip", "count"]


@dataclass(frozen=True, slots=True)
class SoftSets:
    """Soft counts per class: (k,) over the batch, or (n, k) image by image.

    overlap = sum p y, predicted = sum p, squared = sum p^2, true = sum y.
    """

    overlap: Tensor
    predicted: Tensor
    squared: Tensor
    true: Tensor

    def average(self, losses: Tensor, *, include_background: bool, absent: Absent) -> Tensor:
        """Mean of losses per class over the classes that count; 0 where none does."""
        counted = torch.ones_like(losses) if absent == "count" else (self.true > 0).to(losses)
        if not include_background:
            counted = counted.clone()
            counted[..., 0] = 0.0
        return (losses * counted).sum() / counted.sum().clamp_min(1.0)


def soft_sets(logits: Tensor, target: Tensor, valid: Tensor, scope: Scope = "batch") -> SoftSets:
    """Soft counts of the softmax over the valid pixels, in float32."""
    probabilities = torch.softmax(at_least_float32(logits), dim=1) * valid[:, None]
    truth = F.one_hot(torch.where(valid, target, 0), logits.shape[1]).movedim(-1, 1)
    truth = truth.to(probabilities.dtype) * valid[:, None]
    space = list(range(2, logits.ndim))
    axes = [0, *space] if scope == "batch" else space
    return SoftSets(
        (probabilities * truth).sum(axes),
        probabilities.sum(axes),
        probabilities.square().sum(axes),
        truth.sum(axes),
    )


def _nothing_labelled(value: Tensor, valid: Tensor) -> Tensor:
    """The loss, or 0 with a gradient of 0 where no pixel of the batch is valid."""
    return value * valid.any().to(value.dtype)


@LOSSES.register("soft-dice")
def soft_dice(
    *,
    smooth: float = 1.0,
    include_background: bool = False,
    denominators: Denominators = "linear",
    scope: Scope = "batch",
    absent: Absent = "skip",
) -> LossFunction:
    """One minus the soft Dice of each class, averaged over the classes.

    denominators: "linear" is 2 sum(p y) / (sum p + sum y), "squared" the V-Net's
    2 sum(p y) / (sum p^2 + sum y); `smooth` is added to numerator and denominator.
    scope: "batch" sums over all images first, "image" takes each image by itself.
    absent: "skip" leaves a class without a true pixel out (0 with none present), "count"
    lets it pull predicted pixels down, as nnU-Net does with smooth=1e-5.
    Source: Milletari et al. 2016 (squared); Isensee et al. 2021 (batch, linear).
    """

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        sets = soft_sets(logits, target, valid, scope)
        predicted = sets.predicted if denominators == "linear" else sets.squared
        dice = (2 * sets.overlap + smooth) / (predicted + sets.true + smooth).clamp_min(1e-8)
        value = sets.average(1 - dice, include_background=include_background, absent=absent)
        return _nothing_labelled(value, valid)

    return loss


@LOSSES.register("soft-jaccard")
def soft_jaccard(
    *,
    smooth: float = 1.0,
    include_background: bool = False,
    scope: Scope = "batch",
    absent: Absent = "skip",
) -> LossFunction:
    """One minus the soft intersection over union of each class, averaged over the classes.

    sum(p y) / (sum p + sum y - sum(p y)); options as for soft-dice.
    Source: Rahman and Wang 2016.
    """

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        sets = soft_sets(logits, target, valid, scope)
        union = sets.predicted + sets.true - sets.overlap
        jaccard = (sets.overlap + smooth) / (union + smooth).clamp_min(1e-8)
        value = sets.average(1 - jaccard, include_background=include_background, absent=absent)
        return _nothing_labelled(value, valid)

    return loss


@LOSSES.register("tversky")
def tversky(
    *,
    false_positives: float = 0.3,
    false_negatives: float = 0.7,
    exponent: float = 1.0,
    smooth: float = 1.0,
    include_background: bool = False,
    scope: Scope = "batch",
    absent: Absent = "skip",
) -> LossFunction:
    """One minus the Tversky index: Dice with a price of its own for either kind of error.

    TP / (TP + false_positives FP + false_negatives FN), the papers' alpha and beta;
    0.5 and 0.5 is Dice. exponent: (1 - index)^exponent per class; 0.75 is the focal form.
    Other options as for soft-dice.
    Source: Salehi et al. 2017; Abraham and Khan 2019 (focal form, their 1 / gamma).
    """

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        sets = soft_sets(logits, target, valid, scope)
        wrong = false_positives * (sets.predicted - sets.overlap)
        missed = false_negatives * (sets.true - sets.overlap)
        whole = (sets.overlap + wrong + missed + smooth).clamp_min(1e-8)
        rest = 1 - (sets.overlap + smooth) / whole
        if exponent != 1.0:
            rest = rest.clamp_min(1e-6).pow(exponent)
        value = sets.average(rest, include_background=include_background, absent=absent)
        return _nothing_labelled(value, valid)

    return loss


@LOSSES.register("generalised-dice")
def generalised_dice(*, include_background: bool = True, smooth: float = 1e-5) -> LossFunction:
    """One Dice over all classes, each weighted by 1 / (its true pixels)^2.

    1 - 2 sum_k w_k sum(p y) / sum_k w_k (sum p + sum y), over the batch. A class without a
    true pixel has no weight; with none present the loss is 0.
    Source: Sudre et al. 2017.
    """

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        sets = soft_sets(logits, target, valid)
        weights = torch.where(sets.true > 0, sets.true.clamp_min(1.0), torch.inf).square()
        weights = weights.reciprocal()
        if not include_background:
            weights = weights.clone()
            weights[0] = 0.0
        # sums of weights can be tiny: scaled to 1, so that `smooth` means the same everywhere
        weights = weights / weights.sum().clamp_min(1e-30)
        both = (weights * (sets.predicted + sets.true)).sum()
        value = 1 - (2 * (weights * sets.overlap).sum() + smooth) / (both + smooth)
        return _nothing_labelled(value, valid)

    return loss


@LOSSES.register("cross-entropy-dice", pixel_weights=True)
def cross_entropy_dice(
    *,
    dice_weight: float = 1.0,
    class_weights: tuple[float, ...] | None = None,
    label_smoothing: float = 0.0,
    smooth: float = 1.0,
) -> LossFunction:
    """Cross-entropy plus soft Dice: the sum that most segmentation systems train with.

    Weights of classes and of pixels, and label smoothing, are for the cross-entropy.
    """
    first = cross_entropy(class_weights=class_weights, label_smoothing=label_smoothing)
    second = soft_dice(smooth=smooth)

    def loss(
        logits: Tensor, target: Tensor, valid: Tensor, pixel_weights: Tensor | None = None
    ) -> Tensor:
        region = second(logits, target, valid)
        return first(logits, target, valid, pixel_weights) + dice_weight * region

    return loss
