"""Score predictions: two folders of label files in, one summary out, no run needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pixelwise.commands.human_spread import (
    Annotator,
    consensus_sentence,
    score_annotators,
    spread_tolerance,
    with_consensus,
)
from pixelwise.commands.read_pair import PixelSize
from pixelwise.commands.score_files import score_files
from pixelwise.commands.score_pair import Judgement
from pixelwise.commands.scoring_options import (
    AUTO,
    DEFAULT_OPTIONS,
    EvaluationResult,
    ScoringOptions,
    check_options,
)
from pixelwise.core.case import ClassInfo, LabelMeaning
from pixelwise.core.contents import shown
from pixelwise.core.errors import BadData, BadPlan, Problem, raise_errors
from pixelwise.core.progress import SILENT, Listener
from pixelwise.data.description import Description
from pixelwise.data.label_map import parse_label_map
from pixelwise.data.label_values import MaskValues
from pixelwise.data.mask_scan import scan_masks
from pixelwise.data.scoring_classes import ScoringClasses, understand_scoring
from pixelwise.data.scoring_images import find_images
from pixelwise.data.scoring_pairs import (
    FolderPairs,
    ScoringPair,
    find_description,
    find_groups,
    list_label_files,
    pair_folders,
)
from pixelwise.data.scoring_regions import understand_scoring_regions
from pixelwise.evaluation.metric_texts import explicit_metrics

PROBABILITY_SUFFIXES = (".npy",)
_AT_ONCE = 64
_NUMBERED = ("numbered", "numbered-truth")


def evaluate_folders(
    truth: Path | str,
    predicted: Path | str | None,
    options: ScoringOptions = DEFAULT_OPTIONS,
    *,
    listener: Listener = SILENT,
) -> EvaluationResult:
    """Score a folder of predictions against a folder of truths, any formats, no run needed.

    Files are paired by stem; classes come from a classes.json or dataset.json in or beside
    the folders, else from the values. A fov folder beside the truth, or given, limits the
    scores. Without `predicted`, labels are made from options.probabilities.
    Raises UserError with everything that is wrong with the files at once.
    """
    truth = Path(truth)
    check_options(options)
    source = _prediction_source(predicted, options)
    paired = pair_folders(
        truth, source, fov=options.fov, split=options.split, only_paired=options.only_paired,
        suffixes=PROBABILITY_SUFFIXES if source == options.probabilities else (),
    )  # fmt: skip
    for note in paired.notes:
        listener.say(note.text())
    description = find_description([truth, source], options.ignore)
    regions = None
    if options.label_map is None and not options.objects.startswith("numbered"):
        regions = understand_scoring_regions(truth, source, paired, description)
    if regions is not None:
        paired, found = regions
    else:
        found = _understand(paired, description, options, source, listener)
    pairs = _make_pairs(paired, found, truth, options)
    pixel_size = options.pixel_size or PixelSize(description.spacing, description.unit)
    annotators = [
        _read_annotator(folder, paired, description, options, listener)
        for folder in options.annotators
    ]
    pairs = with_consensus(pairs, annotators, options.consensus, len(found.classes))
    conditions, tolerance = _find_tolerance(options, pairs, annotators, found, pixel_size)
    judgement = Judgement(
        class_names=[c.name for c in found.classes],
        metrics=explicit_metrics(
            options.metrics, convention=options.convention, tolerance=tolerance
        ),
        background=None if found.truth.holds_regions else -1,
        pixel_size=pixel_size,
        objects=options.objects,
        has_sizes=options.has_sizes,
        split=paired.split,
        conditions=(*consensus_sentence(pairs, options.consensus), *conditions),
    )
    summary = score_files(pairs, judgement, listener=listener)
    humans = score_annotators(pairs, annotators, judgement, listener)
    return EvaluationResult(
        summary, found.classes, pairs, (*paired.notes, *found.notes), humans=humans,
        metrics=tuple(judgement.metrics), pixel_size=pixel_size, split=paired.split or "",
        human_spread=tolerance if options.boundary_tolerance == AUTO else None,
    )  # fmt: skip


def _prediction_source(predicted: Path | str | None, options: ScoringOptions) -> Path:
    """The folder that labels come from: predicted, or probabilities where a threshold is given."""
    if options.probabilities is not None and (predicted is None or options.threshold is not None):
        return options.probabilities
    if predicted is None:
        raise BadPlan(
            "there is nothing to score", "--predicted FOLDER or --probabilities FOLDER",
            "See `pixelwise evaluate --help`.", code="what-to-score",
        )  # fmt: skip
    return Path(predicted)


def _understand(
    paired: FolderPairs,
    description: Description,
    options: ScoringOptions,
    source: Path,
    listener: Listener,
) -> ScoringClasses:
    """What the values of all files mean; numbered objects are one class."""
    files = list(paired.files.values())
    if options.objects == "numbered":
        return _numbered_classes(options, None)
    truths = scan_files([f[0] for f in files], listener, "reading truths")
    predictions: list[MaskValues] = []
    if source != options.probabilities:
        predictions = scan_files([f[1] for f in files], listener, "reading predictions")
    if options.objects == "numbered-truth":
        return _numbered_classes(options, predictions)
    found = understand_scoring(truths, predictions, description, options.label_map)
    if options.threshold is not None and len(found.classes) != 2:
        raise BadPlan(
            f"a threshold was given and there are {len(found.classes)} classes", "two classes",
            "Leave --threshold out: of more classes the most probable one is taken.",
            code="bad-threshold",
        )  # fmt: skip
    return found


def scan_files(paths: Sequence[Path], listener: Listener, text: str) -> list[MaskValues]:
    """The stored values of files, with progress. Raises BadData with what cannot be read."""
    masks: list[MaskValues] = []
    problems: list[Problem] = []
    for start in range(0, len(paths), _AT_ONCE):
        found, wrong = scan_masks(paths[start : start + _AT_ONCE])
        masks += found
        problems += wrong
        listener.advance(min(start + _AT_ONCE, len(paths)), len(paths), text)
    raise_errors(problems)
    return masks


def _numbered_classes(
    options: ScoringOptions, predictions: Sequence[MaskValues] | None
) -> ScoringClasses:
    """Background and object: every number from 1 on is an object, --ignore is void."""
    meaning = parse_label_map(">=1=object").meaning
    if options.ignore is not None:
        raise BadPlan(
            f"--ignore {options.ignore} was given and the files number objects",
            "void pixels as a field of view (--fov)", "Leave --ignore out.", code="bad-option",
        )  # fmt: skip
    classes = (ClassInfo(0, "background", "#000000"), ClassInfo(1, "object", "#e69f00"))
    if predictions is not None and any(len(mask.counts) > 2 for mask in predictions):
        raise BadData(
            "the predicted files hold more than two values",
            "masks of one class, whose connected parts are the objects",
            "If they number objects too, say --instances numbered.", code="not-a-mask",
        )  # fmt: skip
    return ScoringClasses(classes, meaning, meaning)


def _make_pairs(
    paired: FolderPairs, found: ScoringClasses, truth: Path, options: ScoringOptions
) -> tuple[ScoringPair, ...]:
    groups = find_groups(truth, list(paired.files), options.group)
    images = find_images(truth, {stem: files[0] for stem, files in paired.files.items()})
    maps: Mapping[str, Path] = {}
    if options.probabilities is not None:
        maps = list_label_files(options.probabilities, PROBABILITY_SUFFIXES)
    missing = [stem for stem in paired.files if maps and stem not in maps]
    if missing:
        raise BadData(
            f"{len(missing)} cases have no probabilities, {missing[0]} for one",
            "a .npy file with the stem of each case", "Predict them with --probabilities.",
            path=shown(options.probabilities or truth), code="unpaired",
        )  # fmt: skip
    return tuple(
        ScoringPair(
            stem, t, p, found.truth, found.predicted, view, groups[stem],
            images.get(stem, ()), maps.get(stem), options.threshold,
        )
        for stem, (t, p, view) in paired.files.items()
    )  # fmt: skip


def _read_annotator(
    folder: Path,
    paired: FolderPairs,
    description: Description,
    options: ScoringOptions,
    listener: Listener,
) -> Annotator:
    """The files of another annotator of the same cases, and what their values mean."""
    files = {s: path for s, path in list_label_files(folder).items() if s in paired.files}
    if not files:
        raise BadData(
            "none of its files has the stem of a scored case", "labels of the same cases",
            "Give the folder of another annotator of the same images.", path=shown(folder),
            code="unpaired",
        )  # fmt: skip
    meaning: LabelMeaning
    if options.objects in _NUMBERED:
        meaning = parse_label_map(">=1=object").meaning
    else:
        truths = scan_files([paired.files[s][0] for s in files], listener, "reading truths")
        own = scan_files(list(files.values()), listener, f"reading {folder.name}")
        meaning = understand_scoring(truths, own, description, options.label_map).predicted
    return Annotator(folder.name, files, meaning)


def _find_tolerance(
    options: ScoringOptions,
    pairs: Sequence[ScoringPair],
    annotators: Sequence[Annotator],
    found: ScoringClasses,
    pixel_size: PixelSize,
) -> tuple[tuple[str, ...], float | None]:
    """What is to be said about the tolerance, and the tolerance."""
    wanted = options.boundary_tolerance
    if wanted is None or isinstance(wanted, float | int):
        return (), None if wanted is None else float(wanted)
    if wanted != AUTO:
        raise BadPlan(
            f"the boundary tolerance is {wanted!r}", "a number in the unit of the spacing, or auto",
            "Write for example 2, without a unit.", code="bad-tolerance",
        )  # fmt: skip
    tolerance, sentence = spread_tolerance(pairs, annotators, len(found.classes), pixel_size)
    return (sentence,), tolerance
