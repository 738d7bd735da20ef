"""Files, folders and glob patterns that a user names become a list of images, each once."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path

from pixelwise.core.contents import shown
from pixelwise.core.errors import BadData, Problem
from pixelwise.data.channel_files import ImageFiles, group_for_run
from pixelwise.readers import has_image_suffix, image_suffixes, is_image_folder


def find_images(
    images: Iterable[str | Path | ImageFiles],
    channel_names: Sequence[str] = (),
    *,
    n_dims: int = 2,
) -> tuple[list[ImageFiles], list[Problem]]:
    """Files, folders (all images in them) and glob patterns as a list of images, each once.

    A folder that is one image (a DICOM series, an OME-Zarr image) counts as a file; a folder
    of DICOM files is a series where volumes are wanted (n_dims 3), else a folder of pictures.
    channel_names: of the run. With several, channel files are joined to images, also from
    folders inside the given ones. Images that are given as ImageFiles are taken as they are.
    Raises BadData if nothing at all was found; what is missing beside others is a problem.
    """
    paths: dict[Path, None] = {}
    given: list[ImageFiles] = []
    problems: list[Problem] = []
    for entry in images:
        if isinstance(entry, ImageFiles):
            given.append(entry)
            continue
        found = _expand(entry, n_dims, is_deep=len(channel_names) > 1)
        if not found:
            problems.append(
                Problem(
                    "no images found" if Path(entry).is_dir() else "there is no such file",
                    f"image files ({', '.join('*' + s for s in image_suffixes())})",
                    "Check the path.",
                    shown(entry),
                    code="no-images",
                )
            )
        paths |= dict.fromkeys(found)
    grouped, missing = group_for_run(list(paths), channel_names)
    if not grouped and not given:
        raise BadData([*problems, *missing])
    problems += missing
    return _without_collisions([*given, *grouped], problems), problems


def _expand(entry: str | Path, n_dims: int, *, is_deep: bool) -> list[Path]:
    """The files that one argument stands for."""
    path = Path(entry)
    if path.is_dir():
        if is_image_folder(path) and (n_dims == 3 or has_image_suffix(path)):
            return [path]
        return _list_images(path, is_deep=is_deep)
    if path.exists() or path.is_symlink():
        return [path]
    return [Path(name) for name in sorted(glob.glob(str(entry), recursive=True))]  # noqa: PTH207  # absolute patterns too


def _list_images(folder: Path, *, is_deep: bool) -> list[Path]:
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "~")):
            continue
        if path.is_dir() and not path.is_symlink():
            if is_image_folder(path):
                found.append(path)
            elif is_deep:
                found += _list_images(path, is_deep=False)
        elif has_image_suffix(path):
            found.append(path)
    return found


def _without_collisions(images: list[ImageFiles], problems: list[Problem]) -> list[ImageFiles]:
    """Images whose labels would be written to one name (also on systems that ignore case)."""
    by_stem: dict[str, list[ImageFiles]] = {}
    for image in images:
        by_stem.setdefault(image.stem.casefold(), []).append(image)
    for same in by_stem.values():
        if len(same) > 1:
            names = ", ".join(image.paths[0].name for image in same)
            problems.append(
                Problem(
                    f"{names} would all be written to {same[0].stem}",
                    "one image for each stem",
                    "Rename them, or predict them into different folders.",
                    shown(same[0].paths[0].parent),
                    code="duplicate-stem",
                )
            )
    return [image for image in images if len(by_stem[image.stem.casefold()]) == 1]
