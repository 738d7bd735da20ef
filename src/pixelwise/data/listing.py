"""What lies in a folder: pictures, annotation files, and what is passed over or reported."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem
from pixelwise.readers import (
    has_image_suffix,
    image_stem,
    image_suffixes,
    is_image_folder,
)
from pixelwise.readers.dicom_files import is_dicom

_JUNK = frozenset({"thumbs.db", "desktop.ini", "icon\r", "__macosx", "ehthumbs.db"})
_OWN_FILES = frozenset(
    {
        "dataset.json",
        "splits.json",
        "metadata.csv",
        "metadata.json",
        "readme.md",
        "readme.txt",
        "readme",
        "license",
        "license.txt",
        "make_links.sh",
    }
)
_N_NAMED = 5
_N_SOME = 10


@dataclass(slots=True)
class Listing:
    """The content of one folder, sorted by name."""

    folder: Path
    pictures: list[Path] = field(default_factory=list)
    annotations: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def list_folder(folder: Path, *, holds_images: bool = False) -> Listing:
    """Sort the entries of a folder by what they are. Hidden files and known junk are skipped.

    A folder that is one image (OME-Zarr) is a picture; a folder of DICOM files is one if
    holds_images says that images are looked for here, else it may be a folder of pictures.
    Links that lead nowhere or back to themselves are reported, and links to folders are
    not followed, so that the walk always ends.
    """
    listing = Listing(folder)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        listing.problems.append(
            Problem(
                f"the folder cannot be read: {error.strerror}",
                "a readable folder",
                "Change its permissions.",
                shown(folder),
                code="unreadable",
            )
        )
        return listing
    for entry in entries:
        if not is_junk(entry.name):
            _sort_entry(listing, Path(entry.path), holds_images)
    return listing


def list_pictures(folder: Path) -> tuple[list[Path], list[Problem]]:
    """The pictures of a folder for prediction, and what is odd about the folder.

    Names that differ only by ending, case or accent form are an error: their results
    would have the same name.
    """
    listing = list_folder(folder)
    unique, problems = drop_clashes(listing.pictures)
    found = [*listing.problems, *report_others(listing), *problems]
    if not listing.pictures:
        found.append(no_pictures(folder))
    return unique, found


def no_pictures(folder: Path) -> Problem:
    """The problem of a folder without pictures."""
    looked_for = ", ".join(f"*{suffix}" for suffix in image_suffixes())
    return Problem(
        "no images were found",
        f"files like {looked_for} (in either case)",
        "Check the path: give the folder that holds images/ and masks/.",
        shown(folder),
        code="no-images",
    )


def report_others(listing: Listing) -> list[Problem]:
    """One note about all files of a folder that are no pictures."""
    if not listing.others:
        return []
    names = ", ".join(shown(path.name) for path in listing.others[:_N_NAMED])
    n = len(listing.others)
    what = "1 file is no image" if n == 1 else f"{n} files are no images"
    more = n - _N_NAMED
    return [
        Problem(
            f"{what} and left out: {names}" + (f" and {more} more" if more > 0 else ""),
            path=shown(listing.folder),
            severity="note",
            code="other-files",
        )
    ]


def drop_clashes(paths: Iterable[Path]) -> tuple[list[Path], list[Problem]]:
    """Paths whose stem is theirs alone, and one problem for each stem that is shared.

    Stems are compared without case and in one Unicode form, as macOS and Windows do.
    """
    by_stem: dict[str, list[Path]] = {}
    for path in paths:
        by_stem.setdefault(stem_key(image_stem(path)).casefold(), []).append(path)
    unique = sorted(group[0] for group in by_stem.values() if len(group) == 1)
    problems = [
        Problem(
            f"{len(group)} files share one name: {', '.join(shown(p.name) for p in group)}",
            "one file per name, whatever its ending and case",
            "Keep one of them, or give the others names of their own.",
            shown(group[0].parent),
            code="duplicate-stem",
        )
        for group in by_stem.values()
        if len(group) > 1
    ]
    return unique, problems


def stem_key(text: str) -> str:
    """A name in one Unicode form: macOS stores é as e + accent, others as one letter."""
    return unicodedata.normalize("NFC", text)


def name_some(names: Sequence[str]) -> str:
    """The first ten names, and how many more there are."""
    more = len(names) - _N_SOME
    return ", ".join(names[:_N_SOME]) + (f" and {more} more" if more > 0 else "")


def is_junk(name: str) -> bool:
    """Hidden files and what operating systems leave behind."""
    return name.startswith(".") or name.lower() in _JUNK or name.endswith("~")


def _sort_entry(listing: Listing, path: Path, holds_images: bool) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        listing.problems.append(_bad_link(path, error))
        return
    if stat.S_ISDIR(mode):
        if path.is_symlink():
            listing.problems.append(
                Problem(
                    "it is a link to a folder and was not followed",
                    "a real folder",
                    "Put the files there if they are needed.",
                    shown(path),
                    "warning",
                    "link",
                )
            )
        elif (holds_images or has_image_suffix(path)) and is_image_folder(path):
            listing.pictures.append(path)
        else:
            listing.folders.append(path)
    elif has_image_suffix(path) or (holds_images and is_dicom(path)):
        _add_picture(listing, path, mode)
    elif path.suffix.lower() == ".json" and path.name.lower() not in _OWN_FILES:
        listing.annotations.append(path)
    elif path.name.lower() not in _OWN_FILES or listing.folder.name in ("images", "masks"):
        listing.others.append(path)


def _add_picture(listing: Listing, path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        listing.problems.append(
            Problem(
                "it is named like a picture but is no file (a pipe, socket or device)",
                "an image file",
                "Remove it.",
                shown(path),
                code="not-a-file",
            )
        )
    elif shown(path.name) != path.name:
        listing.problems.append(
            Problem(
                "its name is not valid UTF-8, so it cannot be written to a list or a table",
                "a name in UTF-8",
                "Rename it.",
                shown(path),
                code="bad-name",
            )
        )
    else:
        listing.pictures.append(path)


def _bad_link(path: Path, error: OSError) -> Problem:
    if path.is_symlink():
        is_loop = not isinstance(error, FileNotFoundError)
        what = (
            "it is a link that leads back to itself"
            if is_loop
            else ("it is a link to something that does not exist")
        )
        return Problem(
            f"{what}, and was left out",
            "a file",
            "Mend or remove the link.",
            shown(path),
            "warning",
            "link",
        )
    return Problem(
        f"it cannot be looked at: {error.strerror}",
        "a file",
        "Check its permissions.",
        shown(path),
        code="unreadable",
    )
