"""The user's own words on mask values: --map '0=background,255=vessel'."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pixelwise.core.case import IGNORE, LabelMeaning
from pixelwise.core.errors import BadData, Problem

_VOID = ("ignore", "void")
_VALUE = re.compile(r"(nan|-?\d+(\.\d+)?)\Z", re.IGNORECASE)
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_CUT = re.compile(r">=(-?\d+(\.\d+)?)\Z")
_BELOW = re.compile(r"<(-?\d+(\.\d+)?)\Z")
_OBJECTS = "objects"
_EXAMPLES = "0=background,255=vessel or #ff0000=car,#000000=ignore or >=128=cell or objects=cell"


@dataclass(frozen=True, slots=True)
class NamedMeaning:
    """What a map says: the meaning, and the class names in the order of their ids."""

    meaning: LabelMeaning
    names: tuple[str, ...]


def parse_label_map(text: str) -> NamedMeaning:
    """Read VALUE=NAME pairs separated by commas.

    VALUE is a stored number, a colour #rrggbb, nan, or >=NUMBER for everything from there
    on (all below is background, or what <NUMBER=NAME says). Values with the same NAME
    become one class; the names `ignore` and `void` leave pixels out. Classes are numbered
    in the order of the text, and `background` first. objects=NAME alone says that masks
    number single objects: every number from 1 on is one.
    Raises BadData with everything that is wrong.
    """
    pairs, problems = [], []
    for part in (part.strip() for part in text.split(",")):
        # The last = separates, for >=128=cell has two.
        value, separator, name = part.rpartition("=")
        value, name = value.strip().lower(), name.strip()
        is_known = value == _OBJECTS or any(
            kind.match(value) for kind in (_VALUE, _COLOUR, _CUT, _BELOW)
        )
        if not separator or not name or not is_known:
            problems.append(_problem(f"{part!r} is not VALUE=NAME"))
        pairs.append((value, name))
    values = [value for value, _ in pairs]
    for value in sorted({value for value in values if values.count(value) > 1}):
        problems.append(_problem(f"the value {value} is given {values.count(value)} times"))
    kinds = {_kind(value) for value in values}
    if not problems and len(kinds) > 1:
        problems.append(_problem(f"{', '.join(sorted(kinds))} are mixed in {text!r}"))
    if problems:
        raise BadData(problems)
    return _build(pairs, kinds.pop())


def format_label_map(names: dict[str, str]) -> str:
    """The text that parse_label_map reads back: stored value -> name."""
    return ",".join(f"{value}={name}" for value, name in names.items())


def _build(pairs: list[tuple[str, str]], kind: str) -> NamedMeaning:
    threshold = None
    if kind == "ranges":
        return _build_cut(pairs)
    if kind == _OBJECTS:
        return _build_objects(pairs[0][1])
    names = list(dict.fromkeys(name for _, name in pairs if name.lower() not in _VOID))
    names.sort(key=lambda name: name.lower() != "background")
    if len(names) < 2:
        raise BadData(_problem(f"it names {len(names)} class, and at least two are needed"))
    if len(names) > IGNORE:
        raise BadData(_problem(f"it names {len(names)} classes, and at most 255 are possible"))
    to_class = {
        value: IGNORE if name.lower() in _VOID else names.index(name) for value, name in pairs
    }
    said = ", ".join(f"{value} is {name}" for value, name in pairs)
    meaning = LabelMeaning(
        "colours" if kind == "colours" else "values", to_class, f"as --map says: {said}", threshold
    )
    return NamedMeaning(meaning, tuple(names))


def _build_cut(pairs: list[tuple[str, str]]) -> NamedMeaning:
    above = [(match, name) for value, name in pairs if (match := _CUT.match(value))]
    below = [(match, name) for value, name in pairs if (match := _BELOW.match(value))]
    if len(above) != 1 or len(below) > 1:
        raise BadData(_problem("exactly one >=NUMBER=NAME is possible"))
    number, name = above[0][0].group(1), above[0][1]
    if below and float(below[0][0].group(1)) != float(number):
        raise BadData(_problem(f"<{below[0][0].group(1)} and >={number} do not meet"))
    low = below[0][1] if below else "background"
    if low == name:
        raise BadData(_problem(f"both sides of {number} are called {name!r}"))
    meaning = LabelMeaning(
        "values",
        {f"<{number}": 0, f">={number}": 1},
        f"as --map says: values from {number} on are {name}, all below are {low}",
        float(number),
    )
    return NamedMeaning(meaning, (low, name))


def _build_objects(name: str) -> NamedMeaning:
    if name.lower() in ("background", *_VOID):
        raise BadData(_problem(f"objects are called {name!r}"))
    sentence = f"as --map says: 0 is background, every other number is one {name}"
    to_class = {"<1": 0, ">=1": 1}
    meaning = LabelMeaning("values", to_class, sentence, 1.0, counts_objects=True)
    return NamedMeaning(meaning, ("background", name))


def _kind(value: str) -> str:
    if value == _OBJECTS:
        return value
    if value.startswith("#"):
        return "colours"
    return "ranges" if value.startswith((">", "<")) else "numbers"


def _problem(what: str) -> Problem:
    return Problem(
        f"in --map, {what}",
        f"pairs like {_EXAMPLES}",
        "Put the whole of it in quotes.",
        code="bad-map",
    )
