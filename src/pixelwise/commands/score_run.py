"""Score a run on one of its splits, through the label files that it writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pixelwise.commands.predict import predict
from pixelwise.commands.score_folders import EvaluationResult, score_files
from pixelwise.core.case import Case, ClassInfo, LabelMeaning
from pixelwise.core.errors import BadData, Problem, raise_errors
from pixelwise.core.image import whole_region
from pixelwise.core.plan import Plan, label_meaning
from pixelwise.core.progress import SILENT, Listener
from pixelwise.data.case_store import held_out_region
from pixelwise.data.labels import read_fov
from pixelwise.data.scoring_pairs import ScoringPair
from pixelwise.evaluation import DEFAULT_METRICS
from pixelwise.readers import create_labels, open_image
from pixelwise.runs.folder import RunFolder, open_run


def score_run(
    run: str | Path,
    *,
    split: str = "test",
    metrics: Sequence[str] = DEFAULT_METRICS,
    use: str | Path | None = None,
    deadline: float | None = None,
    listener: Listener = SILENT,
) -> EvaluationResult:
    """Label the cases of a split with a run, score the files, store both in the run folder.

    deadline: on `time.monotonic`; cases that it leaves no time for are not scored, and
    those that are scored are spread over the split.
    Raises BadRun, BadData if the split has no labelled case or a file has gone.
    """
    folder = open_run(Path(run))
    plan = folder.read_plan()
    cases = split_cases(folder, plan, split)
    if deadline is not None:
        cases = _spread(cases)
    result = predict(
        run,
        [case.image for case in cases],
        out=folder.predictions(split),
        overwrite=True,
        use=use,
        deadline=deadline,
        listener=listener,
    )
    raise_errors(result.problems)
    classes = tuple(ClassInfo(c.id, c.name, c.colour) for c in plan.data.classes)
    labels = {p.image: p.labels for p in result.predictions}
    cases = [case for case in cases if case.image in labels]
    ids = LabelMeaning("values", {str(c.id): c.id for c in classes}, "class ids as predicted")
    pairs = tuple(
        ScoringPair(
            id=case.id,
            truth=case.label,
            predicted=labels[case.image],
            truth_meaning=label_meaning(plan.data.labels),
            predicted_meaning=ids,
            fov=_scored_area(folder, case, plan),
            group=case.group,
        )
        for case in cases
        if case.label is not None
    )
    summary = score_files(
        pairs,
        [c.name for c in classes],
        metrics=metrics,
        spacing=plan.data.spacing,
        listener=listener,
    )
    confidences = {case.id: p.confidence for case, p in zip(cases, result.predictions, strict=True)}
    scored = tuple(
        case.model_copy(update={"confidence": confidences[case.id]}) for case in summary.cases
    )
    summary = summary.model_copy(update={"cases": scored})
    folder.save_scores(split, summary)
    return EvaluationResult(summary, classes, pairs)


def split_cases(folder: RunFolder, plan: Plan, split: str) -> list[Case]:
    """The labelled cases of a split. Raises BadData if there are none or files have gone."""
    splits: Mapping[str, tuple[str, ...]] = plan.data.splits
    wanted = splits.get(split, ())
    known = {case.id: case for case in folder.read_cases()}
    cases = [known[i] for i in wanted if i in known and known[i].label is not None]
    if not cases:
        counts = ", ".join(f"{name} {len(ids)}" for name, ids in splits.items())
        raise BadData(
            f"the run has no labelled cases in its split {split!r}",
            f"a split with cases (it has {counts})",
            "Choose another --split.",
            path=folder.path,
            code="empty-split",
        )
    files = [path for case in cases for path in (case.image, case.label) if path is not None]
    gone = [path for path in files if not path.exists()]
    raise_errors(
        [
            Problem(
                "it has gone since the training",
                "the file that the run was made with",
                "Put the data back where it was, or score folders with --truth and --predicted.",
                str(path),
                code="gone",
            )
            for path in gone
        ],
        BadData,
    )
    return cases


def _spread(cases: list[Case]) -> list[Case]:
    """The same cases, so ordered that every beginning of the list is spread over the whole."""
    order: list[int] = []
    step = 1
    while step < len(cases):
        step *= 2
    while step >= 1:
        order += [i for i in range(0, len(cases), step) if i not in order]
        step //= 2
    return [cases[i] for i in order]


def _scored_area(folder: RunFolder, case: Case, plan: Plan) -> Path | None:
    """The mask of pixels that are scored: the field of view, or the held-out part of an image."""
    if plan.data.hold_out == 0:
        return case.fov
    with open_image(case.image) as source:
        header = source.header
    mask = np.zeros(header.shape, dtype=np.uint8)
    mask[held_out_region(header.shape, plan.data.hold_out)] = 1
    if case.fov is not None:
        mask &= read_fov(case.fov)
    path = folder.path / "held-out" / f"{case.id}.png"
    with create_labels(path, replace(header, palette=None)) as sink:
        sink.write(whole_region(header.shape), mask)
    return path
