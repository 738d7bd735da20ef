"""choose-engine: which engine labels fastest here without being wrong, measured and kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixelwise.commands.load_predictor import make_predictor
from pixelwise.commands.run_cases import split_cases
from pixelwise.commands.run_engines import ENGINES, REFERENCE, OpenedEngine, RunEngines
from pixelwise.commands.score_in_memory import label_in_memory, score_labels
from pixelwise.core.case import Case
from pixelwise.core.errors import BadData, PixelwiseError
from pixelwise.core.plan import Plan, network_input
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.records import Summary
from pixelwise.core.runtime import usable_cores, use_threads
from pixelwise.core.user_parts import load_user_parts
from pixelwise.evaluation import summarise
from pixelwise.runs.engine_choice import (
    EngineChoice,
    EngineFigures,
    save_engine_choice,
    this_machine,
)
from pixelwise.runs.folder import open_run
from pixelwise.runs.trained_network import load_network

LARGEST_FALL = 0.002
"""Of the mean validation Dice, at most this much may be lost by an engine."""

LARGEST_CLASS_FALL = 0.005
"""Of the Dice of any single class."""

MOST_CASES = 64
_MOST_ROUNDS = 8
_TIMING_SECONDS = 20.0


def choose_engine(
    run: str | Path,
    *,
    all_engines: bool = False,
    use: str | Path | None = None,
    listener: Listener = SILENT,
) -> EngineChoice:
    """Time every engine that is installed on a tile, score the fast ones, keep the verdict.

    Engines are scored on validation cases (64 at most, spread), the fastest first, until one
    is right: its mean Dice may be 0.002 below that of float32 in PyTorch, and no class more
    than 0.005. all_engines: score all of them. Without validation cases only engines in
    float32 are considered. The verdict is kept in RUN/engine.json.
    """
    if use is not None:
        load_user_parts(Path(use))
    use_threads(usable_cores())
    folder = open_run(Path(run))
    plan = folder.read_plan()
    engines = RunEngines(folder, plan, load_network(folder, plan))
    opened, notes = _open_all(engines, listener)
    tile = _tile(plan, opened)
    milliseconds = _time(opened, tile, listener)
    try:
        cases = _spread(split_cases(folder, plan, "val"))
    except BadData as error:
        listener.say(f"No engine can be scored: {error}")
        cases = []
    scorer = _Scorer(plan, cases, listener)
    figures = [
        EngineFigures(name=name, note=note) for name, note in notes.items() if name not in opened
    ]
    chosen = ""
    for name in sorted(opened, key=lambda name: milliseconds[name]):
        is_wanted = all_engines or not chosen or name == REFERENCE
        found = scorer.judge(name, opened, is_wanted=is_wanted)
        figures.append(found.model_copy(update={"milliseconds": milliseconds[name]}))
        if found.is_accepted and not chosen:
            chosen = name
    choice = EngineChoice(
        chosen=chosen,
        tile=tile.shape,
        n_calibration=engines.n_calibration,
        n_cases=len(cases),
        class_names=tuple(entry.name for entry in plan.data.classes),
        engines=tuple(sorted(figures, key=lambda figure: ENGINES.index(figure.name))),
        machine=this_machine(str(folder.read_status().get("weights_sha256"))),
    )
    save_engine_choice(folder, choice)
    return choice


def _open_all(
    engines: RunEngines, listener: Listener
) -> tuple[dict[str, OpenedEngine], dict[str, str]]:
    """Every engine that can run here; for the others, why not."""
    opened: dict[str, OpenedEngine] = {}
    notes: dict[str, str] = {}
    for number, name in enumerate(ENGINES):
        listener.advance(number, len(ENGINES), f"preparing {name}")
        try:
            opened[name] = engines.open(name)
        except PixelwiseError as error:
            if name == REFERENCE:
                raise
            notes[name] = str(error)
    return opened, notes


def _tile(plan: Plan, opened: dict[str, OpenedEngine]) -> npt.NDArray[np.float32]:
    """Noise of the size of one tile, as large as every engine takes."""
    n_dims, n_channels = network_input(plan)
    section = plan.inference
    shape = [core + 2 * halo for core, halo in zip(section.tile, section.halo, strict=True)]
    if plan.geometry.slice_axis is not None:
        shape = shape[-n_dims:]
    for found in opened.values():
        step = int(np.lcm(found.field.alignment, found.field.multiple))
        margin = found.field.margin
        shape = [max(size + 2 * margin * (size <= margin), found.field.smallest) for size in shape]
        shape = [size + (found.field.remainder - size) % step for size in shape]
    return np.random.default_rng(0).standard_normal((1, n_channels, *shape), np.float32)


def _time(
    opened: dict[str, OpenedEngine], tile: npt.NDArray[np.float32], listener: Listener
) -> dict[str, float]:
    """Milliseconds of a tile: engines take turns, so that a disturbance meets all of them."""
    best = dict.fromkeys(opened, float("inf"))
    for found in opened.values():
        found.engine.logits(tile)
    started = time.monotonic()
    for number in range(_MOST_ROUNDS):
        listener.advance(number, _MOST_ROUNDS, "timing engines in turn")
        for name, found in opened.items():
            begun = time.perf_counter()
            found.engine.logits(tile)
            best[name] = min(best[name], 1000 * (time.perf_counter() - begun))
        if number and time.monotonic() - started > _TIMING_SECONDS:
            break
    return best


def _spread(cases: Sequence[Case]) -> list[Case]:
    n = min(len(cases), MOST_CASES)
    return [cases[i * len(cases) // n] for i in range(n)]


@dataclass(slots=True)
class _Reference:
    """What float32 in PyTorch gave: labels of each case, and their summary."""

    labels: list[npt.NDArray[np.uint8]]
    summary: Summary


class _Scorer:
    """Labels validation cases with an engine and compares its Dice with the reference's."""

    def __init__(self, plan: Plan, cases: Sequence[Case], listener: Listener) -> None:
        self._plan = plan
        self._cases = cases
        self._listener = listener
        self._kept: _Reference | None = None

    def judge(
        self, name: str, opened: dict[str, OpenedEngine], *, is_wanted: bool
    ) -> EngineFigures:
        """Figures of an engine, accepted or not and why. The reference itself is always right."""
        is_plain = name.endswith("-float32")
        if not self._cases:
            note = "" if is_plain else "not considered: there are no validation cases"
            return EngineFigures(name=name, is_accepted=is_plain, note=note)
        if not is_wanted:
            return EngineFigures(name=name, note="not scored: a faster one is right")
        if self._kept is None:
            labels = self._label(REFERENCE, opened[REFERENCE])
            self._kept = _Reference(labels, self._summarise(labels))
        if name == REFERENCE:
            dice = class_dice(self._kept.summary)
            mean = self._kept.summary.overall["mean_dice"]
            return EngineFigures(
                name=name, dice=mean, class_dice=dice, fall=0.0, worst_fall=0.0,
                agreement=1.0, is_accepted=True,
            )  # fmt: skip
        labels = self._label(name, opened[name])
        equal = sum(int((a == b).sum()) for a, b in zip(labels, self._kept.labels, strict=True))
        total = sum(found.size for found in labels)
        return compare_dice(name, self._kept.summary, self._summarise(labels), equal / total)

    def _label(self, name: str, opened: OpenedEngine) -> list[npt.NDArray[np.uint8]]:
        predictor = make_predictor(opened.engine, opened.field, self._plan)
        labels = []
        for number, case in enumerate(self._cases):
            self._listener.advance(number, len(self._cases), f"validating {name}")
            labels.append(label_in_memory(predictor, self._plan, case))
        return labels

    def _summarise(self, labels: Sequence[npt.NDArray[np.uint8]]) -> Summary:
        scores = [score_labels(a, self._plan, case) for a, case in zip(labels, self._cases)]
        return summarise(scores, [entry.name for entry in self._plan.data.classes], n_draws=1)


