"""Folders of truth and predictions become pairs of files that can be scored."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelwise.core.case import LabelMeaning
from pixelwise.core.contents import shown
from pixelwise.core.errors import BadData, Problem, raise_errors
from pixelwise.core.files import read_json
from pixelwise.readers import image_stem, image_suffixes

FOV_NAMES = ("fov", "fovs", "roi")
LISTED = 12


@dataclass(frozen=True, slots=True)
class ScoringPair:
    """Two label files to be scored against each other; their values mean what `meaning` says."""

    id: str
    truth: Path
    predicted: Path
    truth_meaning: LabelMeaning
    predicted_meaning: LabelMeaning
    fov: Path | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class FolderPairs:
    """Stems with their two files, and what had to be left out (warnings, notes)."""

    files: Mapping[str, tuple[Path, Path, Path | None]]
    notes: tuple[Problem, ...] = ()


def list_label_files(folder: Path) -> dict[str, Path]:
    """Stem -> file for every picture or volume directly in a folder, sorted.

    Raises BadData if the folder is missing or holds none, or if two files share a stem.
    """
    if folder.is_file():
        return {image_stem(folder): folder}
    if not folder.is_dir():
        raise BadData(
            "there is no such folder",
            "a folder of label images",
            "Check the path.",
            path=shown(folder),
            code="no-folder",
        )
    suffixes = image_suffixes()
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
    if not found:
        raise BadData(
            "it holds no label images",
            f"files such as {', '.join(suffixes[:6])}",
            "Give the folder that the label files lie in.",
            path=shown(folder),
            code="no-labels",
        )
    return found


def pair_folders(
    truth: Path,
    predicted: Path,
    *,
    fov: Path | None = None,
    split: str | None = None,
    only_paired: bool = False,
) -> FolderPairs:
    """Pair two folders by stem, with the masks of a field of view where there are any.

    If a splits.json lies in the truth folder or beside it, only `split` is expected.
    Raises BadData listing every file without a partner, unless `only_paired`.
    """
    truths, predictions = list_label_files(truth), list_label_files(predicted)
    notes: list[Problem] = []
    if truth.is_file() and predicted.is_file():
        predictions = dict.fromkeys(truths, predicted)
    truths = _of_split(truths, predictions, truth, split, notes)
    unpaired = _unpaired(truths, predictions, truth, predicted, only_paired)
    raise_errors(unpaired)
    views = _find_views(truth, fov, notes)
    shared = [stem for stem in truths if stem in predictions]
    if not shared:
        raise BadData(
            f"no file of {shown(predicted)} has the stem of a truth",
            "equal stems",
            f"Truth has {_some(truths)}; predicted has {_some(predictions)}.",
            path=shown(truth),
            code="unpaired",
        )
    without = [stem for stem in shared if views and stem not in views]
    raise_errors(
        [
            Problem(
                f"{len(without)} cases have no field of view: {_some(without)}",
                "one mask for each case",
                "Add them, or remove the folder.",
                shown(next(iter(views.values())).parent),
                code="unpaired",
            )
        ]
        if without
        else []
    )
    files = {stem: (truths[stem], predictions[stem], views.get(stem)) for stem in shared}
    return FolderPairs(files, tuple(notes + unpaired))


def find_group(stem: str, pattern: str | None) -> str:
    """What the first group of a regular expression finds in a stem, empty if it finds nothing.

    Raises BadData if it is no regular expression.
    """
    if pattern is None:
        return ""
    try:
        found = re.search(pattern, stem)
    except re.error as error:
        raise BadData(
            f"the group pattern {pattern!r} is no regular expression: {error}",
            "for example '(patient\\d+)'",
            "Correct the pattern.",
            code="bad-pattern",
        ) from error
    return "" if found is None else found.group(1 if found.re.groups else 0) or ""


def read_class_table(folders: Sequence[Path]) -> tuple[list[dict[str, Any]], int | None]:
    """(classes, ignore value) of the first dataset.json or classes.json in or beside the folders.

    No such file gives ([], None). Raises BadData if it does not hold a list of classes with
    ids 0..K-1 and names.
    """
    for folder in folders:
        for place in (folder, folder.parent):
            for name in ("classes.json", "dataset.json"):
                path = place / name
                if path.is_file():
                    return _parse_classes(read_json(path), path)
    return [], None


def _parse_classes(content: Any, path: Path) -> tuple[list[dict[str, Any]], int | None]:
    entries = content.get("classes") if isinstance(content, Mapping) else content
    ignore = content.get("ignore_index") if isinstance(content, Mapping) else None
    if isinstance(entries, Mapping):
        entries = [{"id": int(key), "name": str(value)} for key, value in entries.items()]
    try:
        classes: list[dict[str, Any]] = [
            {"id": i, "name": entry} if isinstance(entry, str) else dict(entry)
            for i, entry in enumerate(entries or ())
        ]
        classes.sort(key=lambda entry: int(entry["id"]))
        ids = [int(entry["id"]) for entry in classes]
        is_whole = bool(ids) and ids == list(range(len(ids)))
        named = all(isinstance(entry["name"], str) for entry in classes)
    except (TypeError, KeyError, ValueError):
        is_whole = named = False
    if not (is_whole and named):
        raise BadData(
            f"its classes are {json.dumps(entries)[:120]}",
            'a list such as [{"id": 0, "name": "background"}, {"id": 1, "name": "cell"}]',
            "Number the classes from 0 without gaps and name each.",
            path=shown(path),
            code="bad-classes",
        )
    return classes, int(ignore) if isinstance(ignore, int) else None


def _of_split(
    truths: dict[str, Path],
    predictions: Mapping[str, Path],
    folder: Path,
    split: str | None,
    notes: list[Problem],
) -> dict[str, Path]:
    path = next((p for p in (folder / "splits.json", folder.parent / "splits.json") if p.is_file()),
                None)  # fmt: skip
    missing = [stem for stem in truths if stem not in predictions]
    if split is None or path is None or not missing or folder.is_file():
        return truths
    content = read_json(path)
    members = content.get(split) if isinstance(content, Mapping) else None
    if not isinstance(members, list):
        return truths
    others = {stem for stem in missing if stem not in set(map(str, members))}
    if others:
        notes.append(
            Problem(
                f"{len(others)} truths without a prediction belong to other splits than {split}",
                "",
                "They are not scored.",
                shown(path),
                "note",
                "other-split",
            )
        )
    return {stem: path for stem, path in truths.items() if stem not in others}


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
                    f"{len(alone)} of {len(own)} {role} files have no {partner}: {_some(alone)}",
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


def _some(names: Sequence[str] | Mapping[str, Any]) -> str:
    listed = list(names)
    more = f", … and {len(listed) - LISTED} more" if len(listed) > LISTED else ""
    return ", ".join(listed[:LISTED]) + more
