"""Write a run's page anew from what lies in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixelwise.core.case import IGNORE, Case, LabelMeaning
from pixelwise.core.errors import Problem, UserError
from pixelwise.core.plan import Plan, label_meaning
from pixelwise.core.records import CaseScores, Summary
from pixelwise.data.case_store import read_training_labels
from pixelwise.data.labels import read_labels
from pixelwise.readers import image_stem, open_image
from pixelwise.report.case_scores import case_score
from pixelwise.report.content import GalleryItem, ReportContent
from pixelwise.report.page import write_report
from pixelwise.report.pictures import viewable_rgb
from pixelwise.runs.folder import RunFolder, open_run

LARGEST_EDGE = 2048
"""Larger pictures are handed to the page with fewer rows and columns, to bound memory."""

_SHOWN = 9


def write_page(
    run: str | Path,
    *,
    thumbnails: bool = True,
    problems: Sequence[Problem] = (),
    notes: Sequence[str] = (),
) -> Path:
    """Write RUN/report.html from the run's plan, facts, history and scores; returns its path.

    thumbnails=False leaves every picture of the data out, and so does a run that was
    trained that way. Raises BadRun.
    """
    folder = open_run(Path(run))
    thumbnails = thumbnails and bool(folder.read_status().get("thumbnails", True))
    plan = folder.read_plan()
    scores = folder.read_scores()
    split = next((name for name in ("test", "val", "train") if name in scores), "")
    gallery = _make_gallery(folder, plan, scores[split], split) if split and thumbnails else []
    status = folder.read_status()
    name = folder.data_name()
    content = ReportContent(
        title=f"{name}: {folder.path.name}",
        plan=plan,
        facts=folder.read_facts(),
        problems=tuple(problems) or tuple(Problem(**p) for p in status.get("problems", ())),
        history=folder.read_history(),
        summaries=scores,
        gallery=gallery,
        environment=folder.read_environment(),
        notes=tuple(notes) or tuple(status.get("notes", ())),
        gallery_split=split,
        run_name=str(folder.path),
        data_name=name,
    )
    write_report(folder.report, content, with_thumbnails=thumbnails)
    return folder.report


def _make_gallery(folder: RunFolder, plan: Plan, summary: Summary, split: str) -> list[GalleryItem]:
    known = {case.id: case for case in folder.read_cases()}
    classes = [k for k in range(len(summary.class_names)) if k != summary.background]
    scores = [(case, case_score(case, "dice", classes)) for case in summary.cases]
    valued = [(case, score) for case, score in scores if score is not None]
    ranked: list[tuple[CaseScores, float | None]] = [*sorted(valued, key=lambda pair: pair[1])]
    ranked = ranked or scores[:_SHOWN]
    items = []
    for position, caption in pick_cases(len(ranked)):
        scored, score = ranked[position]
        case = known.get(scored.id)
        if case is None:
            continue
        try:
            items.append(_make_item(folder, plan, case, score, split, caption))
        except UserError:
            continue
    return items


def pick_cases(n_cases: int) -> list[tuple[int, str]]:
    """Positions in a ranking from worst to best, with captions: three worst, middle, three best."""
    if n_cases <= _SHOWN:
        ends = {0: "worst", n_cases - 1: "best"} if n_cases > 1 else {0: "the only case"}
        return [(i, ends.get(i, f"{i + 1} of {n_cases}")) for i in range(n_cases)]
    middle = n_cases // 2
    places = [0, 1, 2, middle - 1, middle, middle + 1, n_cases - 3, n_cases - 2, n_cases - 1]
    names = ["worst", "2nd worst", "3rd worst", "middle", "median", "middle",
             "3rd best", "2nd best", "best"]  # fmt: skip
    return list(zip(places, names, strict=True))


def _make_item(
    folder: RunFolder,
    plan: Plan,
    case: Case,
    score: float | None,
    split: str,
    caption: str,
) -> GalleryItem:
    with open_image(case.image) as source:
        picture = viewable_rgb(source.read())
    truth = read_training_labels(case, label_meaning(plan.data.labels))
    ids = LabelMeaning("values", {str(c.id): c.id for c in plan.data.classes}, "class ids")
    found = next(folder.predictions(split).glob(f"{_escaped(image_stem(case.image))}.*"))
    predicted = read_labels(found, ids)
    pieces = ""
    if truth.ndim == 3:
        wrong = ((truth != predicted) & (truth != IGNORE)).sum(axis=(1, 2))
        z = int(np.argmax(wrong))
        pieces = f"slice {z + 1} of {len(truth)}, the one with most errors"
        picture, truth, predicted = picture[z], truth[z], predicted[z]
    step = max(1, -(-max(truth.shape) // LARGEST_EDGE))
    return GalleryItem(
        case_id=case.id,
        caption=caption,
        score=score,
        image=np.ascontiguousarray(picture[::step, ::step]),
        truth=truth[::step, ::step],
        predicted=predicted[::step, ::step],
        pieces=pieces,
    )


def _escaped(stem: str) -> str:
    return "".join(f"[{ch}]" if ch in "[]*?" else ch for ch in stem)
