"""evaluate: score a split of a run, or any two folders of labels, through one path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pixelwise.commands.score_folders import evaluate_folders
from pixelwise.commands.score_run import score_run
from pixelwise.commands.scoring_options import DEFAULT_OPTIONS, EvaluationResult, ScoringOptions
from pixelwise.commands.show_scores import advise_on, write_scores_page
from pixelwise.commands.write_page import write_page
from pixelwise.commands.write_scores import write_scores
from pixelwise.core.errors import BadPlan
from pixelwise.core.progress import SILENT, Listener
from pixelwise.runs.folder import open_run


def evaluate(
    run: str | Path | None = None,
    *,
    truth: str | Path | None = None,
    predicted: str | Path | None = None,
    options: ScoringOptions = DEFAULT_OPTIONS,
    out: str | Path | None = None,
    thumbnails: bool = True,
    use: str | Path | None = None,
    calibration: bool = False,
    listener: Listener = SILENT,
) -> EvaluationResult:
    """Score a split of a run, or the folder `predicted` against the folder `truth`.

    Into `out` go scores.json, .csv, .md and .tex, and evaluation.html (thumbnails=False:
    without pictures), and the result says which numbers to trust here. With a run the cases
    of options.split (default: test) are labelled first, the labels and scores stay in the
    run folder, and its report is written anew; calibration judges its probabilities too.
    Raises UserError with all problems at once.
    """
    is_of_folders = truth is not None and (predicted or options.probabilities) is not None
    if run is not None and truth is None and predicted is None:
        result = score_run(
            run,
            split=options.split or "test",
            options=options,
            use=use,
            calibration=calibration,
            listener=listener,
        )
        thumbnails = thumbnails and bool(open_run(Path(run)).read_status().get("thumbnails", True))
        write_page(run, thumbnails=thumbnails)
        name = Path(run).name
    elif run is None and truth is not None and is_of_folders:
        if out is not None:
            options = replace(options, has_sizes=True)
        result = evaluate_folders(truth, predicted, options, listener=listener)
        name = Path(predicted or options.probabilities or "").name
    else:
        raise BadPlan(
            "it is not clear what to score",
            "either a RUN, or both --truth FOLDER and --predicted FOLDER",
            "See `pixelwise evaluate --help`.",
            code="what-to-score",
        )
    if out is None:
        return result
    result = replace(result, advice=advise_on(result, listener))
    page = write_scores_page(
        Path(out) / "evaluation.html", {name: result}, thumbnails=thumbnails, listener=listener
    )
    return replace(result, written=(page, *write_scores(result.summary, Path(out), result.advice)))
