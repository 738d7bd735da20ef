"""What a file really is, told from its first bytes, for messages that name the cause."""

from __future__ import annotations

import os
import stat
import zlib
from pathlib import Path

from pixelwise.core.errors import Problem, UnreadableFile

N_HEAD_BYTES = 4096

_GZIP = b"\x1f\x8b"
_MAGIC = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive (or an Office document)"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x00\x05\x16\x07", "macOS metadata (AppleDouble), not the picture itself"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"8BPS", "a Photoshop document"),
)
_REMEDIES = {
    "lfs": "Run `git lfs pull` in the repository that it came from.",
    "html": "The download failed and left a web page: download the file again.",
}


def shown(path: Path | str) -> str:
    """A path as printable text: bytes that are not UTF-8 appear as \\xNN."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def read_head(path: Path) -> bytes:
    """The first bytes of a regular file.

    Raises UnreadableFile if it is missing, empty, no regular file or not permitted, before
    opening it: to open a FIFO would wait for ever.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise UnreadableFile(
                f"it is {_kind_of(mode)}, not a file",
                "an image file",
                "Remove it.",
                path=shown(path),
                code="not-a-file",
            )
        with path.open("rb") as stream:
            head = stream.read(N_HEAD_BYTES)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if not head:
        raise UnreadableFile(
            "it is empty (0 bytes)",
            "an image file",
            "The copy or download was interrupted: fetch it again, or remove it.",
            path=shown(path),
            code="empty-file",
        )
    return head


def unreadable(path: Path, error: OSError | ValueError) -> UnreadableFile:
    """The error for a path that the system will not open, with the remedy for its cause."""
    if isinstance(error, FileNotFoundError):
        what, remedy = "it does not exist", "Check the spelling of the path."
        if path.is_symlink():
            what, remedy = "it is a link to a file that does not exist", "Mend or remove the link."
    elif isinstance(error, PermissionError):
        what, remedy = "it may not be read: permission denied", "Change its permissions."
    else:
        what = f"it cannot be opened: {getattr(error, 'strerror', None) or error}"
        remedy = "Check the path and the disk."
    return UnreadableFile(what, "a readable file", remedy, path=shown(path), code="unreadable")


def foreign(path: Path, head: bytes, expected: str) -> UnreadableFile:
    """The error for a file that is not what was expected, naming what it seems to be."""
    kind, remedy = describe_foreign(head)
    return UnreadableFile(
        f"it is no image but {kind}", expected, remedy, path=shown(path), code="not-an-image"
    )


def describe_foreign(head: bytes) -> tuple[str, str]:
    """What bytes that are no picture seem to be, and what to do about it."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer (a placeholder of some 130 bytes)", _REMEDIES["lfs"]
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "an HTML web page", _REMEDIES["html"]
    if start.startswith((b"<?xml", b"<svg")):
        return "an XML or SVG document", "Export it as PNG or TIFF."
    if head.startswith(_GZIP):
        return _describe_packed(head)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind, "Unpack or convert it to PNG or TIFF, or remove it."
    if not head.strip(b"\x00"):
        return "nothing but zero bytes", "The copy was interrupted: fetch it again."
    if _is_text(head):
        first = head.decode("utf-8", "replace").strip().splitlines()
        quoted = first[0][:40] if first else ""
        return f"a text file that begins with {quoted!r}", "Remove it, or fetch the real picture."
    return f"data of an unknown format (it begins with {head[:8].hex(' ')})", (
        "Convert it to PNG, TIFF or NIfTI, or remove it."
    )


def _describe_packed(head: bytes) -> tuple[str, str]:
    """What a gzip file seems to hold."""
    try:
        inner = zlib.decompressobj(31).decompress(head, N_HEAD_BYTES)
    except zlib.error:
        return "a gzip file whose data do not unpack", "It is damaged: fetch or copy it again."
    if not inner or inner.startswith(_GZIP):
        what = "nothing" if not inner else "another gzip file"
        return f"a gzip file that holds {what}", "Pack the volume anew, once."
    kind, remedy = describe_foreign(inner)
    return f"a gzip file that holds {kind}", remedy


def damaged(path: Path, error: BaseException) -> UnreadableFile:
    """The error for a file that breaks off or does not decode."""
    text = str(error).strip() or type(error).__name__
    is_short = any(word in text.lower() for word in ("truncat", "eof", "unpack", "not enough"))
    what = (
        "it is truncated: the data ends before the picture does"
        if is_short
        else ("it is damaged and does not decode")
    )
    return UnreadableFile(
        f"{what} ({text[:120]})",
        "a complete picture",
        "Copy or download it again, or remove it.",
        path=shown(path),
        code="truncated" if is_short else "damaged",
    )


def alpha_note(path: Path, low: float, high: float) -> Problem:
    """What is said when a transparency channel is dropped: a warning if it held anything."""
    if low == high:
        return Problem(
            f"its alpha channel is {low} everywhere and was dropped",
            path=shown(path),
            severity="note",
            code="alpha-constant",
        )
    return Problem(
        f"its alpha channel varies ({low} to {high}) and was dropped: the colours under "
        "transparent pixels are used as they are stored",
        "",
        "If transparency means something here, paint it into the picture first.",
        shown(path),
        "warning",
        "alpha-varies",
    )


def misnamed(path: Path, format_name: str, suffixes: tuple[str, ...]) -> list[Problem]:
    """A note if the ending of a file promises another format than the one it has."""
    if path.suffix.lower() in suffixes:
        return []
    return [
        Problem(
            f"its name ends in {path.suffix!r} but it holds {format_name} data, which is read",
            remedy=f"Rename it to {suffixes[0]} to avoid surprises elsewhere.",
            path=shown(path),
            severity="note",
            code="wrong-ending",
        )
    ]


def _is_text(head: bytes) -> bool:
    try:
        text = head[:512].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = "" if error.start < len(head[:512]) - 3 else head[: error.start].decode()
    return bool(text) and all(letter.isprintable() or letter.isspace() for letter in text)


def _kind_of(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a FIFO (named pipe)"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"
