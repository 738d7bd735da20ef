"""How a network wants to be trained: facts that its file registers and the planner reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pixelwise.networks import NETWORKS


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the planner should know about a network; each entry has a neutral default.

    learning_rate: of AdamW; None leaves it to the planner's rule (with or without norm).
    widths: values of the option `width` that the planner may choose from, ascending, for a
    network that its full size would let take few steps; empty: the width is left alone.
    halvings: (option, number to add to the count of halvings) of networks whose depth can be
    fitted to the patch. most_halvings: where that stops.
    from_scratch: options that are set where no published weights are loaded, and why.
    patch: edge of the patches where the network was made for one size, else None; batch and
    foreground_share likewise. sentence: why, for the plan's list of reasons.
    """

    learning_rate: float | None = None
    widths: tuple[int, ...] = ()
    halvings: tuple[str, int] | None = None
    most_halvings: int = 4
    from_scratch: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    patch: int | None = None
    batch: int | None = None
    foreground_share: float | None = None
    sentence: str = ""


NEUTRAL = Recipe()


def recipe_of(name: str) -> Recipe:
    """The recipe that a network registered, the neutral one if it gave none.

    Raises UnknownName if there is no such network.
    """
    found = NETWORKS.find(name).facts.get("recipe", NEUTRAL)
    return found if isinstance(found, Recipe) else NEUTRAL
