"""What a data set says about itself: dataset.json (our own or nnU-Net's) and metadata.csv."""

from __future__ import annotations

import colorsys
import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelwise.core.case import IGNORE
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, UserError
from pixelwise.core.files import read_json
from pixelwise.data.listing import stem_key
from pixelwise.data.region_sets import RegionSet, read_regions

_HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")
_STEM_COLUMNS = ("stem", "id", "image", "file", "filename", "file_name", "name")

_DISTINCT = (
    "#000000",
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#d55e00",
    "#0072b2",
    "#cc79a7",
    "#f0e442",
    "#882255",
    "#44aa99",
    "#332288",
    "#999933",
    "#117733",
    "#aa4499",
    "#88ccee",
    "#ddcc77",
)
"""Colours told apart with every kind of colour vision. Sources: Okabe and Ito, Color Universal
Design (2008); for the second half Paul Tol, Colour Schemes (2021), muted."""


@dataclass(frozen=True, slots=True)
class StoredClass:
    """A class as dataset.json gives it: the id that masks hold, name, and colour if any."""

    id: int
    name: str
    colour: str | None


@dataclass(frozen=True, slots=True)
class Description:
    """The content of dataset.json that is of use; all of it may be missing."""

    path: Path
    classes: tuple[StoredClass, ...] = ()
    ignore: int | None = None
    spacing: tuple[float, ...] | None = None
    unit: str = "px"
    mask_pattern: str | None = None
    name: str = ""
    extras: Mapping[str, str] = field(default_factory=dict)
    channel_names: tuple[str, ...] = ()
    regions: RegionSet | None = None

    @property
    def names_classes(self) -> bool:
        """Whether it says what values mean: classes, or regions made of them."""
        return bool(self.classes) or (self.regions is not None and bool(self.regions.values))


def read_description(root: Path, name: str = "dataset.json") -> tuple[Description, list[Problem]]:
    """dataset.json of a folder; an empty description where there is none.

    A file `name` of a simpler kind may hold no more than the list of classes.
    """
    path = root / name
    if not path.exists():
        return Description(path), []
    try:
        content = read_json(path)
    except UserError as error:
        return Description(path), list(error.problems)
    if isinstance(content, list):
        content = {"classes": content}
    if not isinstance(content, dict):
        return Description(path), [_malformed(path, "it holds no object {...}", "an object")]
    problems: list[Problem] = []
    labels = _turn_labels(content.get("labels"))
    regions, odd = read_regions(path, content)
    problems += odd
    has_values = regions is not None and bool(regions.values)
    named = (
        () if has_values or odd else _read_classes(path, content.get("classes"), labels, problems)
    )
    ignore = labels.get("ignore", content.get("ignore_index"))
    if ignore is not None and (not isinstance(ignore, int) or isinstance(ignore, bool)):
        problems.append(_malformed(path, f"ignore_index is {ignore!r}", "a whole number or null"))
        ignore = None
    spacing, unit = _read_spacing(path, content.get("spacing"), problems)
    pattern = content.get("mask_pattern")
    if pattern is not None and (not isinstance(pattern, str) or pattern.count("{stem}") != 1):
        problems.append(
            _malformed(
                path, f"mask_pattern is {pattern!r}", "a name with {stem} in it, like {stem}_mask"
            )
        )
        pattern = None
    title = content.get("name")
    return Description(
        path,
        named,
        ignore,
        spacing,
        unit,
        pattern,
        title if isinstance(title, str) else "",
        channel_names=_read_channels(path, content, problems),
        regions=regions,
    ), problems


def class_colours(given: list[str | None]) -> list[str]:
    """A colour for each class: the given one, else one that no other class has."""
    taken = {colour.lower() for colour in given if colour}
    spare = [colour for colour in _DISTINCT if colour not in taken]
    colours = []
    for index, colour in enumerate(given):
        if colour is None and spare:
            colour = spare.pop(0)
        colours.append((colour or _generated(index)).lower())
    return colours


