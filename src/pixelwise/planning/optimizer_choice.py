"""Learning rate, warm-up and gradient clip, by what the network is made of."""

from __future__ import annotations

from pixelwise.core.plan import OptimizerSection
from pixelwise.core.records import Choice
from pixelwise.networks.recipe import Recipe

RATE_WITH_NORM, RATE_WITHOUT_NORM = 3e-3, 5e-4
"""Of AdamW, for the batches that the planner chooses."""

GENTLER = 3
"""Weights that know something already are changed in steps this much smaller."""

_WARMUP_WITH_NORM, _WARMUP_WITHOUT_NORM = 0.05, 0.1
_CLIP_WITH_NORM, _CLIP_WITHOUT_NORM = 5.0, 1.0


def choose_optimizer(
    recipe: Recipe, *, has_norm: bool, has_weights: bool = False
) -> tuple[OptimizerSection, Choice]:
    """The optimizer's settings; what a network's recipe says comes first.

    has_weights: the training starts from published weights.
    """
    rate = RATE_WITH_NORM if has_norm else RATE_WITHOUT_NORM
    if recipe.learning_rate is not None:
        rate = recipe.learning_rate
    if has_weights:
        rate /= GENTLER
    section = OptimizerSection(
        learning_rate=rate,
        weight_decay=0.01,
        warmup_share=_WARMUP_WITH_NORM if has_norm else _WARMUP_WITHOUT_NORM,
        final_share=0.01,
        averaging=0.99,
        gradient_clip=_CLIP_WITH_NORM if has_norm else _CLIP_WITHOUT_NORM,
    )
    reason = Choice(
        field="optimizer.learning_rate",
        value=f"{rate:g}, warm-up over {section.warmup_share:.0%} of the steps, gradients "
        f"clipped at {section.gradient_clip:g}",
        fact="the network has norm layers" if has_norm else "the network has no norm layers",
        reason="Published weights know something already: gentler steps keep it."
        if has_weights
        else _sentence(recipe, has_norm),
    )
    return section, reason


def _sentence(recipe: Recipe, has_norm: bool) -> str:
    if recipe.learning_rate is not None:
        return "The rate in this network's own recipe comes before the general rule."
    if has_norm:
        return "Norm layers keep activations in range, so that large steps are safe."
    return "Without them large steps let activations grow or die: smaller steps, a slower start."
