"""evaluate: score a split of a run, or any two folders of labels, through one path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pixelwise.commands.score_folders import EvaluationResult, evaluate_folders, write_scores
from pixelwise.commands.score_run import score_run
from pixelwise.commands.show_scores import write_scores_page
from pixelwise.commands.write_page import write_page
from pixelwise.core.errors import BadPlan
from pixelwise.core.progress import SILENT, Listener
from pixelwise.evaluation import DEFAULT_METRICS


def evaluate(
    run: str | Path | None = None,
    *,
    truth: str | Path | None = None,
    predicted: str | Path | None = None,
    split: str = "test",
    fov: str | Path | None = None,
    label_map: Mapping[str, int] | None = None,
    only_paired: bool = False,
    metrics: Sequence[str] = DEFAULT_METRICS,
    out: str | Path | None = None,
    thumbnails: bool = True,
    use: str | Path | None = None,
    listener: Listener = SILENT,
) -> EvaluationResult:
    """Score a split of a run, or the folder `predicted` against the folder `truth`.

    Into `out` go scores.json and .csv, and for folders evaluation.html (thumbnails=False:
    without pictures). With a run its cases are labelled first, the labels and scores stay
    in the run folder, and its report is written anew. Raises UserError with all problems
    at once.
    """
    if run is not None and truth is None and predicted is None:
        result = score_run(run, split=split, metrics=metrics, use=use, listener=listener)
        write_page(run)
        if out is not None:
            write_scores(result.summary, Path(out))
        return result
    if run is None and truth is not None and predicted is not None:
        result = evaluate_folders(
            truth,
            predicted,
            split=split,
            fov=fov,
            label_map=label_map,
            metrics=metrics,
            only_paired=only_paired,
            out=out,
            listener=listener,
        )
        if out is None:
            return result
        page = write_scores_page(
            Path(out) / "evaluation.html", {Path(predicted).name: result}, thumbnails=thumbnails
        )
        return replace(result, written=(page, *result.written))
    raise BadPlan(
        "it is not clear what to score",
        "either a RUN, or both --truth FOLDER and --predicted FOLDER",
        "See `pixelwise evaluate --help`.",
        code="what-to-score",
    )
