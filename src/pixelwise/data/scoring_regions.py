"""Overlapping regions to be scored: both sides as masks per region or as label maps, in any mix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pixelwise.core.case import ClassInfo, LabelMeaning
from pixelwise.core.contents import shown
from pixelwise.core.errors import BadData, Problem, raise_errors
from pixelwise.data.description import Description, read_description
from pixelwise.data.mask_scan import scan_masks
from pixelwise.data.region_masks import region_files, region_folder_names, understand_region_masks
from pixelwise.data.region_meaning import region_classes, understand_regions
from pixelwise.data.region_sets import folder_name
from pixelwise.data.scoring_classes import ScoringClasses
from pixelwise.data.scoring_pairs import FolderPairs


def understand_scoring_regions(
    truth: Path, predicted: Path, paired: FolderPairs, description: Description
) -> tuple[FolderPairs, ScoringClasses] | None:
    """The pairs and meaning of a scoring of regions, None where classes do not overlap.

    A side is a folder with a mask folder per region, or a folder of label maps whose regions
    a dataset.json names. Regions go by their names, spaces and underscores being equal; the
    truth says which are scored. Raises BadData with everything that does not fit.
    """
    folders = tuple(region_folder_names(side) for side in (truth, predicted))
    has_values = description.regions is not None and bool(description.regions.values)
    if not has_values and not any(folders):
        return None
    if has_values and description.regions is not None and not folders[0]:
        names = description.regions.names
    elif folders[0]:
        names = _spoken(truth, folders[0])
    else:
        raise BadData(
            "the predictions have a mask for each region, the truths are label maps that name none",
            '"regions": {"whole tumour": [1, 2, 4], …} in a dataset.json beside the truths',
            "Write it, or give the truths as a folder of masks for each region.",
            path=shown(truth),
            code="region-unknown",
        )
    sides = (
        ("truth", truth, folders[0], [f[0] for f in paired.files.values()]),
        ("predicted", predicted, folders[1], [f[1] for f in paired.files.values()]),
    )
    moved, meanings = [], []
    for role, side, own, files in sides:
        if own:
            ordered = _in_order(names, own, role, side)
            files = [region_files(path, ordered)[0] for path in files]
            meanings.append(_of_folders(files, ordered, description.ignore))
        else:
            meanings.append(_of_values(files, names, role, side, description))
        moved.append(files)
    pairs = {
        stem: (t, p, view)
        for (stem, (_, _, view)), t, p in zip(paired.files.items(), *moved, strict=True)
    }
    classes = region_classes(names)
    if len(names) == 1:
        classes = (ClassInfo(0, "background", "#000000"), replace(classes[0], id=1))
    found = ScoringClasses(classes, meanings[0], meanings[1])
    return replace(paired, files=pairs), found


def _spoken(folder: Path, folders: Sequence[str]) -> tuple[str, ...]:
    """The names of regions as classes.json writes them, else those of their folders."""
    written, _ = read_description(folder, "classes.json")
    names = {folder_name(c.name): c.name for c in written.classes}
    return tuple(names.get(name, name) for name in folders)


def _in_order(
    names: Sequence[str], folders: Sequence[str], role: str, side: Path
) -> tuple[str, ...]:
    """The folder of each region. Raises BadData naming the regions that have none."""
    known = {folder_name(folder).casefold(): folder for folder in folders}
    missing = [name for name in names if folder_name(name).casefold() not in known]
    if missing:
        raise BadData(
            f"there are no {role} masks of {', '.join(missing)} (it has {', '.join(folders)})",
            "a folder of masks for every region of the truth",
            "Rename the folders so that both sides have the same, or add what is missing.",
            path=shown(side),
            code="region-unknown",
        )
    return tuple(known[folder_name(name).casefold()] for name in names)


def _of_folders(files: Sequence[Path], folders: Sequence[str], ignore: int | None) -> LabelMeaning:
    paths = [path for file in files for path in region_files(file, folders)]
    masks, problems = scan_masks(paths)
    raise_errors(problems)
    meaning, odd = understand_region_masks(masks, folders, ignore)
    if meaning is None:
        raise BadData(odd)
    return meaning


def _of_values(
    files: Sequence[Path], names: Sequence[str], role: str, side: Path, description: Description
) -> LabelMeaning:
    """The meaning of label maps, by the dataset.json of their own folder or that of the truth."""
    own = description
    for place in (side, side.parent):
        written, _ = read_description(place)
        if written.regions is not None and written.regions.values:
            own = written
            break
    regions = own.regions
    if regions is None or not regions.values:
        raise BadData(
            f"the {role} files are label maps and no dataset.json says which values make a region",
            "regions in a dataset.json, or a folder of masks for each region",
            'Write {"regions": {name: [values]}} beside them.',
            path=shown(side),
            code="region-unknown",
        )
    given = [folder_name(name).casefold() for name in regions.names]
    wanted = [folder_name(name).casefold() for name in names]
    if any(name not in given for name in wanted):
        raise BadData(
            f"the {role} label maps have the regions {', '.join(regions.names)}",
            f"{', '.join(names)}",
            "Name the same regions on both sides.",
            path=shown(side),
            code="region-unknown",
        )
    order = [given.index(name) for name in wanted]
    values = tuple(regions.values[i] for i in order)
    extra = [v for i, part in enumerate(regions.values) if i not in order for v in part]
    known = {value for part in values for value in part}
    outside = (*regions.outside, *(v for v in extra if v not in known))
    chosen = replace(regions, names=tuple(names), values=values, outside=outside)
    masks, problems = scan_masks(files)
    raise_errors(problems)
    understood, odd = understand_regions(masks, own, chosen)
    if understood is None:
        raise BadData(_of_role(odd, role, side))
    return understood.meaning


def _of_role(problems: Sequence[Problem], role: str, side: Path) -> list[Problem]:
    return [
        replace(p, path=shown(side), what=p.what.replace("the masks", f"the {role} files"))
        for p in problems
    ]
