"""A user's wishes for tiles and views, with `auto` replaced by what is best here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pixelwise.commands.choose_averaging import choose_averaging
from pixelwise.commands.open_model import OpenedModel
from pixelwise.commands.tile_choice import choose_tile, network_shape
from pixelwise.commands.tiling import AUTO, PLANNED, Tiling, apply_tiling
from pixelwise.core.image import Header
from pixelwise.core.plan import InferenceSection
from pixelwise.core.progress import SILENT, Listener
from pixelwise.data.set_geometry import spacing_in_unit


def check_tiling(model: OpenedModel, tiling: Tiling) -> None:
    """Raise BadPlan with everything that is wrong with the wishes, before any work is done."""
    tile = PLANNED.tile if tiling.tile == AUTO else tiling.tile
    average = PLANNED.average if tiling.average == AUTO else tiling.average
    apply_tiling(replace(tiling, tile=tile, average=average), model.plan, model.network)


def settle_tiling(
    model: OpenedModel,
    tiling: Tiling,
    headers: Sequence[Header] = (),
    *,
    listener: Listener = SILENT,
) -> InferenceSection:
    """How images are cut, blended and averaged. headers: of the images to come, if known.

    Raises BadPlan with everything that is wrong with the wishes.
    """
    plan = model.plan
    as_planned = replace(tiling, tile=PLANNED.tile if tiling.tile == AUTO else tiling.tile)
    if tiling.average == AUTO:
        plain = replace(as_planned, average="none")
        choice = choose_averaging(model, plain, listener=listener)
        listener.say(choice.sentence)
        as_planned = replace(as_planned, average=choice.chosen)
    section = apply_tiling(as_planned, plan, model.network)
    if tiling.tile != AUTO:
        return section
    shapes = [
        network_shape(
            header.shape,
            spacing_in_unit(header, plan.data.unit) or plan.data.spacing,
            plan.geometry,
        )
        for header in headers
        if len(header.shape) == plan.data.n_dims
    ]
    chosen = choose_tile(model, section, shapes, listener=listener)
    listener.say(chosen.sentence)
    return chosen.section
