"""Write the page of a scoring or a comparison, with pictures of its cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixelwise.commands.score_folders import EvaluationResult
from pixelwise.core.case import IGNORE, ClassInfo
from pixelwise.core.comparisons import Comparison
from pixelwise.core.errors import UserError
from pixelwise.data.scoring_pairs import ScoringPair, list_label_files
from pixelwise.data.stored_classes import class_ids, flat_values
from pixelwise.evaluation.advice import advise
from pixelwise.evaluation.task_facts import TaskMeter
from pixelwise.readers import open_image, open_labels
from pixelwise.report.content import GalleryItem
from pixelwise.report.evaluation_page import EvaluationContent, write_evaluation
from pixelwise.report.pictures import viewable_rgb

MAX_PICTURED = 24
"""So many cases get pictures: the worst, evenly more up to the best."""

EDGE = 700
PALETTE = ("#000000", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
GREY = 128


def write_scores_page(
    path: Path,
    scored: Mapping[str, EvaluationResult],
    *,
    comparison: Comparison | None = None,
    contradictions: Sequence[str] = (),
    thumbnails: bool = True,
) -> Path:
    """Write one self-contained page for one or several scorings of the same cases.

    Pictures lie over the images of a folder `images` beside the truth, if there is one,
    else over grey. thumbnails=False leaves every picture out. Raises BadOutput.
    """
    first = next(iter(scored.values()))
    classes = tuple(_coloured(entry) for entry in first.classes)
    shown = {name: _pictures(result) if thumbnails else () for name, result in scored.items()}
    content = EvaluationContent(
        title=" against ".join(scored) if comparison else f"Evaluation of {next(iter(scored))}",
        summaries={name: result.summary for name, result in scored.items()},
        classes=classes,
        version=metadata.version("pixelwise"),
        gallery={name: items for name, items in shown.items() if items},
        comparison=comparison,
        contradictions=tuple(contradictions),
        advice=advise_on(first),
        problems=first.notes,
        with_thumbnails=thumbnails,
    )
    write_evaluation(path, content)
    return path


def advise_on(result: EvaluationResult) -> tuple[str, ...]:
    """Which metrics to trust for these truths, as sentences with reason and source."""
    wanted = [k for k in range(len(result.classes)) if k != result.summary.background]
    meter = TaskMeter(wanted, has_spacing=result.summary.unit != "px")
    for pair in result.pairs:
        with open_labels(pair.truth) as source:
            meter.add(class_ids(source.read(), pair.truth_meaning, pair.truth))
    found: dict[str, list[str]] = {}
    for class_id, facts in meter.facts().items():
        for advice in advise(facts):
            text = f"{advice.text} Reason: {advice.reason} ({advice.rule}, {advice.source})."
            found.setdefault(text, []).append(result.classes[class_id].name)
    return tuple(
        text if len(names) == len(wanted) else f"{', '.join(names)}: {text}"
        for text, names in found.items()
    )


def _coloured(entry: ClassInfo) -> ClassInfo:
    colour = entry.colour or PALETTE[entry.id % len(PALETTE)]
    return ClassInfo(entry.id, entry.name, colour)


def _pictures(result: EvaluationResult) -> tuple[GalleryItem, ...]:
    pairs = {pair.id: pair for pair in result.pairs}
    background = result.summary.background
    scores: list[tuple[float, str]] = []
    for case in result.summary.cases:
        values = [c.values.get("dice") for c in case.classes if c.class_id != background]
        known = [value for value in values if value is not None]
        scores.append((sum(known) / len(known) if known else 1.0, case.id))
    scores.sort()
    n = min(MAX_PICTURED, len(scores))
    places = [round(i * (len(scores) - 1) / max(n - 1, 1)) for i in range(n)]
    items = []
    for rank in dict.fromkeys(places):
        score, case_id = scores[rank]
        caption = "worst" if rank == 0 else "best" if rank == len(scores) - 1 else ""
        place = f"{caption} of {len(scores)}" if caption else f"{rank + 1} of {len(scores)}"
        items.append(_picture(pairs[case_id], place, score))
    return tuple(items)


def _picture(pair: ScoringPair, caption: str, score: float) -> GalleryItem:
    with open_labels(pair.truth) as source:
        truth = class_ids(source.read(), pair.truth_meaning, pair.truth)
    with open_labels(pair.predicted) as source:
        predicted = class_ids(source.read(), pair.predicted_meaning, pair.predicted)
    if pair.fov is not None:
        with open_labels(pair.fov) as source:
            truth = np.where(flat_values(source.read(), pair.fov) != 0, truth, np.uint8(IGNORE))
    image = _image_of(pair, truth.shape)
    pieces = ""
    if truth.ndim == 3:
        z = int(np.argmax(((truth > 0) & (truth != IGNORE)).sum(axis=(1, 2))))
        pieces = f"slice {z + 1} of {len(truth)}"
        image, truth, predicted = image[z], truth[z], predicted[z]
    step = max(1, -(-max(truth.shape) // EDGE))
    return GalleryItem(
        case_id=pair.id,
        caption=caption,
        score=score,
        image=np.ascontiguousarray(image[::step, ::step]),
        truth=truth[::step, ::step],
        predicted=predicted[::step, ::step],
        pieces=pieces,
    )


def _image_of(pair: ScoringPair, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """The image behind a label file, grey if there is none that fits."""
    grey = np.full((*shape, 3), GREY, dtype=np.uint8)
    folder = pair.truth.parent.parent / "images"
    if not folder.is_dir():
        return grey
    try:
        path = list_label_files(folder).get(pair.id)
        if path is None:
            return grey
        with open_image(path) as source:
            picture = viewable_rgb(source.read())
    except UserError:
        return grey
    return picture if picture.shape == grey.shape else grey
