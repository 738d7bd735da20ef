"""What a set declares of its cases beside masks: numbered objects, classes that were annotated."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pixelwise.core.case import Case, ClassInfo
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem
from pixelwise.data.description import read_metadata
from pixelwise.data.listing import list_folder, name_some, stem_key
from pixelwise.data.polygons import is_polygon_label
from pixelwise.readers import image_stem

OBJECT_FOLDER = "instances"
ANNOTATED_COLUMN = "annotated_classes"
"""Of metadata.csv: names or ids, separated by semicolons or spaces; nothing stands for all."""


def attach_objects(
    cases: Sequence[Case], *, masks_count_objects: bool
) -> tuple[list[Case], list[Problem]]:
    """Cases with the files that number their objects: instances/ beside masks/, or the masks.

    masks_count_objects: the masks themselves hold a number for each object.
    Objects are believed only if every labelled case has them; the warning names those that lack.
    """
    if masks_count_objects:
        return [replace(case, objects=case.label) for case in cases], []
    known: dict[Path, dict[str, Path]] = {}
    found = [replace(case, objects=_objects_of(case, known)) for case in cases]
    labelled = [case for case in found if case.label is not None]
    missing = [case.id for case in labelled if case.objects is None]
    if not missing or len(missing) == len(labelled):
        return found, []
    problem = Problem(
        f"{len(missing)} of {len(labelled)} masks have no file in {OBJECT_FOLDER}/ that numbers "
        f"their objects: {name_some(missing)}",
        "one for each mask, of the same name",
        f"Until they are there, {OBJECT_FOLDER}/ is not used.",
        severity="warning",
        code="objects-missing",
    )
    return list(cases), [problem]


def attach_annotated(
    root: Path, cases: Sequence[Case], classes: Sequence[ClassInfo], *, overlaps: bool
) -> tuple[list[Case], list[Problem]]:
    """Cases with the classes that were annotated in them, from a column of metadata.csv.

    overlaps: classes are regions; else the first class is background and always known.
    """
    try:
        columns, rows = read_metadata(root)
    except (OSError, UnicodeDecodeError, csv.Error):
        return list(cases), []  # reported where groups are looked for
    if ANNOTATED_COLUMN not in columns:
        return list(cases), []
    ids = {c.name.casefold(): c.id for c in classes} | {str(c.id): c.id for c in classes}
    found, problems = [], []
    for case in cases:
        text = rows.get(stem_key(case.id), {}).get(ANNOTATED_COLUMN) or ""
        words = [word for word in re.split(r"[;\s]+", text.strip()) if word]
        unknown = [word for word in words if word.casefold() not in ids]
        if unknown:
            problems.append(
                Problem(
                    f"{ANNOTATED_COLUMN} of {case.id} names {', '.join(unknown)}",
                    f"of {', '.join(c.name for c in classes)}",
                    "Correct it, or leave the cell empty if all classes were annotated.",
                    shown(root / "metadata.csv"),
                    code="bad-annotated",
                )
            )
            continue
        named = {ids[word.casefold()] for word in words}
        named |= set() if overlaps or not named else {0}
        is_all = len(named) == len(classes)
        found.append(replace(case, annotated=() if is_all else tuple(sorted(named))))
    return (list(cases) if problems else found), problems


def _objects_of(case: Case, known: dict[Path, dict[str, Path]]) -> Path | None:
    """A file of the case's name in instances/ beside the folder of the masks, or one above."""
    label = case.label
    if label is None or is_polygon_label(label):
        return None
    folder = label.parent
    places = (folder.parent / OBJECT_FOLDER, folder.parent.parent / OBJECT_FOLDER / folder.name)
    for place in places:
        if place not in known:
            known[place] = _by_stem(place)
        files = known[place]
        for stem in (image_stem(label), image_stem(case.image)):
            if stem_key(stem) in files:
                return files[stem_key(stem)]
    return None


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    return {stem_key(image_stem(path)): path for path in list_folder(folder).pictures}
