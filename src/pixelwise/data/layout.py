"""How a folder of images and masks is laid out: which files are which, and of which split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pixelwise.core.case import Split
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem
from pixelwise.data.channel_files import ChannelOf, case_folders, channels_by_folder
from pixelwise.data.listing import Listing, list_folder, no_pictures, report_others
from pixelwise.data.pairing import split_by_name
from pixelwise.data.region_masks import find_region_folders
from pixelwise.data.series_files import join_series, look_into_splits
from pixelwise.data.splits import split_of_folder
from pixelwise.readers import is_image_folder

IMAGE_FOLDERS = frozenset({
    "images", "image", "imgs", "img", "raw", "photos", "pictures", "inputs", "input",
    "jpegimages", "imagestr",
})  # fmt: skip
_MASKS = frozenset({
    "masks", "mask", "labels", "label", "annotations", "annotation", "gt", "groundtruth",
    "ground_truth", "ground-truth", "manual", "manual1", "1st_manual", "segmentations",
    "segmentation", "segmentationclass", "seg", "targets", "target", "truth", "labelstr",
})  # fmt: skip
_FOV = frozenset({"fov", "fovs", "field_of_view"})
_EXTRA = ("instances", "masks_", "labels_", "2nd_manual", "manual2")
_NNUNET_TEST = ("imagesTs", "labelsTs")


@dataclass(slots=True)
class Place:
    """Pictures of one split, with the masks or annotation files that belong to them.

    channel_of: case and channel of each image, where folders say that images are channels.
    mask_of: stem of a case -> its mask, where both lie in the folder of the case.
    """

    folder: Path
    images: list[Path]
    masks: list[Path]
    split: Split | None = None
    annotations: list[Path] = field(default_factory=list)
    channel_of: ChannelOf = field(default_factory=dict)
    mask_of: Mapping[str, Path] = field(default_factory=dict)


@dataclass(slots=True)
class Layout:
    """All places of a set, its field-of-view masks, further label folders, and problems.

    regions: names of the mask folders where each region has its own; the masks of a place are
    then those of the first one.
    """

    places: list[Place] = field(default_factory=list)
    fov: list[Path] = field(default_factory=list)
    extras: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    regions: tuple[str, ...] = ()


def find_layout(root: Path) -> Layout:
    """Find images and masks below a folder: two folders, split folders, or side by side."""
    layout = Layout()
    if not root.is_dir():
        what = "it is a file" if root.exists() else "the folder does not exist"
        layout.problems.append(
            Problem(
                what,
                "a folder with images/ and masks/",
                "Check the path.",
                shown(root),
                code="no-folder",
            )
        )
        return layout
    _search(layout, root, None)
    if not any(place.images for place in layout.places) and not _has_errors(layout):
        layout.problems.append(no_pictures(root))
    return layout


def has_masks_beside(folder: Path) -> bool:
    """Whether a folder with the name of a mask folder lies next to this one."""
    siblings = list_folder(folder.parent).folders if folder.is_dir() else []
    return any(path.name.lower() in _MASKS for path in siblings)


def _search(layout: Layout, folder: Path, split: Split | None) -> None:
    listing = list_folder(folder)
    layout.problems += listing.problems
    _note_extras(layout, listing)
    images = [f for f in listing.folders if f.name.lower() in IMAGE_FOLDERS]
    masks = [f for f in listing.folders if f.name.lower() in _MASKS]
    masks = [f for f in masks if not _holds_annotations_only(f)] or masks
    if len(images) > 1 or len(masks) > 1:
        layout.problems += _several(folder, images, "images") + _several(folder, masks, "masks")
    elif images:
        _add_folders(layout, images[0], masks[0] if masks else None, split, listing)
        _add_nnunet_test(layout, listing)
    elif masks and (listing.pictures or is_image_folder(folder)):
        inner = _list_masks(layout, masks[0])
        if is_image_folder(folder):
            files = list_folder(folder, holds_images=True).pictures
            listing.pictures = [path for path in files if path.is_file()]
            layout.problems += join_series(listing, inner)
        place = Place(folder, listing.pictures, inner.pictures, split, inner.annotations)
        layout.places.append(place)
    else:
        _search_deeper(layout, listing, split)


def _search_deeper(layout: Layout, listing: Listing, split: Split | None) -> None:
    """Split folders, or images and masks side by side."""
    named = [(f, split_of_folder(f.name)) for f in listing.folders]
    named = [(f, s) for f, s in named if s is not None]
    if named and split is None:
        for folder, inner_split in named:
            _search(layout, folder, inner_split)
    elif not listing.pictures:
        _add_case_folders(layout, listing, split)
    if listing.pictures:
        images, masks = split_by_name(listing.pictures)
        layout.problems += report_others(listing)
        layout.places.append(
            Place(listing.folder, images, masks, split, _annotations_near(layout, listing))
        )


def _add_case_folders(layout: Layout, listing: Listing, split: Split | None) -> None:
    """A folder for each case that holds its channels and its mask."""
    files = {f: list_folder(f, holds_images=True).pictures for f in listing.folders}
    channel_of, mask_of = case_folders({f: pictures for f, pictures in files.items() if pictures})
    if channel_of:
        masks = list(mask_of.values())
        place = Place(listing.folder, list(channel_of), masks, split, [], channel_of, mask_of)
        layout.places.append(place)


def _add_folders(
    layout: Layout, images: Path, masks: Path | None, split: Split | None, listing: Listing
) -> None:
    """images/ and masks/, or images/train/ and masks/train/ and so on."""
    inner = _list_inner(layout, images)
    masks_inner = _list_masks(layout, masks) if masks else Listing(images)
    layout.problems += join_series(inner, masks_inner)
    annotations = listing.annotations + inner.annotations + masks_inner.annotations
    if inner.pictures or not inner.folders:
        place = Place(images, inner.pictures, masks_inner.pictures, split, annotations)
        layout.places.append(place)
        _warn_deeper(layout, inner)
        return
    if _add_channel_folders(layout, inner, masks_inner, split):
        return
    mask_folders = {split_of_folder(f.name): f for f in masks_inner.folders}
    for folder in inner.folders:
        inner_split = split_of_folder(folder.name)
        if inner_split is None:
            continue
        pictures = _list_inner(layout, folder)
        found = mask_folders.get(inner_split)
        truth = _list_masks(layout, found) if found else Listing(folder)
        layout.problems += join_series(pictures, truth)
        if not pictures.pictures and _add_channel_folders(layout, pictures, truth, inner_split):
            continue
        layout.places.append(
            Place(
                folder,
                pictures.pictures,
                truth.pictures,
                inner_split,
                annotations + pictures.annotations + truth.annotations,
            )
        )
    if not layout.places:
        _warn_deeper(layout, inner)


def _add_channel_folders(
    layout: Layout, images: Listing, masks: Listing, split: Split | None
) -> bool:
    """images/t1/CASE and images/flair/CASE, or images/CASE/t1 and images/CASE/flair."""
    files = {f: list_folder(f, holds_images=True).pictures for f in images.folders}
    files = {folder: pictures for folder, pictures in files.items() if pictures}
    if any(split_of_folder(folder.name) for folder in files):
        return False
    channel_of = channels_by_folder(files, masks.pictures)
    if channel_of:
        place = Place(images.folder, list(channel_of), masks.pictures, split, [], channel_of)
        layout.places.append(place)
    return bool(channel_of)


def _add_nnunet_test(layout: Layout, listing: Listing) -> None:
    """imagesTs and labelsTs are a test split beside imagesTr."""
    folders = {f.name: f for f in listing.folders}
    if "imagesTr" not in folders or any(name not in folders for name in _NNUNET_TEST):
        return
    layout.places[-1].split = "train"
    images, masks = (_list_inner(layout, folders[name]) for name in _NNUNET_TEST)
    layout.problems += join_series(images, masks)
    layout.places.append(Place(images.folder, images.pictures, masks.pictures, "test"))


def _annotations_near(layout: Layout, listing: Listing) -> list[Path]:
    found = list(listing.annotations)
    for folder in listing.folders:
        if folder.name.lower() in _MASKS:
            found += _list_inner(layout, folder).annotations
    return found


def _list_inner(layout: Layout, folder: Path) -> Listing:
    listing = list_folder(folder, holds_images=True)
    look_into_splits(listing)
    layout.problems += listing.problems + report_others(listing)
    return listing


def _list_masks(layout: Layout, folder: Path) -> Listing:
    """As _list_inner; where each region has a folder of masks, the first one's masks."""
    listing = _list_inner(layout, folder)
    found, problems = find_region_folders(folder)
    if not found:
        return listing
    names = tuple(path.name for path in found)
    if layout.regions and names != layout.regions:
        problems.append(
            Problem(
                f"its regions are {', '.join(names)}, elsewhere {', '.join(layout.regions)}",
                "the same folders of masks in every split",
                "Add what is missing, empty masks if need be.",
                shown(folder),
                code="region-mask-missing",
            )
        )
    layout.problems += problems
    layout.regions = layout.regions or names
    listing.pictures = list_folder(found[0]).pictures
    return listing


