"""What the stored mask values mean: detected, said in words, or refused if ambiguous."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pixelwise.core.case import IGNORE, ClassInfo, LabelMeaning
from pixelwise.core.errors import BadData, Problem
from pixelwise.data.description import Description, class_colours
from pixelwise.data.label_map import format_label_map, parse_label_map
from pixelwise.data.label_values import (
    MaskValues,
    colour_text,
    histogram_text,
    is_instance_like,
    is_smeared,
    whole_numbers,
)
from pixelwise.data.meaning_refusals import (
    MAX_FOUND_CLASSES,
    VOID,
    ambiguous,
    one_value,
    refuse_mask,
    too_many_colours,
    too_many_values,
)

_BLACK = "#000000"
_NAN_SENTENCE = "; NaN is void (left out of training and scores)"

Palette = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Understanding:
    """The meaning of a set's masks and its classes."""

    meaning: LabelMeaning
    classes: tuple[ClassInfo, ...]


def understand_masks(
    masks: Sequence[MaskValues], description: Description, label_map: str | None
) -> tuple[Understanding | None, list[Problem]]:
    """Find out what mask values mean: from the map, from dataset.json, or from the values.

    Masks that do not fit what the set means are not reported here but when they are read.
    """
    if label_map is not None:
        return _from_map(masks, description, label_map)
    if not masks:
        return None, []
    if description.classes:
        return _from_description(masks, description), []
    if any(mask.kind == "colours" for mask in masks):
        return _from_colours(masks, description)
    return _from_values(masks, description)


def understand_polygons(
    labels: Sequence[str], description: Description
) -> tuple[Understanding | None, list[Problem]]:
    """Classes of polygon labels: background, then the labels in the order of the alphabet."""
    if description.classes:
        names = [c.name for c in description.classes]
        colours = [c.colour for c in description.classes]
    else:
        names = ["background", *[label for label in labels if label != "background"]]
        colours = [None] * len(names)
    if len(names) < 2:
        return None, [
            Problem(
                "no object is labelled in the annotation files",
                "at least one polygon",
                "Export the annotations again.",
                code="no-foreground",
            )
        ]
    to_class = {name: index for index, name in enumerate(names)}
    sentence = (
        f"polygons: {', '.join(names[1:])}; everything outside is {names[0]}, a pixel is inside "
        "if its centre is, later objects cover earlier ones"
    )
    meaning = LabelMeaning("polygons", to_class, sentence)
    return Understanding(meaning, _classes(names, colours)), []


def _from_map(
    masks: Sequence[MaskValues], description: Description, label_map: str
) -> tuple[Understanding | None, list[Problem]]:
    try:
        named = parse_label_map(label_map)
    except BadData as error:
        return None, list(error.problems)
    by_name = {c.name: c.colour for c in description.classes}
    colours = [by_name.get(name) for name in named.names]
    if named.meaning.kind == "colours":
        stored = {class_id: value for value, class_id in list(named.meaning.to_class.items())[::-1]}
        colours = [given or stored.get(i) for i, given in enumerate(colours)]
    return Understanding(named.meaning, _classes(list(named.names), colours)), []


def _from_description(masks: Sequence[MaskValues], description: Description) -> Understanding:
    """Ids or colours as dataset.json names them."""
    declared = description.classes
    names = [c.name for c in declared]
    classes = _classes(names, [c.colour for c in declared])
    has_colours = any(mask.kind == "colours" for mask in masks) and all(c.colour for c in declared)
    if has_colours:
        to_class = {str(c.colour): index for index, c in enumerate(declared)}
        sentence = "colours stand for the classes of dataset.json"
        if description.ignore is not None and _BLACK not in to_class:
            to_class[_BLACK] = IGNORE
            sentence += f"; black ({_BLACK}), which no class has, is void"
        return Understanding(LabelMeaning("colours", to_class, sentence), classes)
    found = _all_values(masks)
    ids = {str(c.id): index for index, c in enumerate(declared)}
    sentence = "numbers are the class ids of dataset.json"
    if description.ignore is not None:
        ids[str(description.ignore)] = IGNORE
        sentence += f"; {description.ignore} is void (left out of training and scores)"
    elif set(found) <= {"0", "255"} and "255" in found and len(declared) == 2 and "255" not in ids:
        ids = {"0": 0, "255": 1}
        sentence = f"two values: 0 is {names[0]}, 255 is {names[1]}"
    if "nan" in found:
        ids["nan"] = IGNORE
        sentence += _NAN_SENTENCE
    return Understanding(LabelMeaning("values", ids, sentence, None, _palette(masks)), classes)


