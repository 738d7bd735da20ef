"""Channels in files of their own: found by name or folder, in one order, missing ones named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pixelwise.core.case import Case
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem
from pixelwise.data.listing import name_some, stem_key
from pixelwise.data.pairing import MASK_WORD, mask_stem
from pixelwise.readers import image_stem

ChannelOf = Mapping[Path, tuple[str, str]]
"""A channel file -> (stem of its case, name of its channel)."""

MOST_CHANNELS = 16
_NUMBERED = re.compile(r"(.+)_(\d{4})\Z")
_SEPARATORS = "_-. "
_USUAL = 0.5
"""A channel that fewer than this share of the cases have is no channel but another name."""


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """One image: the stem of its name, and its file or the files of its channels in order."""

    stem: str
    paths: tuple[Path, ...]


@dataclass(slots=True)
class ChannelSets:
    """Cases whose channels lie in separate files, the channels' names in order, and problems."""

    names: tuple[str, ...]
    cases: list[ImageFiles] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """What was understood, in words."""
        return f"each image is {len(self.names)} files, one for each channel: " + ", ".join(
            self.names
        )


def numbered_channels(images: Sequence[Path]) -> ChannelOf:
    """Files named CASE_0000, CASE_0001, … (as nnU-Net names channels); {} if any is not."""
    found = {}
    for path in images:
        match = _NUMBERED.match(stem_key(image_stem(path)))
        if match is None:
            return {}
        found[path] = (match.group(1), match.group(2))
    return found


def channels_by_masks(images: Sequence[Path], masks: Sequence[Path]) -> ChannelOf:
    """Several images for each mask, whose names add the same few endings to its name.

    {} unless every image begins with the name of a mask, and no image has that name itself.
    """
    keys = {key for mask in masks for key in (stem_key(image_stem(mask)), mask_stem(mask))}
    found = {}
    for path in images:
        stem = stem_key(image_stem(path))
        cuts = [n for n in range(1, len(stem)) if stem[n] in _SEPARATORS and stem[:n] in keys]
        if not cuts or stem in keys:
            return {}
        found[path] = (stem[: cuts[-1]], stem[cuts[-1] :].strip(_SEPARATORS))
    return found if _is_regular(found) else {}


def channels_by_folder(files: Mapping[Path, Sequence[Path]], masks: Sequence[Path]) -> ChannelOf:
    """Folder -> its images: one folder for each channel, or one for each case; {} if neither.

    With masks, whatever has their names is the case. Without, folders are cases if they all
    hold the same few names, and channels if they hold the same many.
    """
    keys = {key for mask in masks for key in (stem_key(image_stem(mask)), mask_stem(mask))}
    stems = {folder: [stem_key(image_stem(p)) for p in paths] for folder, paths in files.items()}
    folders = {stem_key(folder.name) for folder in files}
    inner = {stem for found in stems.values() for stem in found}
    if keys:
        is_channel = len(inner & keys) > len(folders & keys)
        if not is_channel and not folders & keys:
            return {}
    else:
        tails = {_tail(stem, f.name) for f, found in stems.items() for stem in found}
        is_channel = len(files) < len(tails)
    found = {}
    for folder, paths in files.items():
        for path in paths:
            stem, name = stem_key(image_stem(path)), stem_key(folder.name)
            found[path] = (stem, name) if is_channel else (name, _tail(stem, name))
    return found if _is_regular(found) else {}


def case_folders(files: Mapping[Path, Sequence[Path]]) -> tuple[ChannelOf, dict[str, Path]]:
    """Folder of a case -> its images: channels and masks told apart by names like seg.

    Returns the channel of each image, and the mask of each case; both empty unless most
    folders hold one mask and at least one image.
    """
    found: dict[Path, tuple[str, str]] = {}
    masks: dict[str, Path] = {}
    for folder, paths in files.items():
        case = stem_key(folder.name)
        named = {path: _tail(stem_key(image_stem(path)), case) for path in paths}
        truths = [path for path, tail in named.items() if MASK_WORD.search(f"_{tail}")]
        if len(truths) == 1:
            masks[case] = truths[0]
        found |= {path: (case, tail) for path, tail in named.items() if path not in truths}
    distinct = {name for _, name in found.values()}
    is_usual = len(masks) >= _USUAL * len(files) and len(distinct) <= MOST_CHANNELS
    if not masks or not found or not (is_usual and (len(distinct) == 1 or _is_regular(found))):
        return {}, {}
    return found, masks


def collect_channels(channel_of: ChannelOf, given: Sequence[str] = ()) -> ChannelSets:
    """The cases of channel files in the order of names, or of `given` names for 0000, 0001, …

    A case that lacks channels is left out and reported with their names.
    """
    stored = sorted({name for _, name in channel_of.values()})
    names = _name_channels(stored, given)
    by_case: dict[str, dict[str, Path]] = {}
    sets = ChannelSets(tuple(names[name] for name in stored))
    for path, (stem, name) in channel_of.items():
        files = by_case.setdefault(stem, {})
        if name in files:
            sets.problems.append(_twice(stem, names[name], files[name], path))
        files[name] = path
    for stem, files in sorted(by_case.items()):
        missing = [name for name in stored if name not in files]
        if missing:
            sets.problems.append(
                _missing(stem, [_both(name, names[name]) for name in missing], files)
            )
        else:
            sets.cases.append(ImageFiles(stem, tuple(files[name] for name in stored)))
    expected = len(given)
    if given and len(stored) != expected and not all(name.isdecimal() for name in stored):
        sets.problems.append(_other_count(given, stored, channel_of))
    return sets


