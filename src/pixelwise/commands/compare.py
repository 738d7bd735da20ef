"""compare: several predictions of the same cases; who is better, and is it more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pixelwise.commands.score_folders import evaluate_folders
from pixelwise.commands.scoring_options import EvaluationResult, ScoringOptions
from pixelwise.commands.show_scores import advise_on, write_scores_page
from pixelwise.commands.write_scores import ADVICE_TITLE
from pixelwise.core.comparisons import Comparison
from pixelwise.core.errors import BadData, BadPlan
from pixelwise.core.files import write_json, write_text
from pixelwise.core.progress import SILENT, Listener
from pixelwise.data.scoring_pairs import find_description, list_label_files, read_split_of
from pixelwise.evaluation.advice import find_contradictions
from pixelwise.evaluation.comparison import compare_summaries
from pixelwise.evaluation.empty_rules import OURS
from pixelwise.evaluation.metric_texts import explicit_metrics
from pixelwise.evaluation.tables import comparison_table, ranking_table
from pixelwise.readers import open_labels

DEFAULT_COMPARED = (
    "dice", "iou", "nsd", "hd95", "assd", "cldice", "betti_error", "component_error",
)  # fmt: skip

DEFAULT_TOLERANCE = 2.0
"""Pixels that a boundary may be off in nsd, where no tolerance is given."""

DEFAULT_OPTIONS = ScoringOptions(metrics=DEFAULT_COMPARED)


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """What a comparison gave: the statistics, contradictions to know, scorings, files written.

    advice: which of the numbers to trust here, where files are written.
    """

    comparison: Comparison
    contradictions: tuple[str, ...]
    scored: Mapping[str, EvaluationResult]
    written: tuple[Path, ...] = ()
    advice: tuple[str, ...] = ()


def compare(
    predictions: Sequence[str | Path] | Mapping[str, str | Path],
    *,
    truth: str | Path,
    options: ScoringOptions = DEFAULT_OPTIONS,
    seed: int = 0,
    thumbnails: bool = True,
    out: str | Path | None = None,
    listener: Listener = SILENT,
) -> ComparisonResult:
    """Compare folders of predictions with one truth: differences, tests, ranks, stability.

    predictions: folders, or name -> folder. Cases of a group (options.group) are resampled
    together. Without options.split, folders that hold different cases are compared on the
    split that they all hold. Into `out` go comparison.html (thumbnails=False: without
    pictures), .json, .md, .tex and .csv. Raises UserError as evaluate does.
    """
    folders = predictions if isinstance(predictions, Mapping) else _name_folders(predictions)
    paths = {name: Path(folder) for name, folder in folders.items()}
    truth = Path(truth)
    if options.probabilities is not None or options.threshold is not None:
        raise BadPlan(
            "probabilities were given to a comparison", "folders of labels",
            "Judge probabilities one prediction at a time, with evaluate.", code="bad-option",
        )  # fmt: skip
    options = replace(
        options,
        split=options.split or _common_split(truth, paths, listener),
        metrics=_with_tolerance(options, truth, listener),
        has_sizes=out is not None,
    )
    scored: dict[str, EvaluationResult] = {}
    for name, folder in paths.items():
        listener.say(f"Scoring {name}.")
        scored[name] = evaluate_folders(truth, folder, options, listener=listener)
        options = replace(
            options, metrics=scored[name].metrics, convention=OURS, boundary_tolerance=None,
            annotators=options.annotators if options.consensus else (),
        )  # fmt: skip
    summaries = {name: result.summary for name, result in scored.items()}
    comparison = compare_summaries(summaries, seed=seed)
    contradictions = find_contradictions(summaries)
    for sentence in (*contradictions, *comparison.left_out):
        listener.say(sentence)
    written: tuple[Path, ...] = ()
    advice: tuple[str, ...] = ()
    if out is not None:
        name, first = next(iter(scored.items()))
        advice = advise_on(first, listener)
        scored[name] = replace(first, advice=advice)
        page = write_scores_page(
            Path(out) / "comparison.html", scored, comparison=comparison,
            contradictions=contradictions, thumbnails=thumbnails, listener=listener,
        )  # fmt: skip
        written = (page, *_write(comparison, contradictions, Path(out), advice))
    return ComparisonResult(comparison, contradictions, scored, written, advice)


def comparison_as_markdown(
    comparison: Comparison, contradictions: Sequence[str] = (), advice: Sequence[str] = ()
) -> str:
    """Contradictions, differences, ranks, the rules behind them, and advice."""
    parts = [
        "# Comparison of " + ", ".join(comparison.names),
        *contradictions,
        "## Differences",
        comparison_table(comparison),
        "## Ranks",
        ranking_table(comparison),
        *comparison.left_out,
        f"{comparison.rule} Intervals: {comparison.interval}.",
    ]
    if advice:
        parts += [f"## {ADVICE_TITLE}", "\n".join(f"- {sentence}" for sentence in advice)]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def comparison_in_format(
    comparison: Comparison, contradictions: Sequence[str], table_format: str
) -> str:
    """The comparison as text: "table" for a terminal, "markdown", "latex" or "csv"."""
    if table_format == "markdown":
        return comparison_as_markdown(comparison, contradictions).rstrip()
    if table_format in ("latex", "csv"):
        return comparison_table(comparison, table_format).rstrip()  # type: ignore[arg-type]
    parts = [comparison_table(comparison), ranking_table(comparison), *contradictions]
    return "\n".join(parts)


def _write(
    comparison: Comparison, contradictions: Sequence[str], folder: Path, advice: Sequence[str]
) -> tuple[Path, ...]:
    paths = tuple(folder / f"comparison.{suffix}" for suffix in ("json", "md", "tex", "csv"))
    write_json(paths[0], comparison.model_dump(mode="json"))
    write_text(paths[1], comparison_as_markdown(comparison, contradictions, advice))
    write_text(paths[2], comparison_table(comparison, "latex"))
    write_text(paths[3], comparison_table(comparison, "csv"))
    return paths


def _common_split(truth: Path, folders: Mapping[str, Path], listener: Listener) -> str | None:
    """The split that all folders hold, if they do not hold the same cases; else None."""
    truths = list_label_files(truth)
    held = [set(list_label_files(folder)) & set(truths) for folder in folders.values()]
    if all(stems == held[0] for stems in held):
        return None
    split_of = read_split_of(truth, list(truths))
    splits = {split_of.get(stem) for stem in set.intersection(*held)}
    split = splits.pop() if len(splits) == 1 else None
    if split is not None:
        listener.say(
            f"The folders hold different cases; all hold the split {split}, which is compared."
        )
    return split


def _with_tolerance(options: ScoringOptions, truth: Path, listener: Listener) -> tuple[str, ...]:
    """The metrics, nsd among them with a tolerance of two pixels if none was given."""
    metrics = tuple(options.metrics)
    if options.boundary_tolerance is not None or "nsd" not in metrics:
        return metrics
    size = options.pixel_size
    if size is None:
        with open_labels(next(iter(list_label_files(truth).values()))) as source:
            header = source.header
        description = find_description([truth])
        steps, unit = header.spacing, header.unit
        steps, unit = (steps, unit) if steps else (description.spacing, description.unit)
    else:
        steps, unit = size.steps, size.unit
    tolerance = float(f"{DEFAULT_TOLERANCE * min(steps or (1.0,)):.3g}")
    listener.say(
        f"nsd allows boundaries to be off by {tolerance:g} {unit}, two pixels; say what does not "
        "matter for you with --boundary-tolerance."
    )
    nsd = explicit_metrics(["nsd"], tolerance=tolerance)
    return tuple(nsd[0] if metric == "nsd" else metric for metric in metrics)


def _name_folders(folders: Sequence[str | Path]) -> dict[str, Path]:
    """Folder names as names; where two are equal, as much of the path as tells them apart."""
    paths = [Path(folder).absolute() for folder in folders]
    for depth in range(1, max((len(p.parts) for p in paths), default=1)):
        names = ["/".join(p.parts[-depth:]) for p in paths]
        if len(set(names)) == len(paths):
            return dict(zip(names, paths, strict=True))
    raise BadData(
        "the same folder was given twice",
        "different folders of predictions",
        "Name each folder once.",
        code="duplicate-folder",
    )
