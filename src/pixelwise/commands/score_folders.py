"""Score predictions: two folders of label files in, one summary out."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pixelwise.core.case import IGNORE, ClassInfo
from pixelwise.core.contents import shown
from pixelwise.core.errors import BadData, Problem, ShapeMismatch, UserError, raise_errors
from pixelwise.core.files import write_json, write_text
from pixelwise.core.image import Header
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.records import CaseScores, Summary
from pixelwise.data.scoring_pairs import ScoringPair, find_group, pair_folders, read_class_table
from pixelwise.data.stored_classes import Stored, class_ids, find_values, flat_values, understand
from pixelwise.evaluation import DEFAULT_METRICS, score_case, summarise
from pixelwise.readers import open_labels

Item = TypeVar("Item")
Result = TypeVar("Result")

SPACING_TOLERANCE = 1e-3
"""Relative difference of two headers' spacings that is still rounding."""


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """What a scoring gave: the summary, the pairs behind it, what to know, files written."""

    summary: Summary
    classes: tuple[ClassInfo, ...]
    pairs: tuple[ScoringPair, ...]
    notes: tuple[Problem, ...] = ()
    written: tuple[Path, ...] = ()


def evaluate_folders(
    truth: Path | str,
    predicted: Path | str,
    *,
    split: str | None = "test",
    fov: Path | str | None = None,
    label_map: Mapping[str, int] | None = None,
    ignore: int | None = None,
    metrics: Sequence[str] = DEFAULT_METRICS,
    only_paired: bool = False,
    group: str | None = None,
    out: Path | str | None = None,
    listener: Listener = SILENT,
) -> EvaluationResult:
    """Score a folder of predictions against a folder of truths, any formats, no run needed.

    Files are paired by stem; classes come from a classes.json or dataset.json in or beside
    the folders, else from the values. A fov folder beside the truth, or given, limits the
    scores. group: a regular expression; its first group says what a case belongs to.
    label_map: stored value -> class id for both folders (255 = void).
    Writes scores.json and scores.csv into `out`. Raises UserError with everything that is
    wrong with the files at once.
    """
    truth, predicted = Path(truth), Path(predicted)
    paired = pair_folders(
        truth, predicted, fov=Path(fov) if fov else None, split=split, only_paired=only_paired
    )
    for note in paired.notes:
        listener.say(note.text())
    table, void = read_class_table([truth, predicted])
    void = void if ignore is None else ignore
    values = _survey([p[:2] for p in paired.files.values()], listener)
    classes, truth_meaning, predicted_meaning = understand(*values, table, void, label_map)
    pairs = tuple(
        ScoringPair(stem, t, p, truth_meaning, predicted_meaning, view, find_group(stem, group))
        for stem, (t, p, view) in paired.files.items()
    )
    summary = score_files(pairs, [c.name for c in classes], metrics=metrics, listener=listener)
    written = write_scores(summary, Path(out)) if out is not None else ()
    return EvaluationResult(summary, classes, pairs, paired.notes, written)


def score_files(
    pairs: Sequence[ScoringPair],
    class_names: Sequence[str],
    *,
    metrics: Sequence[str] = DEFAULT_METRICS,
    background: int | None = -1,
    spacing: Sequence[float] | None = None,
    listener: Listener = SILENT,
) -> Summary:
    """Score pairs of label files and summarise them: the one scoring path.

    spacing overrides what the files say. Raises UserError with the problems of all pairs.
    """
    outcomes = _in_parallel(
        lambda pair: _score_pair(pair, len(class_names), metrics, spacing),
        pairs,
        listener,
        "scoring",
    )
    _raise_all(outcomes)
    scored = [outcome for outcome in outcomes if not isinstance(outcome, UserError)]
    units = {unit for _, unit in scored}
    unit = units.pop() if len(units) == 1 else "px"
    return summarise([s for s, _ in scored], class_names, background=background, unit=unit)


def write_scores(summary: Summary, folder: Path) -> tuple[Path, ...]:
    """Write scores.json (everything) and scores.csv (a line per case and class)."""
    json_path, csv_path = folder / "scores.json", folder / "scores.csv"
    write_json(json_path, summary.model_dump(mode="json"))
    write_text(csv_path, scores_as_csv(summary))
    return json_path, csv_path


