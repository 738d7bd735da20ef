"""Write a run's page anew from what lies in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixelwise.commands.case_item import CaseArrays, blank_item, draw_item, showing_of
from pixelwise.commands.region_output import written_meaning
from pixelwise.core.case import Case
from pixelwise.core.errors import BadRun, Problem, UserError
from pixelwise.core.plan import Plan, label_meaning
from pixelwise.core.records import CaseScores, Summary
from pixelwise.data.case_store import read_training_labels
from pixelwise.data.channel_files import label_stem
from pixelwise.data.labels import read_labels
from pixelwise.readers.stacked import open_images
from pixelwise.report.case_scores import case_score
from pixelwise.report.content import GalleryItem, ReportContent
from pixelwise.report.page import write_report
from pixelwise.runs.engine_choice import read_engine_choice
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
        engines=read_engine_choice(folder),
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
    with open_images(case.images, plan.intensity.channels) as source:
        image, header = source.read(), source.header
    truth = read_training_labels(case, label_meaning(plan.data.labels))
    predicted = read_labels(
        _find_labels(folder, plan, split, label_stem(case)), written_meaning(plan)
    )
    showing = showing_of(
        plan.data.classes,
        header,
        overlaps=plan.data.labels.holds_regions,
        spacing=plan.data.spacing,
        unit=plan.data.unit,
    )
    item = blank_item(case.id, caption, score)
    return draw_item(CaseArrays(image, truth, predicted), showing, item, most=LARGEST_EDGE)


def _find_labels(folder: RunFolder, plan: Plan, split: str, stem: str) -> Path:
    """The labels that were written for a case, of regions the first one's mask."""
    place = folder.predictions(split)
    regions = written_meaning(plan).folders
    place = place / regions[0] if regions else place
    found = next(place.glob(f"{_escaped(stem)}.*"), None)
    if found is None:
        raise BadRun(
            "its labels have gone", "the file that was scored", "Score the run again.",
            path=place / stem, code="gone",
        )  # fmt: skip
    return found


def _escaped(stem: str) -> str:
    return "".join(f"[{ch}]" if ch in "[]*?" else ch for ch in stem)
