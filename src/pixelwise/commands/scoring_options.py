"""Everything that can be said about how a scoring is done, and what a scoring gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pixelwise.commands.read_pair import PIXELS, PixelSize
from pixelwise.core.case import ClassInfo
from pixelwise.core.errors import BadPlan, Problem, raise_errors
from pixelwise.core.records import Summary
from pixelwise.data.scoring_pairs import ScoringPair
from pixelwise.evaluation import DEFAULT_METRICS
from pixelwise.evaluation.empty_rules import OURS
from pixelwise.evaluation.object_scores import RULES

AUTO = "auto"
"""A boundary tolerance that is taken from the spread of human annotators."""


@dataclass(frozen=True, slots=True)
class ScoringOptions:
    """Everything that can be said about how folders, or the files of a run, are scored.

    metrics: names, with options as "nsd:tolerance=2". convention: whose rules distances and
    empty cases follow. boundary_tolerance: in units of spacing, or "auto" from the spread of
    `annotators` (folders). consensus: "majority" or "staple" of truth and annotators is what
    is scored against. objects: a rule of `object_scores.RULES`, or "". pixel_size: where
    files do not say it. label_map: as --map. ignore: the stored value of void pixels.
    group: a regular expression or column:NAME. has_sizes: recall of objects by size.
    """

    metrics: Sequence[str] = DEFAULT_METRICS
    convention: str = OURS
    boundary_tolerance: float | str | None = None
    annotators: Sequence[Path] = ()
    consensus: str = ""
    objects: str = ""
    pixel_size: PixelSize | None = None
    label_map: str | None = None
    ignore: int | None = None
    group: str | None = None
    split: str | None = None
    fov: Path | None = None
    only_paired: bool = False
    probabilities: Path | None = None
    threshold: float | None = None
    has_sizes: bool = False


DEFAULT_OPTIONS = ScoringOptions()


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """What a scoring gave: the summary, the pairs behind it, what to know, files written.

    humans: annotators against the truth and against each other, by their names, on the
    cases that they share with the truth. metrics, pixel_size: what it was scored with.
    split: of the cases, where known. human_spread: a tolerance that was taken from people.
    advice: which of the numbers to trust here, where files are written.
    """

    summary: Summary
    classes: tuple[ClassInfo, ...]
    pairs: tuple[ScoringPair, ...]
    notes: tuple[Problem, ...] = ()
    written: tuple[Path, ...] = ()
    humans: Mapping[str, Summary] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    pixel_size: PixelSize = PIXELS
    split: str = ""
    human_spread: float | None = None
    advice: tuple[str, ...] = ()


def check_options(options: ScoringOptions) -> None:
    """Raise BadPlan with all options that cannot be, or not together."""
    problems = []
    if options.objects and options.objects not in RULES:
        problems.append(
            Problem(
                f"there is no rule for objects called {options.objects!r}",
                f"one of {', '.join(RULES)}", "See `pixelwise evaluate --help`.",
                code="unknown-objects",
            )
        )  # fmt: skip
    if options.boundary_tolerance == AUTO and not options.annotators:
        problems.append(
            Problem(
                "the boundary tolerance is to be taken from annotators, and none is given",
                "--annotator FOLDER, the labels of another annotator of the same cases",
                "Give one, or a number as --boundary-tolerance.", code="no-annotators",
            )
        )  # fmt: skip
    if options.consensus and not options.annotators:
        problems.append(
            Problem(
                f"a consensus by {options.consensus} was asked for, and there is one annotator",
                "--annotator FOLDER, the labels of another annotator of the same cases",
                "Give one, or leave --consensus out.", code="no-annotators",
            )
        )  # fmt: skip
    if options.threshold is not None and options.probabilities is None:
        problems.append(
            Problem(
                f"there is a threshold ({options.threshold:g}) but no probabilities",
                "--probabilities FOLDER", "Give the .npy files that `predict --probabilities` "
                "wrote, or leave --threshold out.", code="no-probabilities",
            )
        )  # fmt: skip
    elif options.threshold is not None and not 0 <= options.threshold <= 1:
        problems.append(
            Problem(
                f"the threshold is {options.threshold:g}", "a probability from 0 to 1",
                "Search it with --split val.", code="bad-threshold",
            )
        )  # fmt: skip
    raise_errors(problems, BadPlan)
