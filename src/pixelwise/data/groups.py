"""Which cases belong together: by a column of metadata.csv or a pattern in their names."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem
from pixelwise.data.description import read_metadata
from pixelwise.data.listing import name_some, stem_key

_GROUP_COLUMNS = ("subject", "patient", "patient_id", "subject_id", "group", "slide", "case")


def make_groups(
    root: Path, ids: Sequence[str], group: str | None
) -> tuple[dict[str, str], str, list[Problem]]:
    """Case id -> group, the rule in words, problems.

    group: "column:NAME" of metadata.csv, or a regular expression whose one pair of
    parentheses catches the group in the stem. None: every case is its own group.
    """
    try:
        columns, rows = read_metadata(root)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        where = shown(root / "metadata.csv")
        what = f"it cannot be read as a table: {error}"
        return (
            {},
            "",
            [
                Problem(
                    what,
                    "a CSV file in UTF-8",
                    "Correct or remove it.",
                    where,
                    "error" if group else "warning",
                    "bad-metadata",
                )
            ],
        )
    if group is None:
        return {case: case for case in ids}, "", _suggest_groups(root, columns, rows)
    if group.startswith("column:"):
        return _groups_of_column(root, ids, group.removeprefix("column:"), columns, rows)
    return _groups_of_pattern(ids, group)


def _groups_of_column(
    root: Path,
    ids: Sequence[str],
    column: str,
    columns: Sequence[str],
    rows: Mapping[str, Mapping[str, str]],
) -> tuple[dict[str, str], str, list[Problem]]:
    where = shown(root / "metadata.csv")
    if column not in columns:
        said = f"one of {', '.join(columns)}" if columns else "a metadata.csv beside images/"
        return (
            {},
            "",
            [
                Problem(
                    f"it has no column {column!r} to group by",
                    said,
                    "Correct --group.",
                    where,
                    code="bad-group",
                )
            ],
        )
    missing = [case for case in ids if not rows.get(stem_key(case), {}).get(column)]
    if missing:
        return (
            {},
            "",
            [
                Problem(
                    f"{len(missing)} cases have no {column}: {name_some(missing)}",
                    "one row for each image",
                    "Complete the table.",
                    where,
                    code="bad-group",
                )
            ],
        )
    return {case: rows[stem_key(case)][column] for case in ids}, f"by {column}", []


def _groups_of_pattern(
    ids: Sequence[str], pattern: str
) -> tuple[dict[str, str], str, list[Problem]]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        return {}, "", [_bad_group(f"--group {pattern!r} is no regular expression: {error}")]
    if expression.groups != 1:
        return (
            {},
            "",
            [_bad_group(f"--group {pattern!r} has {expression.groups} pairs of parentheses")],
        )
    matches = {case: expression.search(case) for case in ids}
    missing = [case for case, match in matches.items() if match is None or not match.group(1)]
    if missing:
        return {}, "", [_bad_group(f"--group {pattern!r} does not fit {name_some(missing)}")]
    groups = {case: match.group(1) for case, match in matches.items() if match}
    return groups, f"by the pattern {pattern}", []


def _bad_group(what: str) -> Problem:
    return Problem(
        what,
        "a pattern that catches the group in every name, as (\\d+)_ does, or column:NAME",
        "Correct --group.",
        code="bad-group",
    )


def _suggest_groups(
    root: Path, columns: Sequence[str], rows: Mapping[str, Mapping[str, str]]
) -> list[Problem]:
    column = next((c for c in columns if c.lower() in _GROUP_COLUMNS), None)
    values = [row.get(column, "") for row in rows.values()] if column else []
    if column is None or len(set(values)) == len(values):
        return []
    return [
        Problem(
            f"it has a column {column!r} with {len(set(values))} values for {len(values)} images",
            "",
            f"If images of one {column} are alike, keep them in one split with --group "
            f"column:{column}.",
            shown(root / "metadata.csv"),
            "note",
            "group-available",
        )
    ]