def class_dice(summary: Summary) -> tuple[float | None, ...]:
    """Mean Dice over cases of each class; None where a class never occurs."""
    found = {row.class_id: row.mean for row in summary.metrics if row.metric == "dice"}
    return tuple(found.get(k) for k in range(len(summary.class_names)))


def compare_dice(name: str, reference: Summary, found: Summary, agreement: float) -> EngineFigures:
    """Whether an engine's scores fall no more than allowed below the reference's."""
    before, after = reference.overall["mean_dice"] or 0.0, found.overall["mean_dice"] or 0.0
    falls = {
        class_name: a - (b or 0.0)
        for class_name, a, b in zip(
            reference.class_names, class_dice(reference), class_dice(found), strict=True
        )
        if a is not None
    }
    worst = max(falls, key=lambda key: falls[key], default="")
    reasons = []
    if before - after > LARGEST_FALL:
        reasons.append(f"mean Dice falls by {before - after:.4f}, more than {LARGEST_FALL}")
    if falls and falls[worst] > LARGEST_CLASS_FALL:
        reasons.append(
            f"Dice of {worst} falls by {falls[worst]:.4f}, more than {LARGEST_CLASS_FALL}"
        )
    return EngineFigures(
        name=name,
        dice=after,
        class_dice=class_dice(found),
        fall=before - after,
        worst_fall=falls.get(worst),
        worst_class=worst,
        agreement=agreement,
        is_accepted=not reasons,
        note="; ".join(reasons),
    )
