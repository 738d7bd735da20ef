"""How a user wants images to be cut, blended and averaged, as changes of the plan's section."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from torch import nn

from pixelwise.core.errors import BadPlan, Problem, raise_errors
from pixelwise.core.plan import InferenceSection, Plan, network_input
from pixelwise.explanation.receptive import receptive_field
from pixelwise.inference.exactness import Exactness, exactness_of
from pixelwise.networks import field_of

AUTO = "auto"
AVERAGES = ("plan", "none", "mirror", "rotations")

_TILE = re.compile(r"\d+(x\d+)*")


@dataclass(frozen=True, slots=True)
class Tiling:
    """What may differ from the plan; the defaults are the plan's own.

    tile: edge of a tile without halo ("512", or "64x256x256" per axis, z first), "plan", or
    "auto": what is fastest here. exact: as much halo as makes tiles give the whole image's
    answer. blend: share of a tile that overlaps with the next, blended with Gaussian weights.
    average: over which views, "auto": those that paid on validation cases.
    skip_empty: tiles whose intensities differ by less, in normalised units, are background.
    """

    tile: str = "plan"
    exact: bool = False
    blend: float = 0.0
    average: str = "plan"
    skip_empty: float = 0.0


PLANNED = Tiling()


def apply_tiling(tiling: Tiling, plan: Plan, network: nn.Module | None) -> InferenceSection:
    """The plan's section with a user's wishes. Raises BadPlan with everything that is wrong.

    network: None for a bundle, which does not tell how far its network sees.
    """
    section = plan.inference
    n_dims = len(section.tile)
    problems: list[Problem] = []
    update: dict[str, object] = {}
    if tiling.tile != "plan":
        update["tile"] = _parse_tile(tiling.tile, n_dims, problems)
    if tiling.blend:
        _check_range("--blend", tiling.blend, 0.9, problems)
        update["overlap"] = tiling.blend
    if tiling.skip_empty:
        _check_range("--skip-empty", tiling.skip_empty, None, problems)
        update["skip_below"] = tiling.skip_empty
    if tiling.exact:
        update["halo"] = (_exact_halo(tiling, plan, network, problems),) * n_dims
    if tiling.average != "plan":
        update |= _views(tiling.average, plan, n_dims, problems)
    raise_errors(problems, BadPlan)
    return section.model_copy(update=update)


def exactness(network: nn.Module, plan: Plan) -> Exactness:
    """Whether tiles can be exact; a network that does not state its reach is traced."""
    n_dims, n_channels = network_input(plan)
    field = field_of(network)
    if field.reach is not None or field.margin > 0:
        return exactness_of(network)
    traced = receptive_field(network, n_channels, n_dims)
    return exactness_of(network, traced.reach if traced.is_exact else None)


def _parse_tile(text: str, n_dims: int, problems: list[Problem]) -> tuple[int, ...]:
    edges = tuple(int(part) for part in text.split("x")) if _TILE.fullmatch(text) else ()
    if len(edges) == 1:
        edges *= n_dims
    if len(edges) != n_dims or min(edges, default=0) < 1:
        problems.append(
            Problem(
                f"--tile is {text!r}",
                f"one number, or {n_dims} joined by x (as {'x'.join(['256'] * n_dims)})",
                "Correct it, or leave it out for the plan's own.",
                code="bad-option",
            )
        )
    return edges


def _check_range(name: str, value: float, most: float | None, problems: list[Problem]) -> None:
    if value < 0 or (most is not None and value > most) or value != value:
        wanted = "at least 0" if most is None else f"a share from 0 to {most}"
        problems.append(Problem(f"{name} is {value}", wanted, "Correct it.", code="bad-option"))


def _exact_halo(
    tiling: Tiling, plan: Plan, network: nn.Module | None, problems: list[Problem]
) -> int:
    unknown = Exactness(None, "A bundle does not tell how far its network sees.")
    found = unknown if network is None else exactness(network, plan)
    if tiling.blend:
        problems.append(
            Problem(
                "--exact and --blend were both given",
                "one of them: blending mixes answers that were computed with less context",
                "Leave one of them out.",
                code="bad-option",
            )
        )
    if found.halo is None:
        problems.append(
            Problem(
                f"--exact cannot be had with this network. {found.sentence}",
                "a network that sees a bounded part of the image",
                "Leave --exact out; a --tile as large as the image gives its answer at once.",
                code="not-exact",
            )
        )
    return found.halo or 0


def _views(average: str, plan: Plan, n_dims: int, problems: list[Problem]) -> dict[str, object]:
    """Mirrored axes and turns, as far as the data was found to have no direction."""
    if average not in AVERAGES:
        problems.append(
            Problem(
                f"--average is {average!r}",
                f"one of {', '.join((*AVERAGES, AUTO))}",
                code="bad-option",
            )
        )
    if average not in ("mirror", "rotations"):
        return {"mirror_axes": (), "rotations": False}
    axes = tuple(axis for axis in plan.augmentation.mirror_axes if axis < n_dims)
    plane = (n_dims - 2, n_dims - 1)
    lacks = [axis for axis in plane if axis not in axes]
    if not axes or (average == "rotations" and lacks):
        names = ("z", "y", "x")[-n_dims:]
        free = ", ".join(names[axis] for axis in axes) or "none"
        problems.append(
            Problem(
                f"--average {average}: the images have a direction (axes without one: {free})",
                "axes along which mirror images are true examples, as the plan found them",
                "Leave it out: averaging over views that the network never met does harm.",
                code="has-direction",
            )
        )
    return {"mirror_axes": axes, "rotations": average == "rotations"}


def describe_views(section: InferenceSection) -> int:
    """How many views of each tile are averaged: how many times as long it takes."""
    subsets = itertools.product((False, True), repeat=len(section.mirror_axes))
    return sum(1 for _ in subsets) * (2 if section.rotations else 1)
