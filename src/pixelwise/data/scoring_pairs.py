"""Folders of truth and predictions become pairs of files that can be scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pixelwise.core.case import LabelMeaning, Split
from pixelwise.core.contents import shown
from pixelwise.core.errors import BadData, Problem, raise_errors
from pixelwise.data.description import Description, read_description
from pixelwise.data.groups import make_groups
from pixelwise.data.listing import name_some
from pixelwise.data.region_masks import region_folder_names
from pixelwise.data.splits import read_splits
from pixelwise.readers import image_stem, image_suffixes

FOV_NAMES = ("fov", "fovs", "roi")
DEFAULT_SPLIT: Split = "test"
"""Truths of other splits need no prediction."""


@dataclass(frozen=True, slots=True)
class ScoringPair:
    """Two label files to be scored against each other; their values mean what `meaning` says.

    images: what they label, for pictures, one file or one for each channel. probabilities: the
    .npy file of the prediction; if `predicted` is the same file, labels are made from it, with
    a threshold or the most probable class. consensus: "majority" or "staple" with `others`
    stands for the truth. annotated: classes that the truth tells apart, () for all.
    """

    id: str
    truth: Path
    predicted: Path
    truth_meaning: LabelMeaning
    predicted_meaning: LabelMeaning
    fov: Path | None = None
    group: str = ""
    images: tuple[Path, ...] = ()
    probabilities: Path | None = None
    threshold: float | None = None
    others: tuple[tuple[Path, LabelMeaning], ...] = ()
    consensus: str = ""
    annotated: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FolderPairs:
    """Stems with their two files, and what had to be left out (warnings, notes).

    split: the split that all cases are of, if that is known.
    """

    files: Mapping[str, tuple[Path, Path, Path | None]]
    notes: tuple[Problem, ...] = ()
    split: str | None = None


def list_label_files(folder: Path, suffixes: tuple[str, ...] = ()) -> dict[str, Path]:
    """Stem -> file for every picture or volume directly in a folder, sorted.

    suffixes: lower-case endings of the files that count; by default those of pictures.
    Where each region has a folder of masks, those of the first one.
    Raises BadData if the folder is missing or holds none, or if two files share a stem.
    """
    if folder.is_file():
        return {image_stem(folder): folder}
    if not folder.is_dir():
        raise BadData(
            "there is no such folder", "a folder of label images", "Check the path.",
            path=shown(folder), code="no-folder",
        )  # fmt: skip
    suffixes = suffixes or image_suffixes()
    found: dict[str, Path] = {}
    problems = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.name.lower().endswith(suffixes):
            continue
        stem = image_stem(path)
        if stem in found:
            problems.append(
                Problem(
                    f"{found[stem].name} and {path.name} have the same stem",
                    "one file for each",
                    "Remove or rename one of them.",
                    shown(folder),
                    code="duplicate-stem",
                )
            )
        found[stem] = path
    raise_errors(problems)
    regions = () if found else region_folder_names(folder)
    if regions:
        return list_label_files(folder / regions[0], suffixes)
    if not found:
        raise BadData(
            "it holds no label images", f"files such as {', '.join(suffixes[:6])}",
            "Give the folder that the label files lie in.", path=shown(folder), code="no-labels",
        )  # fmt: skip
    return found


def pair_folders(
    truth: Path,
    predicted: Path,
    *,
    fov: Path | None = None,
    split: str | None = None,
    only_paired: bool = False,
    suffixes: tuple[str, ...] = (),
) -> FolderPairs:
    """Pair two folders by stem, with the masks of a field of view where there are any.

    split: only these cases of the splits.json in or beside the truth folder are scored. Not
    given: the truths of the split that the predictions are of, or all of them.
    suffixes: endings of the prediction files, by default those of pictures.
    Raises BadData listing every file without a partner, unless `only_paired`.
    """
    truths, predictions = list_label_files(truth), list_label_files(predicted, suffixes)
    notes: list[Problem] = []
    if truth.is_file() and predicted.is_file():
        predictions = dict.fromkeys(truths, predicted)
    split = _narrow(truths, predictions, truth, split, notes)
    unpaired = _unpaired(truths, predictions, truth, predicted, only_paired)
    raise_errors(unpaired)
    views = _find_views(truth, fov, notes)
    shared = [stem for stem in truths if stem in predictions]
    if not shared:
        raise BadData(
            f"no file of {shown(predicted)} has the stem of a truth",
            "equal stems",
            f"Truth has {name_some(list(truths))}; predicted has {name_some(list(predictions))}.",
            path=shown(truth),
            code="unpaired",
        )
    without = [stem for stem in shared if views and stem not in views]
    if without:
        raise BadData(
            f"{len(without)} cases have no field of view: {name_some(without)}",
            "one mask for each case",
            "Add them, or remove the folder.",
            path=shown(next(iter(views.values())).parent),
            code="unpaired",
        )
    files = {stem: (truths[stem], predictions[stem], views.get(stem)) for stem in shared}
    return FolderPairs(files, tuple(notes + unpaired), split)


def find_groups(truth: Path, ids: Sequence[str], group: str | None) -> dict[str, str]:
    """Case id -> group, by a pattern or "column:NAME" of the metadata.csv beside the truth.

    Without `group` every case stands for itself: "". Raises BadData if a case has none.
    """
    if group is None:
        return dict.fromkeys(ids, "")
    root = truth if (truth / "metadata.csv").is_file() else truth.parent
    groups, _, problems = make_groups(root, ids, group)
    raise_errors(problems)
    return groups


def find_description(folders: Sequence[Path], ignore: int | None = None) -> Description:
    """The first classes.json or dataset.json in or beside the folders that names classes.

    ignore: the stored value of void pixels, if it was said. Raises BadData if a file does
    not hold what it should.
    """
    found = Description(folders[0] / "dataset.json")
    for folder in folders:
        for place in (folder, folder.parent):
            for name in ("classes.json", "dataset.json"):
                if found.names_classes or not (place / name).is_file():
                    continue
                found, problems = read_description(place, name)
                raise_errors(problems)
    return found if ignore is None else replace(found, ignore=ignore)


def read_split_of(truth: Path, ids: Sequence[str]) -> dict[str, Split]:
    """Case id -> split by the splits.json in or beside a truth folder, empty without one."""
    for place in (truth, truth.parent):
        if (place / "splits.json").is_file() and not truth.is_file():
            return read_splits(place / "splits.json", ids)[0] or {}
    return {}


def _narrow(
    truths: dict[str, Path],
    predictions: dict[str, Path],
    folder: Path,
    split: str | None,
    notes: list[Problem],
) -> str | None:
    """Leave out what is of other splits than the wanted one; return the split of what is left.

    Without a splits.json, `split` is taken as a statement about all cases.
    """
    split_of = read_split_of(folder, list(truths))
    _check_split(split, split_of, folder)
    wanted = split or _split_of_predictions(truths, predictions, split_of)
    unwanted = [stem for stem in truths if wanted and split_of.get(stem, wanted) != wanted]
    if split is None:
        unwanted = [stem for stem in unwanted if stem not in predictions]
    for stem in unwanted:
        del truths[stem]
        predictions.pop(stem, None)
    if unwanted:
        notes.append(
            Problem(
                f"{len(unwanted)} cases belong to other splits than {wanted}", "",
                "They are not scored.", shown(folder), "note", "other-split",
            )
        )  # fmt: skip
    if not split_of:
        return split
    left = {split_of.get(stem, "") for stem in truths}
    return left.pop() or None if len(left) == 1 else None


def _check_split(split: str | None, split_of: Mapping[str, Split], folder: Path) -> None:
    known = sorted(set(split_of.values()))
    if split is not None and known and split not in known:
        raise BadData(
            f"it has no cases in the split {split!r}",
            f"one of {', '.join(known)}",
            "Choose another --split, or leave it out to score every pair.",
            path=shown(folder),
            code="empty-split",
        )


def _split_of_predictions(
    truths: Mapping[str, Path], predictions: Mapping[str, Path], split_of: Mapping[str, Split]
) -> str | None:
    """The split that predictions are meant for, None if every truth has one."""
    if all(stem in predictions for stem in truths):
        return None
    present = {split_of.get(stem) for stem in predictions if stem in truths}
    return present.pop() if len(present) == 1 else DEFAULT_SPLIT


def _unpaired(
    truths: Mapping[str, Path],
    predictions: Mapping[str, Path],
    truth: Path,
    predicted: Path,
    only_paired: bool,
) -> list[Problem]:
    severity = "warning" if only_paired else "error"
    problems = []
    sides = (("truth", truth, truths, predictions), ("prediction", predicted, predictions, truths))
    for role, folder, own, others in sides:
        alone = [path.name for stem, path in own.items() if stem not in others]
        partner = "prediction" if role == "truth" else "truth"
        if alone:
            problems.append(
                Problem(
                    f"{len(alone)} of {len(own)} {role} files have no {partner}: "
                    f"{name_some(alone)}",
                    "files with equal stems in both folders",
                    "They are left out."
                    if only_paired
                    else "Add what is missing, or score only the paired files (--only-paired).",
                    shown(folder),
                    "warning" if severity == "warning" else "error",
                    "unpaired",
                )
            )
    return problems


def _find_views(truth: Path, fov: Path | None, notes: list[Problem]) -> dict[str, Path]:
    if fov is not None:
        return list_label_files(fov)
    for name in FOV_NAMES:
        folder = truth.parent / name
        if folder.is_dir() and not truth.is_file():
            notes.append(
                Problem(
                    "only pixels inside these masks are scored",
                    "",
                    "",
                    shown(folder),
                    "note",
                    "field-of-view",
                )
            )
            return list_label_files(folder)
    return {}