def _from_colours(
    masks: Sequence[MaskValues], description: Description
) -> tuple[Understanding | None, list[Problem]]:
    """Every colour that occurs is a class, in the order of their codes; black comes first."""
    found: Counter[str] = Counter()
    for mask in masks:
        found.update(_as_colours(mask))
    smeared = [mask for mask in masks if is_smeared(mask) or len(mask.counts) > MAX_FOUND_CLASSES]
    if smeared or len(found) > MAX_FOUND_CLASSES:
        return None, [too_many_colours(mask, found) for mask in (smeared or masks[:1])]
    colours = sorted(found)
    named = {colour: f"colour {colour}" for colour in colours}
    if _BLACK in named:
        named[_BLACK] = "background"
    sentence = (
        f"masks hold {len(colours)} colours and each is a class: "
        + ", ".join(f"{index} = {colour}" for index, colour in enumerate(colours))
        + "; name them in dataset.json or with --map"
    )
    to_class = {colour: index for index, colour in enumerate(colours)}
    meaning = LabelMeaning("colours", to_class, sentence)
    example = format_label_map({c: n.replace("colour #", "class_") for c, n in named.items()})
    note = Problem(
        f"the masks are colours without a table of classes, {len(colours)} of them: "
        f"{histogram_text(found)}",
        "",
        f"If one of them is void, or to name them: --map '{example}'",
        severity="warning",
        code="mask-colours",
    )
    names = [named[colour] for colour in colours]
    return Understanding(meaning, _classes(names, list(colours))), [note]


def _from_values(
    masks: Sequence[MaskValues], description: Description
) -> tuple[Understanding | None, list[Problem]]:
    """Few numbers are classes in rising order; what could mean two things is refused."""
    odd = [mask for mask in masks if is_smeared(mask) or is_instance_like(mask)]
    if len(odd) == len(masks):
        return None, [refuse_mask(mask) for mask in odd]
    # The others say what the values mean; the odd ones are reported when they are read.
    masks = [mask for mask in masks if mask not in odd]
    found = _all_values(masks)
    numbers = whole_numbers(found) or []
    is_counted = _is_counted(masks)
    if len(numbers) > MAX_FOUND_CLASSES or is_counted or not numbers or numbers[0] < 0:
        return None, [too_many_values(masks[0].path, found, is_counted)]
    void = description.ignore
    if void is None and _looks_void(numbers):
        void = VOID
    ids = [number for number in numbers if number != void]
    warnings = []
    if len(ids) < 2:
        warnings = [one_value(masks, ", ".join(map(str, numbers)))]
        ids = [0, 1] if ids in ([], [0]) else [0, *ids]
    if void is None and VOID in ids and len(ids) > 2:
        return None, [ambiguous(masks[0].path, ids, found)]
    to_class = {str(number): index for index, number in enumerate(ids)}
    sentence = _values_sentence(ids)
    if void is not None:
        to_class[str(void)] = IGNORE
        reason = "" if description.ignore is not None else ", as usual beside ids that start at 0"
        sentence += f"; {void} is void{reason} (left out of training and scores)"
    if "nan" in found:
        to_class["nan"] = IGNORE
        sentence += _NAN_SENTENCE
    names = ["background" if number == 0 else f"class {number}" for number in ids]
    if len(ids) == 2 and ids[0] == 0:
        names = ["background", "foreground"]
    palette = _palette(masks)
    colours: list[str | None] = [None] * len(ids)
    if palette is not None and len({palette[n] for n in ids if n < len(palette)}) == len(ids):
        colours = [_hex(palette[number]) for number in ids]
    meaning = LabelMeaning("values", to_class, sentence, None, palette)
    return Understanding(meaning, _classes(names, colours)), warnings


def _values_sentence(ids: list[int]) -> str:
    if len(ids) == 2 and ids[0] == 0:
        return f"two values: 0 is background, {ids[1]} is foreground"
    if ids == list(range(len(ids))):
        return f"numbers are class ids: {', '.join(map(str, ids))}"
    pairs = ", ".join(f"{number} is class {index}" for index, number in enumerate(ids))
    return f"each number is a class, in rising order: {pairs}"


def _looks_void(numbers: list[int]) -> bool:
    """255 beside ids that run from 0 without a gap, two of them at least."""
    others = numbers[:-1]
    return numbers[-1] == VOID and len(others) >= 2 and others == list(range(len(others)))


def _is_counted(masks: Sequence[MaskValues]) -> bool:
    """Whether each mask counts its objects: 1..n without a gap, another n in each file."""
    tops = set()
    for mask in masks:
        numbers = [n for n in whole_numbers(mask.counts) or [] if n != 0]
        if not numbers or numbers != list(range(1, len(numbers) + 1)):
            return False
        tops.add(len(numbers))
    return len(tops) > 1 and max(tops) > 8


def _as_colours(mask: MaskValues) -> dict[str, int]:
    if mask.kind == "colours":
        return dict(mask.counts)
    numbers = [(int(text), n) for text, n in mask.counts.items() if text.isdecimal()]
    if mask.palette:
        return {_hex(mask.palette[v]): n for v, n in numbers if v < len(mask.palette)}
    return {colour_text(min(v, 255) * 0x010101): n for v, n in numbers}


def _all_values(masks: Sequence[MaskValues]) -> Counter[str]:
    found: Counter[str] = Counter()
    for mask in masks:
        found.update(mask.counts)
    return found


def _palette(masks: Sequence[MaskValues]) -> Palette | None:
    return next((mask.palette for mask in masks if mask.palette), None)


def _hex(colour: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{level:02x}" for level in colour)


def _classes(names: list[str], colours: Sequence[str | None]) -> tuple[ClassInfo, ...]:
    return tuple(
        ClassInfo(index, name, colour)
        for index, (name, colour) in enumerate(
            zip(names, class_colours(list(colours)), strict=True)
        )
    )
