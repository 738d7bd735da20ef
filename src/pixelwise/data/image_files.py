"""Files, folders and glob patterns that a user names become a list of images, each once."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from pixelwise.core.contents import shown
from pixelwise.core.errors import BadData, Problem
from pixelwise.readers import has_image_suffix, image_stem, image_suffixes


def find_images(images: Iterable[str | Path]) -> tuple[list[Path], list[Problem]]:
    """Files, folders (all images in them) and glob patterns as a list of files, each once.

    Raises BadData if nothing at all was found; what is missing beside others is a problem.
    """
    paths: dict[Path, None] = {}
    problems: list[Problem] = []
    for entry in images:
        path = Path(entry)
        if path.is_dir():
            found = [p for p in sorted(path.iterdir()) if _looks_like_image(p)]
        elif path.exists() or path.is_symlink():
            found = [path]
        else:
            found = [Path(name) for name in sorted(glob.glob(str(entry), recursive=True))]  # noqa: PTH207  # absolute patterns too
        if not found:
            problems.append(
                Problem(
                    "no images found" if path.is_dir() else "there is no such file",
                    f"image files ({', '.join('*' + s for s in image_suffixes())})",
                    "Check the path.",
                    shown(path),
                    code="no-images",
                )
            )
        paths |= dict.fromkeys(found)
    if not paths:
        raise BadData(problems)
    return _without_collisions(list(paths), problems), problems


def _without_collisions(paths: list[Path], problems: list[Problem]) -> list[Path]:
    """Images whose labels would be written to one name (also on systems that ignore case)."""
    by_stem: dict[str, list[Path]] = {}
    for path in paths:
        by_stem.setdefault(image_stem(path).casefold(), []).append(path)
    for same in by_stem.values():
        if len(same) > 1:
            names = ", ".join(path.name for path in same)
            problems.append(
                Problem(
                    f"{names} would all be written to {image_stem(same[0])}",
                    "one image for each stem",
                    "Rename them, or predict them into different folders.",
                    shown(same[0].parent),
                    code="duplicate-stem",
                )
            )
    return [path for path in paths if len(by_stem[image_stem(path).casefold()]) == 1]


def _looks_like_image(path: Path) -> bool:
    is_hidden = path.name.startswith((".", "~"))
    return has_image_suffix(path) and not is_hidden and not path.is_dir()
