"""The images that scored labels belong to, for pictures: one file each, or one per channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pixelwise.data.channel_files import (
    ChannelOf,
    channels_by_folder,
    channels_by_masks,
    collect_channels,
    numbered_channels,
)
from pixelwise.data.layout import IMAGE_FOLDERS
from pixelwise.data.listing import list_pictures, stem_key
from pixelwise.data.pairing import mask_stem, pair_masks
from pixelwise.readers import image_stem


def find_images(truth: Path, truths: Mapping[str, Path]) -> dict[str, tuple[Path, ...]]:
    """Stem of a truth -> the files of its image, its channels in order; cases without are absent.

    truths: stem -> label file. Images are looked for in a folder beside that of the truths
    (images, imagesTr beside labelsTr, …), and paired with them as those of a data set are.
    """
    if truth.is_file():
        return {}
    for folder in _folders_beside(truth):
        found = _images_in(folder, truths)
        if found:
            return found
    return {}


def _folders_beside(truth: Path) -> list[Path]:
    """Folders that are called as folders of images are; of labelsTs that of imagesTs alone."""
    name = truth.absolute().name.casefold()
    wanted = IMAGE_FOLDERS
    if name.startswith("labelst"):
        wanted = frozenset({name.replace("labels", "images", 1)})
    beside = truth.absolute().parent
    return sorted(p for p in beside.iterdir() if p.name.casefold() in wanted and p.is_dir())


def _images_in(folder: Path, truths: Mapping[str, Path]) -> dict[str, tuple[Path, ...]]:
    pictures, _ = list_pictures(folder)
    masks = list(truths.values())
    stem_of = {path: stem for stem, path in truths.items()}
    pairs = pair_masks(pictures, masks, allow_unpaired=True).pairs
    if pairs:
        return {stem_of[mask]: (image,) for image, mask in pairs}
    channel_of = _channels(folder, pictures, masks)
    by_key = {key: stem for stem, path in truths.items() for key in _keys(path)}
    cases = collect_channels(channel_of).cases if channel_of else []
    return {by_key[case.stem]: case.paths for case in cases if case.stem in by_key}


def _channels(folder: Path, pictures: Sequence[Path], masks: Sequence[Path]) -> ChannelOf:
    if pictures:
        return numbered_channels(pictures) or channels_by_masks(pictures, masks)
    files = {
        inner: found
        for inner in sorted(folder.iterdir())
        if inner.is_dir() and (found := list_pictures(inner)[0])
    }
    return channels_by_folder(files, masks) if files else {}


def _keys(mask: Path) -> tuple[str, str]:
    return mask_stem(mask), stem_key(image_stem(mask))
