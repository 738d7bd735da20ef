"""Who trains, who validates, who tests: as given, or grouped, stratified and seeded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from pixelwise.core.case import Split
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, UserError
from pixelwise.core.files import read_json
from pixelwise.data.listing import name_some, stem_key
from pixelwise.readers import image_stem

_ALIASES: Mapping[str, Split] = {
    "train": "train",
    "training": "train",
    "tr": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "ts": "test",
}
_TEST_SHARE, _VAL_SHARE = 0.2, 0.15
_MIN_FOR_TEST = 5


@dataclass(frozen=True, slots=True)
class Member:
    """What a split is decided on: id, group, share of foreground pixels."""

    id: str
    group: str
    foreground: float = 0.0


def split_of_folder(name: str) -> Split | None:
    """The split that a folder name stands for, None if it is none."""
    return _ALIASES.get(name.lower())


def read_splits(path: Path, ids: Sequence[str]) -> tuple[dict[str, Split] | None, list[Problem]]:
    """splits.json: case id -> split, with everything that is wrong with it.

    Stems are looked up in the list of cases and never followed as paths.
    """
    try:
        content = read_json(path)
    except UserError as error:
        return None, list(error.problems)
    if not isinstance(content, dict):
        return None, [_bad(path, "it holds no object {...}", '{"train": [...], "val": [...]}')]
    known = {stem_key(case): case for case in ids}
    problems: list[Problem] = []
    found: dict[str, list[Split]] = {}
    for key, stems in content.items():
        split = split_of_folder(key)
        if split is None:
            problems.append(_bad(path, f"there is a split called {key!r}", "train, val or test"))
        elif not isinstance(stems, list) or not all(isinstance(stem, str) for stem in stems):
            problems.append(_bad(path, f"{key} is no list of names", '["name1", "name2"]'))
        else:
            for stem in stems:
                case = _look_up(stem, known)
                if case is None:
                    problems.append(_unknown_stem(path, key, stem))
                else:
                    found.setdefault(case, []).append(split)
    problems += _repeated(path, found)
    missing = [case for case in ids if case not in found]
    if missing:
        problems.append(
            Problem(
                f"{len(missing)} cases are in no split and are left out: {name_some(missing)}",
                "",
                "Add them to a split if they are wanted.",
                shown(path),
                "warning",
                "split-incomplete",
            )
        )
    return {case: splits[0] for case, splits in found.items()}, problems


def complete_splits(
    members: Sequence[Member], given: Mapping[str, Split], seed: int
) -> tuple[dict[str, Split], str]:
    """Given splits; without one for validation, a part of train is carved out for it."""
    splits = dict(given)
    counts = {split: sum(s == split for s in splits.values()) for split in get_args(Split)}
    training = [member for member in members if splits.get(member.id) == "train"]
    if counts["val"] or len({member.group for member in training}) < 2:
        return splits, _count_text(splits)
    for member_id in _draw(training, _target(len(training), _VAL_SHARE), seed):
        splits[member_id] = "val"
    n_carved = sum(s == "val" for s in splits.values())
    return splits, (
        f"{_count_text(splits)}; none was given for validation, so {n_carved} of the "
        f"{counts['train']} training cases were set aside for it (seed {seed})"
    )


def make_splits(members: Sequence[Member], seed: int) -> tuple[dict[str, Split], str]:
    """A split of our own: whole groups, shares of foreground spread evenly, seeded.

    From 5 groups on 20 % test and 15 % validation, at least one group each; from 2 to 4
    groups one for validation and no test; a single one is all training.
    """
    splits: dict[str, Split] = {member.id: "train" for member in members}
    groups = {member.group for member in members}
    if len(groups) < 2:
        n = len(members)
        what = "there is one case only" if n == 1 else f"all {n} cases are of one group"
        return splits, (
            f"{what}: a part of its area has to be held out for validation, which tells less "
            "than other images would"
        )
    has_test = len(groups) >= _MIN_FOR_TEST
    if has_test:
        for member_id in _draw(members, _target(len(members), _TEST_SHARE), seed):
            splits[member_id] = "test"
    rest = [member for member in members if splits[member.id] == "train"]
    for member_id in _draw(rest, _target(len(members), _VAL_SHARE), seed + 1):
        splits[member_id] = "val"
    kind = "groups kept together, " if len(groups) < len(members) else ""
    few = "" if has_test else "; too few for a test split, so scores are on validation cases"
    return splits, (
        f"{_count_text(splits)}: drawn at random ({kind}foreground shares spread evenly, "
        f"seed {seed}){few}"
    )


def _draw(members: Sequence[Member], n_wanted: int, seed: int) -> list[str]:
    """Ids of whole groups with about n_wanted members, one from each stratum of foreground."""
    by_group: dict[str, list[Member]] = {}
    for member in members:
        by_group.setdefault(member.group, []).append(member)
    ranked = sorted(by_group, key=lambda g: (_mean_share(by_group[g]), g))
    mean_size = len(members) / len(ranked)
    n_groups = min(max(1, round(n_wanted / mean_size)), len(ranked) - 1)
    random = np.random.default_rng(seed)
    drawn = [
        str(random.choice(np.asarray(stratum, dtype=object)))
        for stratum in np.array_split(np.asarray(ranked, dtype=object), n_groups)
    ]
    return [member.id for group in drawn for member in by_group[group]]


def _mean_share(members: Sequence[Member]) -> float:
    return sum(member.foreground for member in members) / len(members)


def _target(n: int, share: float) -> int:
    return max(1, round(n * share))


def _count_text(splits: Mapping[str, Split]) -> str:
    values = list(splits.values())
    names = {"train": "training", "val": "validation", "test": "test"}
    return ", ".join(f"{values.count(s)} {names[s]}" for s in get_args(Split))


def _look_up(stem: str, known: Mapping[str, str]) -> str | None:
    key = stem_key(stem)
    return known.get(key) or known.get(stem_key(image_stem(Path(stem))) if "/" not in stem else "")


def _unknown_stem(path: Path, split: str, stem: str) -> Problem:
    if ".." in stem or "/" in stem or "\\" in stem:
        return _bad(
            path,
            f"{split} names {stem!r}, a path that was not followed",
            "names of cases of this set",
            "unsafe-split",
        )
    return _bad(
        path,
        f"{split} names {stem!r}, which is no case of this set",
        "names of images that have masks",
        "split-missing",
    )


def _repeated(path: Path, found: Mapping[str, list[Split]]) -> list[Problem]:
    problems = []
    for case, splits in found.items():
        names = sorted(set(splits))
        if len(names) > 1:
            problems.append(
                _bad(
                    path,
                    f"{case!r} is in {' and in '.join(names)}",
                    "each case in one split: what is trained on cannot test",
                    "split-overlap",
                )
            )
        elif len(splits) > 1:
            problems.append(
                _bad(
                    path,
                    f"{case!r} is listed {len(splits)} times in {names[0]}",
                    "each case once",
                    "split-repeated",
                )
            )
    return problems


def _bad(path: Path, what: str, expected: str, code: str = "bad-splits") -> Problem:
    return Problem(what, expected, "Correct splits.json.", shown(path), code=code)
