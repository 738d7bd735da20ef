"""Regions that may overlap: as unions of label values (dataset.json), or a mask folder for each."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelwise.arrays.region_bits import MAX_REGIONS
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem
from pixelwise.core.registry import suggest

_HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")
_OUTSIDE_NAMES = ("background", "ignore")
_EXAMPLE = '{"whole tumour": [1, 2, 4], "core": [1, 4]}'


@dataclass(frozen=True, slots=True)
class RegionSet:
    """Regions as dataset.json names them: the stored values that each is made of, as text.

    outside: values said to lie in no region. values is empty where a list gives nothing but
    the order of mask folders.
    """

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...] = ()
    outside: tuple[str, ...] = ()


def folder_name(region: str) -> str:
    """The name of the folder that a region's masks lie in: "whole tumour" -> "whole_tumour"."""
    return re.sub(r"[^\w.-]+", "_", region.strip()).strip("._") or "region"


def read_regions(path: Path, content: Mapping[str, Any]) -> tuple[RegionSet | None, list[Problem]]:
    """The regions of a dataset.json, None if it names none: our own form or nnU-Net's.

    Ours: "regions": {name: [values]}; values are numbers of the label map, colours, or names
    of `classes`. nnU-Net's: lists of values in "labels".
    """
    given = content.get("regions")
    labels = content.get("labels")
    if given is None and isinstance(labels, Mapping):
        if not any(isinstance(value, list) for value in labels.values()):
            return None, []
        given = labels
    if given is None:
        return None, []
    if isinstance(given, list) and all(isinstance(name, str) for name in given):
        problems = _check_names(path, given)
        return (None if problems else RegionSet(tuple(given))), problems
    if not isinstance(given, Mapping) or not given:
        return None, [
            _malformed(path, f"regions is {_short(given)}", f"names with values, as {_EXAMPLE}")
        ]
    known = _class_values(content.get("classes"))
    problems = []
    parts: dict[str, tuple[str, ...]] = {}
    outside: tuple[str, ...] = ()
    for name, values in given.items():
        found = _read_values(path, name, values, known, problems)
        if name.lower() not in _OUTSIDE_NAMES:
            parts[name] = found
        elif name.lower() == "background":
            outside = found
    problems += _check_names(path, list(parts)) + _check_parts(path, parts, known, outside)
    if problems:
        return None, problems
    return RegionSet(tuple(parts), tuple(parts.values()), outside), []


def bits_of_values(regions: RegionSet) -> dict[str, int]:
    """Stored value -> bit set of the regions that it lies in; 0 lies outside unless it is named."""
    table = dict.fromkeys(regions.outside, 0)
    for index, values in enumerate(regions.values):
        for value in values:
            table[value] = table.get(value, 0) | 1 << index
    if not any(value.startswith("#") for value in table):
        table.setdefault("0", 0)
    return dict(sorted(table.items(), key=lambda item: (len(item[0]), item[0])))


def describe_regions(regions: RegionSet) -> str:
    """The regions in a sentence: "regions that may overlap: core = 1 or 4; …"."""
    parts = [
        f"{name} = {_either(values)}"
        for name, values in zip(regions.names, regions.values, strict=True)
    ]
    return f"regions that may overlap, made of the label map's values: {'; '.join(parts)}"


def find_uncovered(found: Mapping[str, int], table: Mapping[str, int], path: Path) -> list[Problem]:
    """An error if masks hold values that lie in no region and were not said to lie outside."""
    missing = {value: n for value, n in found.items() if value not in table}
    if not missing:
        return []
    listed = ", ".join(f"{value} ({n} px)" for value, n in sorted(missing.items())[:8])
    first = next(iter(sorted(missing)))
    return [
        Problem(
            f"the masks hold {listed}, which no region of dataset.json has",
            "every value in a region, or in background",
            f'Add {first} to the regions that it belongs to, or to "background": [0, {first}].',
            shown(path),
            code="region-uncovered",
        )
    ]