def group_for_run(
    paths: Sequence[Path], names: Sequence[str]
) -> tuple[list[ImageFiles], list[Problem]]:
    """Images to be labelled, their channel files put in the order in which a run knows them.

    A file belongs to channel number n if its name ends in that channel's name or in its
    number (_0001), if it lies in a folder of the channel's name (flair/CASE), or is called
    like the channel in a folder of the case (CASE/flair). Files that are none of this are
    images of their own. Images that lack channels are reported with their names.
    """
    if len(names) < 2:
        return [ImageFiles(_stem_alone(path, names), (path,)) for path in paths], []
    images: dict[tuple[Path, str], dict[int, Path]] = {}
    whole = []
    problems = []
    for path in paths:
        found = _channel_for_run(path, names)
        if found is None:
            whole.append(ImageFiles(image_stem(path), (path,)))
            continue
        place, stem, index = found
        files = images.setdefault((place, stem), {})
        if index in files:
            problems.append(_twice(stem, names[index], files[index], path))
        files[index] = path
    for (_, stem), files in images.items():
        missing = [name for index, name in enumerate(names) if index not in files]
        if missing:
            problems.append(_missing(stem, missing, {str(n): p for n, p in files.items()}))
        else:
            whole.append(ImageFiles(stem, tuple(files[n] for n in range(len(names)))))
    return whole, problems


def label_stem(case: Case) -> str:
    """The stem under which labels of a case are written."""
    return case.id if case.channels else image_stem(case.image)


def _stem_alone(path: Path, names: Sequence[str]) -> str:
    """The stem of an image of one file; CASE_0000 is CASE where a run names its one channel."""
    stem = image_stem(path)
    return stem.removesuffix("_0000") if names else stem


def _channel_for_run(path: Path, names: Sequence[str]) -> tuple[Path, str, int] | None:
    """Folder that holds the case, stem of the case, and number of the channel of a file."""
    stem = stem_key(image_stem(path))
    known = {stem_key(name).casefold(): index for index, name in enumerate(names)}
    numbered = _NUMBERED.match(stem)
    if numbered is not None and int(numbered.group(2)) < len(names):
        return path.parent, numbered.group(1), int(numbered.group(2))
    if stem.casefold() in known:
        return path.parent.parent, path.parent.name, known[stem.casefold()]
    for name in sorted(known, key=len, reverse=True):
        front = stem[: len(stem) - len(name)]
        is_end = stem.casefold().endswith(name) and front[-1:] in tuple(_SEPARATORS)
        if is_end and front.strip(_SEPARATORS):
            return path.parent, front.rstrip(_SEPARATORS), known[name]
    folder = stem_key(path.parent.name).casefold()
    if folder in known:
        return path.parent.parent, stem, known[folder]
    return None


def _is_regular(found: ChannelOf) -> bool:
    """Whether there are 2 to 16 channels, and most cases have each of them."""
    cases = {case for case, _ in found.values()}
    names = [name for _, name in found.values()]
    distinct = set(names)
    return (
        1 < len(distinct) <= MOST_CHANNELS
        and all(names.count(name) >= _USUAL * len(cases) for name in distinct)
        and "" not in distinct
    )


def _tail(stem: str, folder: str) -> str:
    """flair of CASE_flair in the folder CASE; the whole stem of other names."""
    name = stem_key(folder)
    rest = stem.removeprefix(name)
    return rest.strip(_SEPARATORS) if rest != stem and rest[:1] in _SEPARATORS else stem


def _name_channels(stored: Sequence[str], given: Sequence[str]) -> dict[str, str]:
    """Stored names -> shown names: given ones by number, "channel 0" without, else as stored."""
    names = {}
    for name in stored:
        number = int(name) if name.isdecimal() else len(given)
        if name.isdecimal() and number < len(given):
            names[name] = given[number]
        else:
            names[name] = f"channel {int(name)}" if re.fullmatch(r"\d{4}", name) else name
    return names


def _both(stored: str, name: str) -> str:
    return f"{name} (_{stored})" if stored.isdecimal() and name != stored else name


def _missing(stem: str, missing: Sequence[str], files: Mapping[str, Path]) -> Problem:
    there = ", ".join(shown(path.name) for path in files.values())
    return Problem(
        f"the image {stem!r} lacks the channel{'s' if len(missing) > 1 else ''} "
        f"{', '.join(missing)}; there is {there}",
        "every channel of the set for every image",
        "Add the file, or leave the image out (--allow-unpaired).",
        shown(next(iter(files.values())).parent),
        code="missing-channel",
    )


def _twice(stem: str, name: str, one: Path, other: Path) -> Problem:
    return Problem(
        f"the channel {name} of the image {stem!r} is there twice: {shown(one.name)} and "
        f"{shown(other.name)}",
        "one file for each channel",
        "Remove one of them.",
        shown(other.parent),
        code="channel-twice",
    )


def _other_count(given: Sequence[str], stored: Sequence[str], files: ChannelOf) -> Problem:
    return Problem(
        f"dataset.json names {len(given)} channels ({name_some(list(given))}), the files "
        f"{len(stored)} ({name_some(list(stored))})",
        "as many files as channels",
        "Correct dataset.json, or the names of the files.",
        shown(next(iter(files)).parent),
        code="channel-names",
    )
