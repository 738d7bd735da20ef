"""Groups that lie in two splits: by a column, by the names of the files, and by what they show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import Case
from pixelwise.data.near_duplicates import Signature

GROUP_COLUMNS = (
    "subject", "subject_id", "patient", "patient_id", "person", "animal", "group", "slide",
    "slide_id", "film", "movie", "video", "sequence", "scan", "plate", "case", "case_id", "donor",
)  # fmt: skip
"""Names of columns that say what belongs together."""

_MORE_ALIKE = 0.75
"""Probability that a pair of one group is more alike than a pair of two: above it, what the
names say is confirmed by the pictures."""

_STANDS_OUT = 8.0
_LEAST_LIKENESS = 0.45


@dataclass(frozen=True, slots=True)
class Leak:
    """A group whose cases lie in several splits; cases: one of each split first."""

    name: str
    cases: tuple[str, ...]
    splits: tuple[str, ...]


def groups_by_column(
    columns: Sequence[str], rows: Mapping[str, Mapping[str, str]], keys: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Column -> case -> group, for each column that says what belongs together.

    keys: case -> key of its row. A column with one value, or with another for each, says nothing.
    """
    found = {}
    for column in columns:
        if column.lower().strip() not in GROUP_COLUMNS:
            continue
        groups = {
            case: rows[key][column] for case, key in keys.items() if rows.get(key, {}).get(column)
        }
        if 1 < len(set(groups.values())) < len(groups):
            found[column] = groups
    return found


def groups_by_name(ids: Sequence[str]) -> dict[str, str]:
    """Case -> what its name begins with, if that divides the set into groups of several; else {}.

    "film3_t017" belongs to "film3", "Image_07R" to "Image_07": a last run of digits, or a last
    letter behind a digit, numbers what lies within a group.
    """
    best: dict[str, str] = {}
    for pattern in (
        r"^(.*\d)[_\-. ]?[A-Za-z]$",
        r"^(.*?[A-Za-z0-9]*?\d[A-Za-z0-9]*)[_\-. ]+[A-Za-z]*\d+$",
    ):
        groups = {i: match.group(1) for i in ids if (match := re.match(pattern, i))}
        n_groups = len(set(groups.values()))
        if len(groups) == len(ids) and 2 <= n_groups <= len(ids) / 2:
            best = best or groups
    return best


def find_leaks(cases: Sequence[Case], groups: Mapping[str, str]) -> list[Leak]:
    """The groups with cases in more than one split."""
    members: dict[str, list[Case]] = {}
    for case in cases:
        if case.id in groups and case.split is not None:
            members.setdefault(groups[case.id], []).append(case)
    leaks = []
    for name, alike in sorted(members.items()):
        splits = sorted({str(case.split) for case in alike})
        if len(splits) > 1:
            firsts = [next(c.id for c in alike if c.split == split) for split in splits]
            rest = [case.id for case in alike if case.id not in firsts]
            leaks.append(Leak(name, (*firsts, *rest), tuple(splits)))
    return leaks


def likeness_matrix(signatures: Sequence[Signature]) -> npt.NDArray[np.float32]:
    """(n, n) correlation of the fine detail of pictures, without what all of them share."""
    stack = np.stack(list(signatures)).reshape(len(signatures), -1)
    if len(stack) >= 8:
        stack = stack - stack.mean(axis=0)
    norms = np.linalg.norm(stack, axis=1, keepdims=True)
    stack = stack / np.maximum(norms, 1e-6)
    return np.asarray(stack @ stack.T, np.float32)


def is_confirmed(likeness: npt.NDArray[np.float32], groups: Sequence[str]) -> float:
    """Probability that a pair of one group is more alike than a pair of two groups (AUC)."""
    names = np.asarray(groups)
    same = names[:, None] == names[None]
    upper = np.triu(np.ones_like(same), 1).astype(bool)
    within, between = likeness[same & upper], likeness[~same & upper]
    if not len(within) or not len(between):
        return 0.5
    ordered = np.sort(between)
    below = np.searchsorted(ordered, within, "left") + np.searchsorted(ordered, within, "right")
    return float(below.mean() / (2 * len(between)))


def confirms(probability: float) -> bool:
    """Whether pictures of one group are so much alike that the groups are real."""
    return probability >= _MORE_ALIKE


def kin(likeness: npt.NDArray[np.float32], splits: Sequence[str]) -> list[tuple[int, int, float]]:
    """Pairs in two splits that are far more alike than pairs of the set usually are.

    They show one scene, subject or neighbouring slices, without being copies. Pairs (training
    or validation case, later case, correlation), most alike first.
    """
    if len(likeness) < 8:
        return []
    upper = np.triu(np.ones(likeness.shape, bool), 1)
    values = likeness[upper]
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    limit = max(_LEAST_LIKENESS, middle + _STANDS_OUT * spread)
    names = np.asarray(splits)
    crossing = (names[:, None] != names[None]) & upper & (likeness > limit)
    pairs = [(int(a), int(b), float(likeness[a, b])) for a, b in np.argwhere(crossing)]
    return sorted(pairs, key=lambda pair: -pair[2])
