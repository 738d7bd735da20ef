"""compare: several predictions of the same cases; who is better, and is it more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pixelwise.commands.score_folders import EvaluationResult, evaluate_folders
from pixelwise.commands.show_scores import write_scores_page
from pixelwise.core.comparisons import Comparison
from pixelwise.core.errors import BadData
from pixelwise.core.files import write_json, write_text
from pixelwise.core.progress import SILENT, Listener
from pixelwise.evaluation.advice import find_contradictions
from pixelwise.evaluation.comparison import compare_summaries
from pixelwise.evaluation.tables import comparison_table, ranking_table

DEFAULT_COMPARED = (
    "dice", "iou", "nsd:tolerance=2", "hd95", "assd", "cldice", "betti_error", "component_error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """What a comparison gave: the statistics, contradictions to know, scorings, files written."""

    comparison: Comparison
    contradictions: tuple[str, ...]
    scored: Mapping[str, EvaluationResult]
    written: tuple[Path, ...] = ()


def compare(
    predictions: Sequence[str | Path] | Mapping[str, str | Path],
    *,
    truth: str | Path,
    split: str | None = "test",
    fov: str | Path | None = None,
    label_map: Mapping[str, int] | None = None,
    metrics: Sequence[str] = DEFAULT_COMPARED,
    only_paired: bool = False,
    group: str | None = None,
    seed: int = 0,
    thumbnails: bool = True,
    out: str | Path | None = None,
    listener: Listener = SILENT,
) -> ComparisonResult:
    """Compare folders of predictions with one truth: differences, tests, ranks, stability.

    predictions: folders, or name -> folder. group: a regular expression whose first group,
    found in a case's name, says which cases belong together (resampled together).
    Into `out` go comparison.html (thumbnails=False: without pictures), .json, .md, .tex
    and .csv. Raises UserError as evaluate does.
    """
    folders = predictions if isinstance(predictions, Mapping) else _name_folders(predictions)
    scored = {}
    for name, folder in folders.items():
        listener.say(f"Scoring {name}.")
        scored[name] = evaluate_folders(
            truth, folder, split=split, fov=fov, label_map=label_map, metrics=metrics,
            only_paired=only_paired, group=group, listener=listener,
        )  # fmt: skip
    summaries = {name: result.summary for name, result in scored.items()}
    comparison = compare_summaries(summaries, seed=seed)
    contradictions = find_contradictions(summaries)
    for sentence in contradictions:
        listener.say(sentence)
    written: tuple[Path, ...] = ()
    if out is not None:
        written = _write(comparison, contradictions, Path(out))
        page = write_scores_page(
            Path(out) / "comparison.html", scored, comparison=comparison,
            contradictions=contradictions, thumbnails=thumbnails,
        )  # fmt: skip
        written = (page, *written)
    return ComparisonResult(comparison, contradictions, scored, written)


def _write(comparison: Comparison, contradictions: Sequence[str], folder: Path) -> tuple[Path, ...]:
    paths = tuple(folder / f"comparison.{suffix}" for suffix in ("json", "md", "tex", "csv"))
    write_json(paths[0], comparison.model_dump(mode="json"))
    parts = [
        "# Comparison of " + ", ".join(comparison.names),
        *contradictions,
        "## Differences",
        comparison_table(comparison),
        "## Ranks",
        ranking_table(comparison),
        f"{comparison.rule} Intervals: {comparison.interval}.",
    ]
    write_text(paths[1], "\n\n".join(parts) + "\n")
    write_text(paths[2], comparison_table(comparison, "latex"))
    write_text(paths[3], comparison_table(comparison, "csv"))
    return paths


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
