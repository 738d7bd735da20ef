"""Score a run on one of its splits, through the label files that it writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pixelwise.commands.predict import predict
from pixelwise.commands.read_pair import PixelSize
from pixelwise.commands.region_output import written_meaning
from pixelwise.commands.run_cases import split_cases
from pixelwise.commands.score_files import score_files
from pixelwise.commands.score_pair import Judgement
from pixelwise.commands.scoring_options import (
    AUTO,
    DEFAULT_OPTIONS,
    EvaluationResult,
    ScoringOptions,
)
from pixelwise.core.case import Case, ClassInfo
from pixelwise.core.errors import BadPlan, Problem, raise_errors
from pixelwise.core.image import whole_region
from pixelwise.core.plan import Plan, label_meaning
from pixelwise.core.progress import SILENT, Listener
from pixelwise.data.case_store import held_out_region
from pixelwise.data.channel_files import ImageFiles, label_stem
from pixelwise.data.groups import make_groups
from pixelwise.data.labels import read_fov
from pixelwise.data.scoring_pairs import ScoringPair
from pixelwise.evaluation.metric_texts import explicit_metrics
from pixelwise.readers import create_labels, label_suffix
from pixelwise.readers.stacked import open_images
from pixelwise.runs.folder import RunFolder, open_run


def score_run(
    run: str | Path,
    *,
    split: str = "test",
    options: ScoringOptions = DEFAULT_OPTIONS,
    use: str | Path | None = None,
    calibration: bool = False,
    deadline: float | None = None,
    listener: Listener = SILENT,
) -> EvaluationResult:
    """Label the cases of a split with a run, score the files, store both in the run folder.

    options: how; what only folders can have is refused. calibration: probabilities are
    written and judged too. deadline: on `time.monotonic`; cases that it leaves no time for
    are not scored, and those that are scored are spread over the split.
    Raises BadRun, BadPlan, BadData if the split has no labelled case or a file has gone.
    """
    _check_options(options)
    folder = open_run(Path(run))
    plan = folder.read_plan()
    cases = split_cases(folder, plan, split)
    if deadline is not None:
        cases = _spread(cases)
    result = predict(
        run,
        [ImageFiles(label_stem(case), case.images) for case in cases],
        out=folder.predictions(split),
        overwrite=True,
        probabilities=calibration,
        ignore_contract=True,
        use=use,
        deadline=deadline,
        listener=listener,
    )
    raise_errors(result.problems)
    classes = tuple(ClassInfo(c.id, c.name, c.colour) for c in plan.data.classes)
    labels = {p.image: p.labels for p in result.predictions}
    cases = [case for case in cases if case.image in labels]
    written = written_meaning(plan)
    groups = _groups(cases, options.group)
    maps = folder.predictions(split) / "probabilities"
    pairs = tuple(
        ScoringPair(
            id=case.id,
            truth=case.label,
            predicted=labels[case.image],
            truth_meaning=label_meaning(plan.data.labels),
            predicted_meaning=written,
            fov=_scored_area(folder, case, plan),
            group=groups[case.id],
            images=case.images,
            probabilities=maps / f"{label_stem(case)}.npy" if calibration else None,
            annotated=case.annotated,
        )
        for case in cases
        if case.label is not None
    )
    judgement = Judgement(
        class_names=[c.name for c in classes],
        metrics=_metrics(options),
        background=None if written.holds_regions else -1,
        pixel_size=options.pixel_size or PixelSize(plan.data.spacing, plan.data.unit),
        objects=options.objects,
        has_sizes=options.has_sizes,
        split=split,
    )
    summary = score_files(pairs, judgement, listener=listener)
    confidences = {case.id: p.confidence for case, p in zip(cases, result.predictions, strict=True)}
    scored = tuple(
        case.model_copy(update={"confidence": confidences[case.id]}) for case in summary.cases
    )
    summary = summary.model_copy(update={"cases": scored})
    folder.save_scores(split, summary)
    return EvaluationResult(
        summary,
        classes,
        pairs,
        metrics=tuple(judgement.metrics),
        pixel_size=judgement.pixel_size,
        split=split,
    )


def _check_options(options: ScoringOptions) -> None:
    """Raise BadPlan for what only two folders can be asked for."""
    asked = {
        "--annotator": options.annotators,
        "--consensus": options.consensus,
        "--boundary-tolerance auto": options.boundary_tolerance == AUTO,
        "--instances numbered": options.objects.startswith("numbered"),
        "--map": options.label_map,
        "--ignore": options.ignore is not None,
        "--fov": options.fov,
        "--only-paired": options.only_paired,
        "--probabilities": options.probabilities,
        "--threshold": options.threshold is not None,
    }
    raise_errors(
        [
            Problem(
                f"{name} was given for a run", "two folders for it",
                "Score the run's labels as a folder: --truth FOLDER --predicted "
                "RUN/predictions/SPLIT.", code="folders-only",
            )
            for name, is_asked in asked.items()
            if is_asked
        ],
        BadPlan,
    )  # fmt: skip


def _metrics(options: ScoringOptions) -> tuple[str, ...]:
    tolerance = options.boundary_tolerance
    if isinstance(tolerance, str):
        raise BadPlan(
            f"the boundary tolerance is {tolerance!r}", "a number in the unit of the spacing",
            "Write for example 2, without a unit.", code="bad-tolerance",
        )  # fmt: skip
    return explicit_metrics(options.metrics, convention=options.convention, tolerance=tolerance)


def _groups(cases: Sequence[Case], group: str | None) -> dict[str, str]:
    """Case id -> group: as when the run was trained, or by a pattern that is given now."""
    if group is None:
        counts = Counter(case.group for case in cases)
        has_groups = max(counts.values()) > 1
        return {case.id: case.group if has_groups else "" for case in cases}
    root = cases[0].image.parent.parent
    groups, _, problems = make_groups(root, [case.id for case in cases], group)
    raise_errors(problems)
    return groups


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
    with open_images(case.images) as source:
        header = source.header
    mask = np.zeros(header.shape, dtype=np.uint8)
    mask[held_out_region(header.shape, plan.data.hold_out)] = 1
    if case.fov is not None:
        mask &= read_fov(case.fov)
    path = folder.path / "held-out" / f"{case.id}{label_suffix(header)}"
    with create_labels(path, replace(header, palette=None)) as sink:
        sink.write(whole_region(header.shape), mask)
    return path