def unknown_regions(wanted: Sequence[str], present: Sequence[str], path: Path) -> list[Problem]:
    """An error for each region that dataset.json names and no mask folder has."""
    return [
        Problem(
            f"it names the region {name!r}, which has no folder with masks",
            f"one of {', '.join(present)}",
            f"{suggest(name, present)} Add the folder, or take the name out.".strip(),
            shown(path),
            code="region-unknown",
        )
        for name in wanted
        if name not in present
    ]


def too_many(n: int, path: Path | str) -> Problem:
    """The error for more regions than a label can hold."""
    return Problem(
        f"there are {n} regions",
        f"at most {MAX_REGIONS}: a label holds them as bits of one byte",
        "Leave some out, or train two runs with a part of the regions each. Classes that never "
        "overlap need no regions: give them as values of one label map.",
        shown(path),
        code="too-many-regions",
    )


def _read_values(
    path: Path, name: str, given: Any, known: Mapping[str, str], problems: list[Problem]
) -> tuple[str, ...]:
    values = []
    for item in given if isinstance(given, list) else [given]:
        if isinstance(item, int) and not isinstance(item, bool) and item >= 0:
            values.append(str(item))
        elif isinstance(item, str) and _HEX.match(item):
            values.append(item.lower())
        elif isinstance(item, str) and item in known:
            values.append(known[item])
        else:
            problems.append(
                _malformed(
                    path,
                    f"region {name!r} holds {_short(item)}",
                    "values of the label map, colours like #ff0000, or names of classes"
                    + (f" ({', '.join(known)})" if known else ""),
                    suggest(str(item), known),
                )
            )
    if not values and not problems:
        problems.append(_malformed(path, f"region {name!r} has no values", "at least one value"))
    return tuple(dict.fromkeys(values))


def _check_names(path: Path, names: Sequence[str]) -> list[Problem]:
    if not names:
        return [_malformed(path, "regions names nothing but background", "at least one region")]
    problems = [too_many(len(names), path)] if len(names) > MAX_REGIONS else []
    folders = Counter(folder_name(name).casefold() for name in names)
    clashing = [name for name in names if folders[folder_name(name).casefold()] > 1]
    if clashing:
        problems.append(
            _malformed(
                path,
                f"the regions {', '.join(map(repr, clashing))} would have one folder for masks",
                "names that differ in letters or digits",
            )
        )
    return problems


def _check_parts(
    path: Path,
    parts: Mapping[str, tuple[str, ...]],
    known: Mapping[str, str],
    outside: Sequence[str],
) -> list[Problem]:
    problems = []
    seen: dict[frozenset[str], str] = {}
    for name, values in parts.items():
        other = seen.setdefault(frozenset(values), name)
        if other != name:
            problems.append(
                _malformed(path, f"the regions {other!r} and {name!r} have the same values",
                           "regions that differ")
            )  # fmt: skip
        both = [value for value in values if value in outside]
        if both:
            problems.append(
                _malformed(path, f"{', '.join(both)} is in region {name!r} and in background",
                           "each value inside or outside")
            )  # fmt: skip
    covered = {value for values in parts.values() for value in values} | set(outside) | {"0"}
    left = {name: value for name, value in known.items() if value not in covered}
    for name, value in left.items():
        problems.append(
            Problem(
                f"class {name!r} ({value}) is in no region",
                "every class in a region, or in background",
                f'Add {value} to the regions that it belongs to, or to "background": [0, {value}].',
                shown(path),
                code="region-uncovered",
            )
        )
    return problems


def _class_values(classes: Any) -> dict[str, str]:
    """Names of dataset.json's classes and the values that they have in masks."""
    found = {}
    for index, entry in enumerate(classes if isinstance(classes, list) else ()):
        if isinstance(entry, str):
            found[entry] = str(index)
        elif isinstance(entry, Mapping) and "name" in entry:
            found[str(entry["name"])] = str(entry.get("id", index))
    return found


def _either(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) < 80 else text[:77] + "…"


def _malformed(path: Path, what: str, expected: str, hint: str = "") -> Problem:
    remedy = f"{hint} Correct dataset.json.".strip()
    return Problem(what, expected, remedy, shown(path), code="bad-regions")
