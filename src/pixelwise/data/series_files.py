"""DICOM files that lie directly in a folder of images: slices of one volume, or pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, UserError
from pixelwise.data.listing import Listing
from pixelwise.data.pairing import pair_masks
from pixelwise.data.splits import split_of_folder
from pixelwise.readers import is_image_folder
from pixelwise.readers.dicom_files import Series, find_series, is_dicom, refuse_mixed


def look_into_splits(listing: Listing) -> None:
    """A folder of DICOM files called train, val or test is no image but a split."""
    splits = [p for p in listing.pictures if p.is_dir() and split_of_folder(p.name) is not None]
    listing.pictures = [path for path in listing.pictures if path not in splits]
    listing.folders += splits


def is_one_series(folder: Path) -> bool:
    """Whether all DICOM files of a folder are of one series, so that it is one image."""
    try:
        return is_image_folder(folder) and len(find_series(folder)) == 1
    except UserError:
        return False


def join_series(images: Listing, masks: Listing) -> list[Problem]:
    """Make the slices in a folder of images one image, the folder itself; the same with masks.

    Files are slices of one volume if they are of one series and say where they lie, and
    pictures if masks are named like them. Several such series are an error, and so are
    several masks that are not named like the slices: what belongs together is not guessed.
    """
    try:
        series = _volumes(images)
        own = _volumes(masks) if series else []
        if len(own) == 1 and own[0].says_place:
            masks.pictures = [masks.folder]
        if not series or _are_labelled_alone(series, masks):
            return []
        if len(series) > 1 or len(series[0].files) < len(_dicom_files(images)):
            names = [part.name for part in find_series(images.folder)]
            images.pictures = []
            return list(refuse_mixed(images.folder, names).problems)
        images.pictures = [images.folder]
    except UserError as error:
        images.pictures = []
        return list(error.problems)
    if len(masks.pictures) < 2:
        return []
    images.pictures = []
    return [_several_masks(images.folder, series[0], masks.pictures)]


def _volumes(listing: Listing) -> list[Series]:
    """The series of a folder that consist of several slices."""
    if len(_dicom_files(listing)) < 2:
        return []
    return [part for part in find_series(listing.folder) if len(part.files) > 1]


def _dicom_files(listing: Listing) -> list[Path]:
    return [path for path in listing.pictures if is_dicom(path)]


def _are_labelled_alone(series: Sequence[Series], masks: Listing) -> bool:
    """Whether files of series are pictures: masks have their names, or they have no place."""
    files = [path for part in series for path in part.files]
    is_named = bool(masks.pictures) and bool(pair_masks(files, masks.pictures).pairs)
    says_place = any(part.says_place for part in series)
    return (is_named and len(masks.pictures) > 1) or (not says_place and len(masks.pictures) != 1)


def _several_masks(folder: Path, series: Series, masks: Sequence[Path]) -> Problem:
    names = ", ".join(shown(path.name) for path in masks[:3]) + (" …" if len(masks) > 3 else "")
    return Problem(
        f"it holds the {len(series.files)} slices of one DICOM series ({series.name}), and there "
        f"are {len(masks)} masks: {names}",
        "one mask for the volume, or masks named like the slices",
        "Give each series a folder of its own, named like its mask: images/NAME/ and "
        "masks/NAME.nii.gz.",
        shown(folder),
        code="series-masks",
    )
