"""Write a run's page anew from what lies in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixelwise.core.case import IGNORE, Case, LabelMeaning
from pixelwise.core.errors import Problem, UserError
from pixelwise.core.plan import Plan, label_meaning
from pixelwise.core.records import CaseScores, Summary
from pixelwise.data.labels import read_labels
from pixelwise.data.patches import read_training_labels
from pixelwise.readers import open_image
from pixelwise.report.content import GalleryItem, ReportContent
from pixelwise.report.page import write_report
from pixelwise.report.pictures import viewable_rgb
from pixelwise.runs.folder import RunFolder, open_run

GALLERY_EDGE = 640
"""Pictures in the gallery are thinned out to at most this many pixels along an edge."""

_SHOWN = 9


def write_page(
    run: str | Path,
    *,
    thumbnails: bool = True,
    problems: Sequence[Problem] = (),
    notes: Sequence[str] = (),
) -> Path:
    """Write RUN/report.html from the run's plan, facts, history and scores; returns its path.

    thumbnails=False leaves every picture of the data out. Raises BadRun.
    """
    folder = open_run(Path(run))
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


def _make_gallery(
    folder: RunFolder, plan: Plan, summary: Summary, split: str
) -> list[GalleryItem]:
    known = {case.id: case for case in folder.read_cases()}
    ranked = sorted(summary.cases, key=lambda case: _score(case, summary))
    chosen = _pick(len(ranked))
    items = []
    for position, caption in chosen:
        scored = ranked[position]
        case = known.get(scored.id)
        if case is None:
            continue
        try:
            items.append(_make_item(folder, plan, case, scored, summary, split, caption))
        except UserError:
            continue
    return items


def _pick(n_cases: int) -> list[tuple[int, str]]:
    """Positions in the ranking to show: the three worst, three in the middle, three best."""
    if n_cases <= _SHOWN:
        return [(i, f"rank {n_cases - i} of {n_cases}") for i in range(n_cases)]
    middle = n_cases // 2
    return (
        [(i, "worst" if i == 0 else f"{i + 1}. worst") for i in range(3)]
        + [(i, "median") for i in range(middle - 1, middle + 2)]
        + [(n_cases - 3 + i, "best" if i == 2 else f"{3 - i}. best") for i in range(3)]
    )


def _score(case: CaseScores, summary: Summary) -> float:
    values = [
        c.values.get("dice") for c in case.classes if c.class_id != summary.background
    ]
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else 1.0


def _make_item(
    folder: RunFolder,
    plan: Plan,
    case: Case,
    scored: CaseScores,
    summary: Summary,
    split: str,
    caption: str,
) -> GalleryItem:
    with open_image(case.image) as source:
        picture = viewable_rgb(source.read())
    truth = read_training_labels(case, label_meaning(plan.data.labels))
    ids = LabelMeaning("values", {str(c.id): c.id for c in plan.data.classes}, "class ids")
    found = next(folder.predictions(split).glob(f"{_escaped(case.image.stem)}.*"))
    predicted = read_labels(found, ids)
    if truth.ndim == 3:
        wrong = ((truth != predicted) & (truth != IGNORE)).sum(axis=(1, 2))
        z = int(np.argmax(wrong))
        picture, truth, predicted = picture[z], truth[z], predicted[z]
    step = max(1, -(-max(truth.shape) // GALLERY_EDGE))
    return GalleryItem(
        case_id=case.id,
        caption=caption,
        score=_score(scored, summary),
        image=np.ascontiguousarray(picture[::step, ::step]),
        truth=truth[::step, ::step],
        predicted=predicted[::step, ::step],
        pieces=f"every {step}th pixel" if step > 2 else "every 2nd pixel" if step == 2 else "",
    )


def _escaped(stem: str) -> str:
    return "".join(f"[{ch}]" if ch in "[]*?" else ch for ch in stem)


