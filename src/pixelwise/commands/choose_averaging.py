"""--average auto: whether averaging over views pays, found on validation cases and kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from pixelwise.commands.load_predictor import make_predictor
from pixelwise.commands.open_model import OpenedModel
from pixelwise.commands.run_cases import split_cases
from pixelwise.commands.score_in_memory import score_in_memory
from pixelwise.commands.tiling import Tiling, apply_tiling
from pixelwise.core.case import Case
from pixelwise.core.errors import BadData, BadPlan, UserError
from pixelwise.core.files import read_json, write_json
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.records import Record
from pixelwise.evaluation import summarise
from pixelwise.runs.folder import RunFolder, open_run

AVERAGING_FORMAT = 1
LEAST_GAIN = 0.002
"""Of the mean validation Dice: what takes 4 or 8 times as long must gain at least this."""

MOST_CASES = 32
VIEWS = ("none", "mirror", "rotations")


class AveragingChoice(Record):
    """dice: mean validation Dice with each set of views that the data allows, few views first.

    Void for other weights than those of weights_sha256.
    """

    format_version: int = AVERAGING_FORMAT
    chosen: str
    dice: Mapping[str, float | None]
    n_cases: int
    weights_sha256: str

    @property
    def sentence(self) -> str:
        """What was found, for people."""
        if len(self.dice) < 2:
            return "Averaging over views: none, the images have a direction or nothing to judge by"
        shown = ", ".join(f"{name} {value or 0:.4f}" for name, value in self.dice.items())
        return (
            f"Averaging over views: {self.chosen} (validation Dice {shown} over {self.n_cases} "
            f"cases; a gain of {LEAST_GAIN} is asked for)"
        )


def choose_averaging(
    model: OpenedModel, tiling: Tiling, *, listener: Listener = SILENT
) -> AveragingChoice:
    """The views that pay, from RUN/averaging.json if it was found for these weights before.

    Up to 32 validation cases are labelled with each set of views that the data allows, and
    views are taken only if they gain 0.002 of the mean Dice. Without validation cases, and for
    data with a direction, there is nothing to average over. Raises BadPlan for a bundle, which
    has no validation cases.
    """
    if model.network is None:
        raise BadPlan(
            "--average auto cannot be found out for a bundle",
            "a run with its validation cases",
            "Choose none, mirror or rotations, or give the run.",
            path=model.path,
            code="bundle-average",
        )
    run = open_run(model.path)
    stored = _read(run)
    if stored is not None and stored.weights_sha256 == model.weights_sha256:
        return stored
    try:
        cases = split_cases(run, model.plan, "val")
    except BadData as error:
        listener.say(f"No views can be scored: {error}")
        cases = []
    n = min(len(cases), MOST_CASES)
    dice = _score(model, tiling, [cases[i * len(cases) // n] for i in range(n)], listener)
    choice = AveragingChoice(
        chosen=_that_pays(dice), dice=dice, n_cases=n, weights_sha256=model.weights_sha256
    )
    write_json(_path(run), choice.model_dump(mode="json"))
    return choice


def _score(
    model: OpenedModel, tiling: Tiling, cases: list[Case], listener: Listener
) -> dict[str, float | None]:
    """Mean foreground Dice with each set of views that is allowed."""
    if not cases:
        return {"none": None}
    plan, opened, found = model.plan, model.opened, {}
    names = [entry.name for entry in plan.data.classes]
    for views in VIEWS:
        try:
            wanted = Tiling(tiling.tile, tiling.exact, tiling.blend, views, tiling.skip_empty)
            section = apply_tiling(wanted, plan, model.network)
        except BadPlan:
            continue
        predictor = make_predictor(opened.engine, opened.field, plan, section)
        scores = []
        for number, case in enumerate(cases):
            listener.advance(number, len(cases), f"validating averages: {views}")
            scores.append(score_in_memory(predictor, plan, case))
        found[views] = summarise(scores, names, n_draws=1).overall["mean_dice"]
    return found


def _that_pays(dice: Mapping[str, float | None]) -> str:
    """From few views to many: more are taken where they gain `LEAST_GAIN` over the last taken."""
    chosen, reached = "none", dice.get("none") or 0.0
    for name, value in dice.items():
        if value is not None and value - reached >= LEAST_GAIN:
            chosen, reached = name, value
    return chosen


def _read(run: RunFolder) -> AveragingChoice | None:
    if not _path(run).is_file():
        return None
    try:
        return AveragingChoice.model_validate(read_json(_path(run)))
    except (UserError, ValidationError):
        return None


def _path(run: RunFolder) -> Path:
    return run.path / "averaging.json"