def scores_as_csv(summary: Summary) -> str:
    """A line per case and class; undefined values are empty, infinite ones 'inf'."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    keys = list(summary.cases[0].classes[0].values) if summary.cases else []
    writer.writerow(["case", "group", "class", "status", "tp", "fp", "fn", "tn", *keys])
    for case in summary.cases:
        for scores in case.classes:
            cells = [
                "inf" if key in scores.infinite else "" if value is None else repr(value)
                for key, value in scores.values.items()
            ]
            name = summary.class_names[scores.class_id]
            counts = [scores.tp, scores.fp, scores.fn, scores.tn]
            writer.writerow([case.id, case.group, name, scores.status, *counts, *cells])
    return stream.getvalue()


def _score_pair(
    pair: ScoringPair, n_classes: int, metrics: Sequence[str], spacing: Sequence[float] | None
) -> tuple[CaseScores, str]:
    truth_header, truth = _read(pair.truth)
    predicted_header, predicted = _read(pair.predicted)
    _check_fit(pair, truth_header, predicted_header)
    valid = None
    if pair.fov is not None:
        view_header, view = _read(pair.fov)
        if view_header.shape != truth_header.shape:
            raise ShapeMismatch([_other_shape(pair.fov, view_header, pair.truth, truth_header)])
        valid = flat_values(view, pair.fov) != 0
    known = truth_header if truth_header.spacing is not None else predicted_header
    scores = score_case(
        pair.id,
        class_ids(truth, pair.truth_meaning, pair.truth),
        class_ids(predicted, pair.predicted_meaning, pair.predicted),
        n_classes=n_classes,
        valid=valid,
        spacing=spacing if spacing is not None else known.spacing,
        metrics=metrics,
        group=pair.group,
        ignore=IGNORE,
    )
    return scores, known.unit if known.spacing is not None else "px"


def _read(path: Path) -> tuple[Header, Stored]:
    with open_labels(path) as source:
        return source.header, source.read()


def _check_fit(pair: ScoringPair, truth: Header, predicted: Header) -> None:
    problems = []
    if truth.shape != predicted.shape:
        problems.append(_other_shape(pair.predicted, predicted, pair.truth, truth))
    if truth.spacing and predicted.spacing and truth.shape == predicted.shape:
        ratios = [a / b for a, b in zip(truth.spacing, predicted.spacing, strict=True)]
        if any(abs(ratio - 1) > SPACING_TOLERANCE for ratio in ratios):
            problems.append(
                Problem(
                    f"its spacing is {predicted.spacing} {predicted.unit}",
                    f"{truth.spacing} {truth.unit} as in {shown(pair.truth)}",
                    "Correct the header that is wrong, or bring both to one grid.",
                    shown(pair.predicted),
                    code="other-spacing",
                )
            )
    raise_errors(problems, ShapeMismatch)


def _other_shape(path: Path, header: Header, truth_path: Path, truth: Header) -> Problem:
    return Problem(
        f"its size is {_size(header.shape)}",
        f"{_size(truth.shape)} as in {shown(truth_path)}",
        "Score on the truth's own grid: bring the labels back to it.",
        shown(path),
        code="other-shape",
    )


def _size(shape: Sequence[int]) -> str:
    return " x ".join(str(length) for length in shape) + (" (y, x)", " (z, y, x)")[len(shape) == 3]


def _survey(files: Sequence[tuple[Path, Path]], listener: Listener) -> tuple[set[int], set[int]]:
    """The stored values of all truths and of all predictions."""

    def values(paths: tuple[Path, Path]) -> tuple[frozenset[int], frozenset[int]]:
        truth, predicted = (find_values(_read(path)[1], path) for path in paths)
        return truth, predicted

    outcomes = _in_parallel(values, files, listener, "reading")
    _raise_all(outcomes)
    found = [outcome for outcome in outcomes if not isinstance(outcome, UserError)]
    return set().union(*(t for t, _ in found)), set().union(*(p for _, p in found))


def _in_parallel(
    work: Callable[[Item], Result], items: Sequence[Item], listener: Listener, text: str
) -> list[Result | UserError]:
    """Results in order, a UserError where one was raised; uses every core."""

    def guarded(item: Item) -> Result | UserError:
        try:
            return work(item)
        except UserError as error:
            return error

    outcomes = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for done, outcome in enumerate(pool.map(guarded, items), start=1):
            outcomes.append(outcome)
            listener.advance(done, len(items), text)
    return outcomes


def _raise_all(outcomes: Sequence[object]) -> None:
    problems = [p for o in outcomes if isinstance(o, UserError) for p in o.problems]
    if problems:
        raise BadData(problems)
