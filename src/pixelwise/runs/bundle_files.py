"""The files of a bundle, from a folder or a zip: read into memory, nothing is ever unpacked."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Protocol, Self

from pixelwise.core.errors import BadBundle, Problem, raise_errors

MOST_FILES = 200
LARGEST_RATIO = 200
"""A zip that grows more than this is no model: weights hardly shrink at all."""

_RATIO_FROM = 1 << 20
_PICKLE_SUFFIXES = (".pkl", ".pickle", ".pt", ".pth", ".joblib", ".ckpt")
_PICKLE_PROTOCOLS = b"\x02\x03\x04\x05"


class BundleFiles(Protocol):
    """Names and sizes first; then a file's bytes, never more of them than it said."""

    def sizes(self) -> Mapping[str, int]: ...

    def read(self, name: str) -> bytes: ...

    def close(self) -> None: ...


class FolderFiles:
    """The files of a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        found = [file for file in path.rglob("*") if not file.is_dir() or file.is_symlink()]
        raise_errors([_escaping(path, file) for file in found if file.is_symlink()], BadBundle)
        self._sizes = {
            file.relative_to(path).as_posix(): file.stat().st_size
            for file in found
            if "__pycache__" not in file.parts
        }

    def sizes(self) -> Mapping[str, int]:
        """Bytes of each file."""
        return self._sizes

    def read(self, name: str) -> bytes:
        """The content of a file."""
        return (self._path / name).read_bytes()

    def close(self) -> None:
        """Nothing is kept open."""


class ZipFiles:
    """The files of a zip that keeps to itself: no entry leaves it, links, hides or explodes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile, ValueError) as error:
            raise BadBundle(
                f"it is no zip that can be read: {error}",
                "a file or folder that `pixelwise export` wrote",
                "Copy it again, or export it anew.",
                path=path,
                code="damaged-bundle",
            ) from error
        entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        try:
            raise_errors(_zip_problems(path, entries), BadBundle)
        except BadBundle:
            self._zip.close()
            raise
        self._entries = {entry.filename: entry for entry in entries}

    def sizes(self) -> Mapping[str, int]:
        """Bytes of each file as the zip claims them."""
        return {name: entry.file_size for name, entry in self._entries.items()}

    def read(self, name: str) -> bytes:
        """The content of an entry. Raises BadBundle if it is not as long as it says."""
        entry = self._entries[name]
        try:
            with self._zip.open(entry) as stream:
                content = stream.read(entry.file_size + 1)
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
            raise _damaged(self._path, f"{name} cannot be read from it: {error}") from error
        except Exception as error:  # zlib and lzma raise kinds of their own
            raise _damaged(self._path, f"{name} cannot be unpacked: {error}") from error
        if len(content) != entry.file_size:
            raise _damaged(self._path, f"{name} is not as long as it says ({entry.file_size})")
        return content

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def open_files(path: Path) -> BundleFiles:
    """The files of a bundle, of either kind. Raises BadBundle for what is unsafe."""
    files: BundleFiles = FolderFiles(path) if path.is_dir() else ZipFiles(path)
    if len(files.sizes()) > MOST_FILES:
        files.close()
        raise _damaged(path, f"it holds {len(files.sizes())} files, more than {MOST_FILES}")
    return files


def refuse_pickle(path: Path, name: str, content: bytes) -> None:
    """Raise BadBundle for a file that is a pickle, or a PyTorch file that holds one."""
    is_pickle = content[:1] == b"\x80" and content[1:2] in tuple(
        bytes([protocol]) for protocol in _PICKLE_PROTOCOLS
    )
    is_torch = content[:4] == b"PK\x03\x04" and b"data.pkl" in content[:4096]
    if is_pickle or is_torch or PurePosixPath(name).suffix.lower() in _PICKLE_SUFFIXES:
        raise BadBundle(
            f"{name} in it is a pickle, which can run code when it is opened",
            "weights in ONNX or OpenVINO files",
            "Do not use it. Export the model again from its run.",
            path=path,
            code="pickle",
        )


def _zip_problems(path: Path, entries: list[zipfile.ZipInfo]) -> list[Problem]:
    problems = []
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        parts = PurePosixPath(name.replace("\\", "/")).parts
        is_link = stat.S_ISLNK(entry.external_attr >> 16)
        if name.startswith(("/", "\\")) or ".." in parts or ":" in name or is_link:
            problems.append(_escaping(path, Path(name)))
        if name in seen:
            problems.append(_problem(path, f"{name} is in it twice", "duplicate"))
        seen.add(name)
        if entry.flag_bits & 1:
            problems.append(_problem(path, f"{name} in it is encrypted", "encrypted"))
        ratio = entry.file_size / max(entry.compress_size, 1)
        if entry.file_size > _RATIO_FROM and ratio > LARGEST_RATIO:
            what = f"{name} in it grows {ratio:.0f} times when unpacked"
            problems.append(_problem(path, what, "zip-bomb"))
    return problems


def _escaping(path: Path, name: Path) -> Problem:
    return _problem(path, f"its entry {name} leads out of it, or is a link", "escaping")


def _problem(path: Path, what: str, code: str) -> Problem:
    return Problem(
        what,
        "a bundle as `pixelwise export` writes it",
        "Do not use it. Get it again from somebody that you trust.",
        str(path),
        code=code,
    )


def _damaged(path: Path, what: str) -> BadBundle:
    return BadBundle(_problem(path, what, "damaged-bundle"))
