"""Labels that a trained run disbelieves: every case is labelled once more and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.region_bits import mask_of_region
from pixelwise.commands.load_predictor import make_predictor
from pixelwise.commands.open_model import open_model
from pixelwise.core.background import find_background
from pixelwise.core.case import IGNORE, Case, DataSet
from pixelwise.core.errors import BadRun, Problem, UserError
from pixelwise.core.plan import Plan, label_meaning
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.user_parts import load_user_parts
from pixelwise.data.case_store import read_training_labels
from pixelwise.data.channels import match_channels
from pixelwise.data.intensity import scale_for
from pixelwise.data.shading import evened
from pixelwise.data.symptoms import files_of
from pixelwise.evaluation.label_doubts import DoubtfulPlace, find_doubts, rank_doubts
from pixelwise.inference.labeller import Answers
from pixelwise.readers.stacked import open_images

MOST_DOUBTS = 200
LIKELY = 0.5
"""From this score on a label is called likely wrong."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A place of a case whose label the run disbelieves; score 0 to 1, see `DoubtfulPlace`."""

    case: str
    split: str
    files: tuple[str, ...]
    labelled: str
    believed: str
    score: float
    n_pixels: int
    corner: tuple[int, ...]
    size: tuple[int, ...]


def rank_labels(
    dataset: DataSet,
    run: Path,
    *,
    use: str | Path | None = None,
    most: int = MOST_DOUBTS,
    listener: Listener = SILENT,
) -> tuple[tuple[Doubt, ...], list[Problem]]:
    """The labels of a set that a run (or bundle) disbelieves, the most doubtful first.

    All splits are looked at; what the run was trained on it may have learned with its faults,
    so doubts there are fewer and weightier. Raises BadRun if it knows other classes.
    """
    if use is not None:
        load_user_parts(Path(use))
    model = open_model(run, listener=listener)
    _check_classes(model.plan, dataset, run)
    predictor = make_predictor(model.opened.engine, model.opened.field, model.plan)
    cases = [case for case in dataset.cases if case.label is not None and case.split is not None]
    listener.say(f"Labelling {len(cases)} cases with {run} to compare …")
    found, kept = [], []
    for number, case in enumerate(cases, start=1):
        try:
            found.append(_doubts_of(predictor, model.plan, case))
            kept.append(case)
        except UserError:
            continue  # the facts say what is wrong with it
        finally:
            listener.advance(number, len(cases), f"compared {case.id}")
    names = [entry.name for entry in model.plan.data.classes]
    is_sets = model.plan.data.labels.holds_regions
    doubts = tuple(
        _doubt(kept[index], place, names, is_sets) for index, place in rank_doubts(found)[:most]
    )
    return doubts, _problems(doubts)


def _doubts_of(predictor: Answers, plan: Plan, case: Case) -> list[DoubtfulPlace]:
    truth = read_training_labels(case, label_meaning(plan.data.labels))
    probabilities = np.zeros((len(plan.data.classes), *truth.shape), np.float32)
    opened = open_images(case.images, plan.intensity.channels)
    with evened(opened, plan.intensity.shading) as source:
        convert = partial(match_channels, n_channels=plan.data.n_channels)
        scale = scale_for(plan.intensity, source, convert)
        for answer in predictor.predict(source, lambda image: scale.apply(convert(image))):
            probabilities[(slice(None), *answer.region)] = answer.probabilities
    if not plan.data.labels.holds_regions:
        names = [entry.name for entry in plan.data.classes]
        background = find_background(names)
        return find_doubts(
            truth, probabilities, background=-1 if background is None else background
        )
    return _doubts_of_regions(truth, probabilities)


def _doubts_of_regions(
    truth: npt.NDArray[np.uint8], probabilities: npt.NDArray[np.float32]
) -> list[DoubtfulPlace]:
    """Each region against its outside; labels are 2 r (outside of region r) and 2 r + 1."""
    found = []
    for region, inside in enumerate(probabilities):
        own = np.where(truth == IGNORE, IGNORE, mask_of_region(truth, region)).astype(np.uint8)
        for place in find_doubts(own, np.stack([1 - inside, inside])):
            found.append(
                replace(
                    place,
                    labelled=2 * region + place.labelled,
                    believed=2 * region + place.believed,
                )
            )
    return found


def _doubt(case: Case, place: DoubtfulPlace, names: Sequence[str], is_sets: bool) -> Doubt:
    def name(label: int) -> str:
        return f"{'' if label % 2 else 'not '}{names[label // 2]}" if is_sets else names[label]

    return Doubt(
        case.id,
        str(case.split),
        files_of(case),
        name(place.labelled),
        name(place.believed),
        place.score,
        place.n_pixels,
        place.corner,
        place.size,
    )


def _problems(doubts: Sequence[Doubt]) -> list[Problem]:
    likely = [
        doubt for doubt in doubts if doubt.score >= LIKELY and doubt.labelled != doubt.believed
    ]
    if not likely:
        return []
    said = "; ".join(doubt_text(doubt) for doubt in likely[:5])
    n_cases = len({doubt.case for doubt in likely})
    many = "200 or more" if len(likely) >= MOST_DOUBTS else str(len(likely))
    return [
        Problem(
            f"{many} labels in {n_cases} cases are likely wrong, as the run sees it: {said}",
            "labels that a network trained on them believes",
            "Look at them in this order (page and --json list all); where the label is right, the "
            "network needs more examples of the kind.",
            likely[0].files[-1],
            "warning",
            "doubtful-labels",
        )
    ]


def doubt_text(doubt: Doubt) -> str:
    """Where, what it is labelled, and what the run takes it for."""
    corner = ", ".join(map(str, reversed(doubt.corner)))
    return (
        f"{doubt.case} at ({corner}): labelled {doubt.labelled}, looks like {doubt.believed} "
        f"({doubt.score:.2f})"
    )


def _check_classes(plan: Plan, dataset: DataSet, run: Path) -> None:
    known = [entry.name for entry in plan.data.classes]
    present = [entry.name for entry in dataset.classes]
    if known != present:
        raise BadRun(
            f"it knows the classes {', '.join(known)}; the data has {', '.join(present)}",
            "a run that was trained on these classes",
            "Give a run of this data set, or check without --run.",
            path=run,
            code="foreign-run",
        )