def _note_extras(layout: Layout, listing: Listing) -> None:
    for folder in listing.folders:
        name = folder.name.lower()
        if name in _FOV:
            layout.fov += list_folder(folder).pictures
        elif name.startswith(_EXTRA) and name not in _MASKS:
            layout.extras[folder.name] = str(folder)


def _holds_annotations_only(folder: Path) -> bool:
    listing = list_folder(folder)
    return bool(listing.annotations) and not listing.pictures and not listing.folders


def _several(folder: Path, found: Sequence[Path], kind: str) -> list[Problem]:
    if len(found) < 2:
        return []
    names = ", ".join(f"{path.name}/" for path in found)
    return [
        Problem(
            f"several folders may hold the {kind}: {names}",
            f"one folder of {kind}",
            f"Rename the others (masks_NAME/ is a further annotator) so that one {kind}/ is left.",
            shown(folder),
            code="ambiguous-folders",
        )
    ]


def _warn_deeper(layout: Layout, listing: Listing) -> None:
    deeper = [f for f in listing.folders if list_folder(f).pictures]
    if not deeper:
        return
    names = ", ".join(f"{shown(path.name)}/" for path in deeper[:5])
    layout.problems.append(
        Problem(
            f"it has {len(deeper)} folders inside with images that are not looked into: {names}",
            "all images of a set in one folder (or in train/, val/ and test/)",
            "Move the images up; give them names that are theirs alone.",
            shown(listing.folder),
            "warning" if listing.pictures else "error",
            code="deeper-folders",
        )
    )


def _has_errors(layout: Layout) -> bool:
    return any(problem.severity == "error" for problem in layout.problems)
