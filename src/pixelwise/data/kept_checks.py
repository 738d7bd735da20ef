"""What was learned of a set is kept by the content of its files, so that nothing is read twice."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from pixelwise.core.case import Case, DataSet
from pixelwise.core.errors import PixelwiseError
from pixelwise.core.files import hash_file, write_text
from pixelwise.data.mask_scan import N_THREADS
from pixelwise.data.region_masks import region_files

Value = TypeVar("Value")

_MOST_KEPT = 200
"""Files in the folder of checks; the oldest go first."""

_WHOLE_FILES = (
    ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".nii", ".nii.gz", ".npy",
)  # fmt: skip
"""Formats whose files refer to no other file."""

_READING = ("core", "arrays", "readers", "data")
"""Folders of this package that decide what is read out of a file."""


def check_key(dataset: DataSet) -> str | None:
    """A hash of the bytes of all files of a set, of how they are read, and of the code that does.

    None where a format may refer to further files, or a file cannot be read: such sets are
    looked at each time.
    """
    files = [path for case in dataset.cases for path in _files(case, dataset)]
    if not all(path.name.lower().endswith(_WHOLE_FILES) and path.is_file() for path in files):
        return None
    digest = hashlib.sha256(f"{_code_digest()}\n{dataset!r}\n".encode())
    table = dataset.root / "metadata.csv"
    wanted = [*files, *([table] if table.is_file() else [])]
    try:
        with ThreadPoolExecutor(N_THREADS) as pool:
            for path, found in zip(wanted, pool.map(hash_file, wanted), strict=True):
                digest.update(f"{path} {found}\n".encode())
    except OSError:
        return None
    return digest.hexdigest()


def find_kept(key: str | None, what: str, kind: type[Value]) -> Value | None:
    """What was kept under a key, None if there is nothing or it cannot be understood."""
    if key is None:
        return None
    try:
        path = _folder() / f"{what}-{key}.json"
        found: Value = TypeAdapter(kind).validate_json(path.read_bytes())
        path.touch()
    except (OSError, ValidationError):
        return None
    return found


def keep(key: str | None, what: str, value: object) -> None:
    """Keep a value for next time; where nothing can be written, nothing is kept."""
    if key is None:
        return
    try:
        folder = _folder()
        text = TypeAdapter(type(value)).dump_json(value).decode()
        write_text(folder / f"{what}-{key}.json", text)
        kept = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in kept[:-_MOST_KEPT]:
            path.unlink(missing_ok=True)
    except (OSError, PixelwiseError):
        return


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "pixelwise" / "checks"


def _files(case: Case, dataset: DataSet) -> Iterator[Path]:
    yield from case.images
    if case.label is not None:
        yield case.label
        yield from region_files(case.label, dataset.meaning.folders)
    if case.fov is not None:
        yield case.fov


@lru_cache(maxsize=1)
def _code_digest() -> str:
    digest = hashlib.sha256()
    for folder in _READING:
        for path in sorted((Path(__file__).parents[1] / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
