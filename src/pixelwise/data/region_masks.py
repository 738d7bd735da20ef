"""Regions with a mask file each: finding the folders, and reading all masks of a case as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.region_bits import MAX_REGIONS, pack_regions
from pixelwise.core.case import IGNORE, LabelMeaning
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, ShapeMismatch, raise_errors
from pixelwise.core.files import read_json
from pixelwise.data.label_values import MaskValues, whole_numbers
from pixelwise.data.listing import list_folder
from pixelwise.data.region_sets import too_many
from pixelwise.data.series_files import is_one_series
from pixelwise.data.splits import split_of_folder
from pixelwise.readers import open_labels

Bits = npt.NDArray[np.uint8]
_VOID = 255


def region_files(label: Path, folders: Sequence[str]) -> tuple[Path, ...]:
    """The masks of one case, region by region, from the path of the first one's."""
    return tuple(label.parent.parent / folder / label.name for folder in folders)


def find_region_folders(masks: Path) -> tuple[list[Path], list[Problem]]:
    """Folders inside a mask folder with masks of one region each, in the alphabet's order.

    Nothing is found where masks lie in the folder itself, or where its folders are splits.
    More than seven are a problem.
    """
    listing = list_folder(masks)
    if listing.pictures:
        return [], []
    found = [
        folder
        for folder in listing.folders
        if split_of_folder(folder.name) is None
        and list_folder(folder).pictures
        and not is_one_series(folder)
    ]
    problems = [too_many(len(found), masks)] if len(found) > MAX_REGIONS else []
    return sorted(found, key=lambda folder: folder.name), problems


def region_folder_names(folder: Path) -> tuple[str, ...]:
    """The region folders inside a folder of labels, () where it holds labels itself.

    What `predict` wrote says in classes.json which of its folders are regions.
    """
    if not folder.is_dir():
        return ()
    if (folder / "classes.json").is_file():
        content = read_json(folder / "classes.json")
        named = content.get("regions") if isinstance(content, dict) else None
        if isinstance(named, list) and all((folder / str(name)).is_dir() for name in named):
            return tuple(str(name) for name in named)
    return tuple(path.name for path in find_region_folders(folder)[0])


def missing_masks(labels: Sequence[Path], folders: Sequence[str]) -> list[Problem]:
    """An error for each region that lacks masks which the first region has, or has others."""
    if not labels or len(folders) < 2:
        return []
    first = labels[0].parent
    wanted = {path.name for path in labels}
    problems = []
    for folder in folders[1:]:
        place = first.parent / folder
        present = {path.name for path in list_folder(place).pictures}
        for names, what, remedy in (
            (wanted - present, f"has no mask for {{}} that {first.name}/ has",
             "Write an empty mask (0 everywhere) where a case has nothing of the region."),
            (present - wanted, f"has a mask for {{}} that {first.name}/ lacks",
             f"Add the missing masks to {first.name}/, empty ones if need be."),
        ):  # fmt: skip
            if names:
                listed = ", ".join(sorted(names)[:5]) + (" …" if len(names) > 5 else "")
                problems.append(
                    Problem(
                        what.format(f"{len(names)} files ({listed})"),
                        "a mask of every region for every case, under equal names",
                        remedy,
                        shown(place),
                        code="region-mask-missing",
                    )
                )
    return problems


def understand_region_masks(
    masks: Sequence[MaskValues], folders: Sequence[str], ignore: int | None
) -> tuple[LabelMeaning | None, list[Problem]]:
    """What the values of masks of single regions mean: 0 outside, one other value inside.

    255 beside another value, or the ignore value, is void: such a pixel counts for no region.
    """
    inside: set[int] = set()
    void: set[int] = set() if ignore is None else {ignore}
    problems = []
    for mask in masks:
        numbers = whole_numbers(mask.counts) if mask.kind == "values" else None
        others = [n for n in numbers or [] if n != 0 and n != ignore]
        if _VOID in others and len(others) == 2:
            void.add(_VOID)
            others.remove(_VOID)
        if numbers is None or len(others) > 1 or any(n < 0 for n in others):
            listed = ", ".join(list(mask.counts)[:8])
            problems.append(
                Problem(
                    f"it holds {listed}",
                    "the mask of one region: 0 outside, one other value inside",
                    "Give each region a mask of its own, or one label map for all and name the "
                    "values of each region in dataset.json.",
                    shown(mask.path),
                    code="region-mask-values",
                )
            )
        inside |= set(others) - void
    if problems:
        return None, problems
    inside -= void
    table = {"0": 0} | {str(n): 1 for n in sorted(inside or {1})}
    table |= {str(n): IGNORE for n in sorted(void)}
    sentence = (
        f"one folder of masks per region, which may overlap: {', '.join(folders)}; 0 is outside, "
        f"{' or '.join(str(n) for n in sorted(inside or {1}))} inside"
    )
    if void:
        listed = " and ".join(str(n) for n in sorted(void))
        sentence += f"; {listed} is void in all regions (left out of training and scores)"
    meaning = LabelMeaning("values", table, sentence, holds_regions=True, folders=tuple(folders))
    return meaning, []


def single_meaning(meaning: LabelMeaning) -> LabelMeaning:
    """What the values of one region's mask mean, from the meaning of all of them."""
    return replace(meaning, holds_regions=False, folders=())


def combine_masks(masks: Mapping[Path, Bits]) -> Bits:
    """Bit sets ([z,] y, x) from the masks of a case (0, 1, 255), 255 where any of them is void.

    Raises ShapeMismatch naming both files if the masks differ in size.
    """
    first = next(iter(masks))
    for path, mask in masks.items():
        if mask.shape != masks[first].shape:
            raise ShapeMismatch([_other_shape(path, mask.shape, first, masks[first].shape)])
    void = np.logical_or.reduce([mask == IGNORE for mask in masks.values()])
    return pack_regions([mask == 1 for mask in masks.values()], void)


def shape_of_masks(label: Path, folders: Sequence[str]) -> tuple[int, ...]:
    """The spatial shape of a case's masks. Raises ShapeMismatch where they differ."""
    shapes: dict[Path, tuple[int, ...]] = {}
    for path in region_files(label, folders):
        with open_labels(path) as source:
            shapes[path] = source.header.shape
    raise_errors(
        [
            _other_shape(path, shape, label, shapes[next(iter(shapes))])
            for path, shape in shapes.items()
            if shape != shapes[next(iter(shapes))]
        ],
        ShapeMismatch,
    )
    return shapes[next(iter(shapes))]


def _other_shape(path: Path, shape: Sequence[int], label: Path, wanted: Sequence[int]) -> Problem:
    sizes = [" x ".join(str(n) for n in reversed(size)) for size in (shape, wanted)]
    return Problem(
        f"its size is {sizes[0]}",
        f"{sizes[1]} as in {shown(label)}: the masks of one case lie on one grid",
        "Export the mask again on the grid of the image.",
        shown(path),
        code="mask-size",
    )
