"""Files appear whole or not at all, and a failure says why."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from pixelwise.core import files
from pixelwise.core.errors import BadOutput, UnreadableFile
from pixelwise.core.files import hash_file, read_json, replacing, write_json, write_text


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_written_text_is_there_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    write_text(path, "grün\n")
    assert path.read_bytes() == b"gr\xc3\xbcn\n"
    assert names_in(path.parent) == ["a.txt"]


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EACCES, "change its permissions"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "Choose another place"),
    ],
)
def test_a_failing_system_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})

    def fail(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(BadOutput, match=said) as caught:
        write_json(path, {"a": 2})
    assert caught.value.problems[0].path == str(path)
    assert caught.value.problems[0].code == "unwritable"
    assert json.loads(path.read_text()) == {"a": 1}
    assert names_in(tmp_path) == ["a.json"]


def test_a_failing_rename_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Path, target: Path) -> Path:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(BadOutput, match="Operation not permitted"):
        write_text(tmp_path / "a.txt", "x")
    assert names_in(tmp_path) == []


def test_any_error_in_between_leaves_nothing(tmp_path: Path) -> None:
    def write_half() -> None:
        with replacing(tmp_path / "a.bin") as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert names_in(tmp_path) == []


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadOutput, match=str(tmp_path / "file" / "a.txt")):
        write_text(tmp_path / "file" / "a.txt", "x")


def test_json_holds_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert names_in(tmp_path) == []


def test_broken_json_is_located(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": 1,\n "b": }')
    with pytest.raises(UnreadableFile, match="line 2, column 7"):
        read_json(path)


def test_json_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_json(path) == {"a": 1}


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_what_cannot_be_read_at_all(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableFile, match="cannot be read"):
        read_json(path)


def test_hash_of_a_published_example(tmp_path: Path) -> None:
    """FIPS 180-2, appendix B.1; and a file of several blocks against hashlib in one go."""
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert hash_file(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    path.write_bytes(bytes(range(256)) * 10_000)
    assert hash_file(path) == hashlib.sha256(bytes(range(256)) * 10_000).hexdigest()
