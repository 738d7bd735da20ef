"""Groups and splits of the cases that were found, with leaks between splits reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pixelwise.core.case import IGNORE, LabelMeaning, Split
from pixelwise.core.errors import Problem
from pixelwise.data.finding import Finding
from pixelwise.data.groups import make_groups
from pixelwise.data.label_values import MaskValues
from pixelwise.data.splits import Member, complete_splits, make_splits, read_splits


def split_cases(finding: Finding, group: str | None, seed: int) -> None:
    """Give every case its group and its split: splits.json, else split folders, else drawn."""
    ids = [case.id for case in finding.cases]
    groups, rule, problems = make_groups(finding.root, ids, group)
    finding.problems += problems
    finding.cases = [replace(case, group=groups.get(case.id, case.id)) for case in finding.cases]
    shares = _foreground_shares(finding)
    members = [Member(c.id, c.group, shares.get(c.id, 0.0)) for c in finding.cases]
    path = finding.root / "splits.json"
    given: Mapping[str, Split] | None = {c.id: c.split for c in finding.cases if c.split}
    source = "from the folders: "
    if path.exists():
        given, split_problems = read_splits(path, ids)
        finding.problems += split_problems
        source = "from splits.json: "
    if given:
        splits, text = complete_splits(members, given, seed)
        finding.problems += _split_groups(members, given, group)
        finding.split_rule = source + text
    else:
        splits, finding.split_rule = make_splits(members, seed)
    if rule:
        finding.split_rule += f"; grouped {rule}"
    finding.cases = [replace(case, split=splits.get(case.id)) for case in finding.cases]


def _split_groups(
    members: Sequence[Member], given: Mapping[str, Split], group: str | None
) -> list[Problem]:
    """Groups that the given splits tear apart."""
    if group is None:
        return []
    found: dict[str, set[Split]] = {}
    for member in members:
        if member.id in given:
            found.setdefault(member.group, set()).add(given[member.id])
    return [
        Problem(
            f"group {name!r} is in {' and in '.join(sorted(splits))}",
            "each group in one split",
            "Correct the splits, or leave --group out.",
            code="split-leak",
        )
        for name, splits in sorted(found.items())
        if len(splits) > 1
    ]


def _foreground_shares(finding: Finding) -> dict[str, float]:
    """Case id -> share of its labelled pixels that are not of class 0."""
    if finding.understanding is None:
        return {}
    meaning = finding.understanding.meaning
    by_path = {mask.path: mask for mask in finding.masks}
    return {
        case.id: _share(by_path[case.label], meaning)
        for case in finding.cases
        if case.label in by_path
    }


def _share(mask: MaskValues, meaning: LabelMeaning) -> float:
    ids = {value: _class_of(value, meaning) for value in mask.counts}
    n_labelled = sum(n for value, n in mask.counts.items() if ids[value] != IGNORE)
    n_foreground = sum(n for value, n in mask.counts.items() if ids[value] not in (0, IGNORE))
    return n_foreground / n_labelled if n_labelled else 0.0


def _class_of(value: str, meaning: LabelMeaning) -> int:
    if meaning.threshold is not None and not value.startswith("#"):
        return int(float(value) >= meaning.threshold)
    return meaning.to_class.get(value, IGNORE)
