"""What masks mean where classes are regions that may overlap: from values, or from folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pixelwise.core.case import IGNORE, Case, ClassInfo, LabelMeaning
from pixelwise.core.errors import Problem
from pixelwise.data.description import Description, class_colours
from pixelwise.data.label_values import MaskValues
from pixelwise.data.mask_scan import scan_masks
from pixelwise.data.meaning import Understanding
from pixelwise.data.region_masks import missing_masks, region_files, understand_region_masks
from pixelwise.data.region_sets import (
    RegionSet,
    bits_of_values,
    describe_regions,
    find_uncovered,
    unknown_regions,
)

_BACKGROUND_COLOUR = "#000000"


def understand_regions(
    masks: Sequence[MaskValues], description: Description, regions: RegionSet
) -> tuple[Understanding | None, list[Problem]]:
    """Regions as unions of the values of one label map; a single region is a plain class."""
    found: Counter[str] = Counter()
    for mask in masks:
        found.update(mask.counts)
    table = bits_of_values(regions)
    sentence = describe_regions(regions)
    if description.ignore is not None:
        table[str(description.ignore)] = IGNORE
        sentence += f"; {description.ignore} is void (left out of training and scores)"
    if "nan" in found:
        table["nan"] = IGNORE
    problems = find_uncovered(found, table, description.path)
    if problems:
        return None, problems
    kind = "colours" if any(value.startswith("#") for value in table) else "values"
    meaning = LabelMeaning(
        "colours" if kind == "colours" else "values", table, sentence, holds_regions=True
    )
    if len(regions.names) == 1:
        plain = replace(
            meaning,
            holds_regions=False,
            sentence=f"{sentence}; a single region is a class beside background",
        )
        return Understanding(plain, _two_classes(regions.names[0])), []
    return Understanding(meaning, region_classes(regions.names)), []


def understand_folders(
    cases: Sequence[Case],
    names: Sequence[str],
    description: Description,
    max_pixels: int | None = None,
) -> tuple[list[Case], list[MaskValues], Understanding | None, list[Problem]]:
    """Regions with a folder of masks each: the cases with the first region's mask as label.

    names: of the folders, as found; dataset.json may give another order.
    """
    wanted = description.regions.names if description.regions is not None else ()
    problems = unknown_regions(wanted, names, description.path)
    rank = {name: index for index, name in enumerate(wanted)}
    folders = sorted(names, key=lambda name: (rank.get(name, len(rank)), name))
    moved = [
        case if case.label is None else replace(case, label=region_files(case.label, folders)[0])
        for case in cases
    ]
    labels = [case.label for case in moved if case.label is not None]
    for place in sorted({label.parent for label in labels}):
        problems += missing_masks([label for label in labels if label.parent == place], folders)
    if problems:
        return moved, [], None, problems
    paths: list[Path] = [path for label in labels for path in region_files(label, folders)]
    masks, broken = scan_masks(paths, max_pixels)
    meaning, odd = understand_region_masks(masks, folders, description.ignore)
    understood = None if meaning is None else Understanding(meaning, region_classes(folders))
    return moved, masks, understood, [*broken, *odd]


def region_classes(names: Sequence[str]) -> tuple[ClassInfo, ...]:
    """Regions as classes in the order of their bits, with colours that are told apart."""
    colours = class_colours([_BACKGROUND_COLOUR, *[None] * len(names)])[1:]
    return tuple(ClassInfo(i, n, c) for i, (n, c) in enumerate(zip(names, colours, strict=True)))


def _two_classes(name: str) -> tuple[ClassInfo, ...]:
    return (
        ClassInfo(0, "background", _BACKGROUND_COLOUR),
        ClassInfo(1, name, region_classes([name])[0].colour),
    )
