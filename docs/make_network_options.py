"""Writes options and recipe into each page of docs/networks, from what the code registers.

python docs/make_network_options.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from torch import nn

from pixelwise.networks import NETWORKS, NetworkIO, build_network, field_of
from pixelwise.networks.recipe import Recipe, recipe_of
from pixelwise.planning.optimizer_choice import choose_optimizer

PAGES = Path(__file__).with_name("networks")
_RECIPE = re.compile(r"## Trained by name\n\n.*?\n(?=## Source)|(?=## Source)", re.DOTALL)
_TABLE = re.compile(r"(?<=## Options\n\n).*?(?=\n## )", re.DOTALL)


def render_options(name: str) -> str:
    """The table of one network's options."""
    rows = [
        f"| `{option.name}` | {option.describe()} | `{_shown(option.default)}` |"
        for option in NETWORKS.find(name).options.values()
    ]
    return "\n".join(["| option | values | default |", "|---|---|---|", *rows]) + "\n"


def _shown(default: object) -> str:
    return default if isinstance(default, str) else json.dumps(default)


def render_recipe(name: str) -> str:
    """What the planner does when it is given nothing but the network's name."""
    recipe = recipe_of(name)
    options = dict(NETWORKS.find(name).facts.get("small", {"width": 4})) | dict(recipe.from_scratch)
    network = build_network(name, NetworkIO(2, 3, 2), options)
    has_norm = any(
        isinstance(layer, nn.BatchNorm2d | nn.InstanceNorm2d) for layer in network.modules()
    )
    optimizer, _ = choose_optimizer(recipe, has_norm=has_norm)
    sentences = [
        f"`--set network.name={name}` is enough; the planner chooses the rest.",
        *_size_sentences(recipe),
        *_patch_sentences(recipe, field_of(network).margin),
        f"AdamW begins with a learning rate of {optimizer.learning_rate:g}, after a warm-up over "
        f"{optimizer.warmup_share:.0%} of the steps; gradients are clipped at "
        f"{optimizer.gradient_clip:g}.",
    ]
    return "## Trained by name\n\n" + " ".join(sentences) + "\n\n"


def _size_sentences(recipe: Recipe) -> list[str]:
    found = []
    if recipe.widths:
        widths = ", ".join(str(width) for width in recipe.widths)
        found.append(f"Its `width` is the largest of {widths} that gets enough steps in the time.")
    if recipe.halvings is not None:
        found.append(f"`{recipe.halvings[0]}` follows the size of the patches.")
    if recipe.from_scratch:
        options = ", ".join(f"`{key}={value}`" for key, value in recipe.from_scratch.items())
        found.append(f"From a random start it sets {options}: {recipe.sentence}")
    return found


def _patch_sentences(recipe: Recipe, margin: int) -> list[str]:
    if recipe.patch is not None:
        return [f"It is trained on {recipe.batch} windows of {recipe.patch} pixels at a time."]
    if margin:
        return [f"Patches are {2 * margin} pixels larger than what is learned from them."]
    return []


def render(name: str) -> str:
    """A network's page with its table and recipe as the code has them now."""
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    text = _TABLE.sub(lambda _: render_options(name), text, count=1)
    return _RECIPE.sub(lambda _: render_recipe(name), text, count=1)


def main() -> None:
    """Write the pages."""
    for name in NETWORKS.names():
        (PAGES / f"{name}.md").write_text(render(name), encoding="utf-8")


if __name__ == "__main__":
    main()
