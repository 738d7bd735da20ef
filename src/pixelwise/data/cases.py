"""From a folder to a data set: cases, classes, mask meaning, splits, and every problem at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pixelwise.core.case import Case, DataSet
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, UserError
from pixelwise.core.image import Header
from pixelwise.data.case_splits import split_cases
from pixelwise.data.declared import attach_annotated, attach_objects
from pixelwise.data.description import read_description
from pixelwise.data.finding import Finding
from pixelwise.data.layout import Layout, find_layout
from pixelwise.data.listing import stem_key
from pixelwise.data.mask_scan import scan_masks
from pixelwise.data.meaning import understand_masks, understand_polygons
from pixelwise.data.place_cases import add_place, no_masks
from pixelwise.data.polygons import annotation_labels
from pixelwise.data.region_meaning import understand_folders, understand_regions
from pixelwise.readers import image_stem
from pixelwise.readers.stacked import open_images


def find_cases(
    root: Path | str,
    *,
    group: str | None = None,
    label_map: str | None = None,
    seed: int = 0,
    allow_unpaired: bool = False,
    max_pixels: int | None = None,
) -> tuple[DataSet | None, list[Problem]]:
    """Understand a folder of images and masks.

    group: "column:NAME" of metadata.csv or a pattern with one pair of parentheses; cases
    of a group stay in one split. label_map: what mask values mean ("0=background,255=cell").
    Returns the set, None if nothing can be made of the folder, and all problems; a set
    that comes with errors is for looking at, not for training.
    """
    finding = explore(
        root,
        group=group,
        label_map=label_map,
        seed=seed,
        allow_unpaired=allow_unpaired,
        max_pixels=max_pixels,
    )
    return as_data_set(finding), finding.problems


def explore(
    root: Path | str,
    *,
    group: str | None = None,
    label_map: str | None = None,
    seed: int = 0,
    allow_unpaired: bool = False,
    max_pixels: int | None = None,
) -> Finding:
    """As find_cases, keeping what was found even where the masks were not understood."""
    root = Path(root).absolute()
    layout = find_layout(root)
    description, problems = read_description(root)
    finding = Finding(root, description, problems=[*layout.problems, *problems])
    for place in layout.places:
        finding.images += place.images
        add_place(finding, place, allow_unpaired)
    _make_ids_unique(finding)
    _attach_fov(finding, layout)
    finding.extras = layout.extras
    finding.regions = layout.regions
    if finding.cases:
        _understand(finding, label_map, max_pixels)
        _attach_declared(finding)
        split_cases(finding, group, seed)
    elif not any(problem.severity == "error" for problem in finding.problems):
        finding.problems.append(no_masks(root))
    return finding


def as_data_set(finding: Finding) -> DataSet | None:
    """The data set of a finding, None without cases or without a meaning of the masks."""
    if not finding.cases or finding.understanding is None:
        return None
    description = finding.description
    spacing, unit = description.spacing, description.unit
    names = finding.channel_names or description.channel_names
    is_spacing_given = spacing is not None
    first = _first_header(finding.cases)
    if first is not None:
        names = names or first.channel_names
        spacing, unit = (spacing, unit) if is_spacing_given else (first.spacing, first.unit)
    return DataSet(
        root=finding.root,
        name=description.name or finding.root.name,
        cases=tuple(finding.cases),
        classes=finding.understanding.classes,
        meaning=finding.understanding.meaning,
        spacing=spacing,
        unit=unit,
        split_rule=finding.split_rule,
        extras={**finding.extras, "pairing": finding.pairing},
        channel_names=names,
        is_spacing_given=is_spacing_given,
    )


def _make_ids_unique(finding: Finding) -> None:
    """Stems that occur in two split folders get the name of their split in front."""
    counts = Counter(stem_key(case.id).casefold() for case in finding.cases)
    finding.cases = sorted(
        (
            case
            if counts[stem_key(case.id).casefold()] == 1
            else replace(case, id=f"{case.split or case.image.parent.name}_{case.id}")
            for case in finding.cases
        ),
        key=lambda case: case.id,
    )


def _attach_fov(finding: Finding, layout: Layout) -> None:
    fields = {stem_key(image_stem(path)): path for path in layout.fov}
    if not fields:
        return
    finding.cases = [
        replace(case, fov=fields.get(stem_key(image_stem(case.image)))) for case in finding.cases
    ]
    without = [case.id for case in finding.cases if case.fov is None]
    if without:
        finding.problems.append(
            Problem(
                f"{len(without)} images have no field-of-view mask and count as a whole: "
                + ", ".join(without[:5]),
                path=shown(layout.fov[0].parent),
                severity="warning",
                code="no-fov",
            )
        )


def _attach_declared(finding: Finding) -> None:
    """Numbered objects and annotated classes, where the set declares them."""
    understood = finding.understanding
    if understood is None:
        return
    meaning = understood.meaning
    finding.cases, problems = attach_objects(
        finding.cases, masks_count_objects=meaning.counts_objects
    )
    finding.cases, more = attach_annotated(
        finding.root, finding.cases, understood.classes, overlaps=meaning.holds_regions
    )
    finding.problems += [*problems, *more]


def _understand(finding: Finding, label_map: str | None, max_pixels: int | None) -> None:
    if finding.drawings:
        labels = annotation_labels(finding.drawings)
        understood, problems = understand_polygons(labels, finding.description)
    elif finding.regions and len(finding.regions) > 1:
        finding.cases, finding.masks, understood, problems = understand_folders(
            finding.cases, finding.regions, finding.description, max_pixels
        )
    else:
        paths = [case.label for case in finding.cases if case.label is not None]
        finding.masks, broken = scan_masks(paths, max_pixels)
        regions = finding.description.regions
        if label_map is None and regions is not None and regions.values:
            understood, problems = understand_regions(finding.masks, finding.description, regions)
        else:
            understood, problems = understand_masks(finding.masks, finding.description, label_map)
        problems = [*broken, *problems]
    finding.understanding = understood
    finding.problems += problems


def _first_header(cases: Sequence[Case]) -> Header | None:
    try:
        with open_images(cases[0].images) as source:
            return source.header
    except UserError:
        return None  # the file is reported when the facts are gathered