def read_metadata(root: Path) -> tuple[list[str], dict[str, dict[str, str]]]:
    """Columns of metadata.csv, and its rows by stem; both empty if there is none.

    Raises OSError, UnicodeDecodeError or csv.Error if the file is no table.
    """
    path = root / "metadata.csv"
    if not path.exists():
        return [], {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.DictReader(stream)
        columns = list(rows.fieldnames or [])
        key = next(
            (c for c in columns if c.lower() in _STEM_COLUMNS), columns[0] if columns else ""
        )
        return columns, {stem_key(row[key] or ""): row for row in rows}


def _generated(index: int) -> str:
    # Steps of the golden angle never fall on the same hue.
    hue, light = (index * 0.381966) % 1.0, (0.45, 0.65, 0.3)[index % 3]
    levels = colorsys.hls_to_rgb(hue, light, 0.7)
    return "#" + "".join(f"{round(255 * level):02x}" for level in levels)


def _turn_labels(labels: Any) -> dict[str, Any]:
    """Name -> value, as nnU-Net writes it; the Decathlon writes it the other way round."""
    if not isinstance(labels, dict):
        return {}
    is_turned = all(str(key).isdecimal() and isinstance(name, str) for key, name in labels.items())
    return {name: int(key) for key, name in labels.items()} if is_turned else labels


def _read_classes(
    path: Path, given: Any, labels: Mapping[str, Any], problems: list[Problem]
) -> tuple[StoredClass, ...]:
    is_plain = not any(isinstance(value, list) for value in labels.values())
    if given is None and labels and is_plain:  # lists are regions, which are no classes
        given = [{"id": v, "name": name} for name, v in labels.items() if name != "ignore"]
    if given is None:
        return ()
    if not isinstance(given, list) or not given:
        problems.append(_malformed(path, f"classes is {given!r}", "a list of classes"))
        return ()
    if len(given) > IGNORE:
        problems.append(_malformed(path, f"it names {len(given)} classes", f"at most {IGNORE}"))
        return ()
    classes = []
    for index, item in enumerate(given):
        entry = {"id": index, "name": item} if isinstance(item, str) else item
        found = _read_class(path, index, entry, problems)
        if found is not None:
            classes.append(found)
    ids, names = [str(c.id) for c in classes], [c.name for c in classes]
    for what, values in (("id", ids), ("name", names)):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            problems.append(
                _malformed(
                    path,
                    f"classes share the {what} {', '.join(twice)}",
                    f"one {what} for each class",
                )
            )
            return ()
    return tuple(sorted(classes, key=lambda c: c.id)) if len(classes) == len(given) else ()


def _read_class(path: Path, index: int, item: Any, problems: list[Problem]) -> StoredClass | None:
    if not isinstance(item, dict):
        problems.append(_malformed(path, f"class {index} is {item!r}", '{"id": 0, "name": "..."}'))
        return None
    number, name = item.get("id", index), item.get("name", f"class {index}")
    colour = item.get("colour", item.get("color"))
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        problems.append(
            _malformed(path, f"the id of class {index} is {number!r}", "a whole number from 0")
        )
        return None
    if colour is not None and not (isinstance(colour, str) and _HEX.match(colour)):
        problems.append(
            _malformed(path, f"the colour of class {name!r} is {colour!r}", "a colour like #ff0000")
        )
        return None
    return StoredClass(number, str(name), colour.lower() if colour else None)


def _read_channels(path: Path, content: dict[str, Any], problems: list[Problem]) -> tuple[str, ...]:
    """Names of channels: a list (ours), or {"0": "T1"} as nnU-Net and the Decathlon write it."""
    given = content.get("channel_names", content.get("modality"))
    if isinstance(given, dict):
        keys = sorted(given, key=lambda key: (len(str(key)), str(key)))
        if [str(key) for key in keys] == [str(number) for number in range(len(keys))]:
            given = [given[key] for key in keys]
    if isinstance(given, list) and all(isinstance(name, str) and name for name in given):
        # Some sets call all channels alike; a number tells them apart.
        twice = {name for name in given if given.count(name) > 1}
        return tuple(f"{n} {i}" if n in twice else n for i, n in enumerate(given))
    if given is not None and "channel_names" in content:
        problems.append(
            _malformed(path, f"channel_names is {given!r}", '["T1", "FLAIR"] or {"0": "T1", …}')
        )
    return ()


def _read_spacing(
    path: Path, given: Any, problems: list[Problem]
) -> tuple[tuple[float, ...] | None, str]:
    if given is None:
        return None, "px"
    unit, values = "mm", given
    if isinstance(given, dict):
        unit = str(given.get("unit", "px"))
        values = given.get("zyx", given.get("yx"))
        turned = given.get("xyz", given.get("xy"))
        if values is None and isinstance(turned, list):
            values = turned[::-1]
    is_usable = (
        isinstance(values, list)
        and len(values) in (2, 3)
        and all(isinstance(v, int | float) and not isinstance(v, bool) and v > 0 for v in values)
    )
    if not is_usable:
        problems.append(
            _malformed(path, f"spacing is {given!r}", 'null or {"unit": "um", "yx": [0.5, 0.5]}')
        )
        return None, "px"
    return tuple(float(v) for v in values), unit


def _malformed(path: Path, what: str, expected: str) -> Problem:
    return Problem(what, expected, "Correct dataset.json.", shown(path), code="bad-dataset-json")
