"""Writing files so that they appear whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pixelwise.core.errors import BadOutput, UnreadableFile


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; renamed onto it when the block succeeds, else deleted.

    Raises BadOutput with the cause if the place is full or cannot be written.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        temporary.chmod(0o666 & ~_umask())
        yield temporary
        _sync(temporary)
        temporary.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write JSON, readable by people, whole or not at all."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises UnreadableFile with line and column if it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise UnreadableFile(
            f"it is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            "a JSON file",
            "Correct that place (a comma after the last item is a common cause).",
            path=path,
            code="bad-json",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableFile(
            f"it cannot be read: {getattr(error, 'strerror', None) or error}",
            "a JSON file in UTF-8",
            "Check that it exists and may be read.",
            path=path,
            code="unreadable",
        ) from error


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def unwritable(path: Path, error: OSError) -> BadOutput:
    """The error for a place that cannot be written, with the remedy for its cause."""
    remedies = {
        errno.ENOSPC: "The disk is full: free some space or choose another place.",
        errno.EDQUOT: "Your disk quota is used up: free some space or choose another place.",
        errno.EACCES: "You may not write there: choose another place or change its permissions.",
        errno.EPERM: "You may not write there: choose another place or change its permissions.",
        errno.EROFS: "That file system is read-only: choose another place.",
        errno.ENOTDIR: "A part of that path is a file: choose another place.",
    }
    remedy = remedies.get(error.errno or 0, "Choose another place.")
    reason = error.strerror or str(error)
    return BadOutput(
        f"it cannot be written: {reason}",
        "a place to write to",
        remedy,
        path=path,
        code="unwritable",
    )


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
