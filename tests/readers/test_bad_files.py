"""Files that are no pictures, or damaged ones: one named cause each, quickly, and never half."""

from __future__ import annotations

import errno
import io
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from pixelwise.core.errors import BadOutput, UnreadableFile
from pixelwise.core.image import Header
from pixelwise.readers import create_labels, open_image, open_labels

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)


def encode(kind: str) -> bytes:
    stream = io.BytesIO()
    if kind == "TIFF":
        tifffile.imwrite(stream, PIXELS, compression="zlib", rowsperstrip=5)
    else:
        Image.fromarray(PIXELS).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty (0 bytes)"),
        (b"<!DOCTYPE html><html>404</html>", "HTML web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (b"hello, I am no picture", "text file that begins with 'hello"),
        (b"%PDF-1.7 rest", "PDF document"),
        (b"PK\x03\x04 rest", "ZIP archive"),
        (b"\x1f\x8b\x08\x00 rest", "gzip file"),
        (bytes(500), "nothing but zero bytes"),
        (b"\x00\x05\x16\x07 rest", "AppleDouble"),
        (bytes(range(128, 168)), "unknown format"),
    ],
)
def test_the_cause_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile) as caught:
        open_image(path)
    (problem,) = caught.value.problems
    assert said in problem.what
    assert problem.path == str(path)
    assert problem.remedy


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="does not exist"):
        open_image(tmp_path / "nothing.png")
    with pytest.raises(UnreadableFile, match="a folder"):
        open_image(tmp_path)


def test_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    os.mkfifo(path)
    with pytest.raises(UnreadableFile, match="FIFO"):
        open_image(path)


def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(encode("PNG"))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(UnreadableFile, match="permission denied"):
        open_image(path)


def test_a_name_that_is_not_utf8_can_be_printed(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    try:
        path.write_bytes(b"no picture")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(UnreadableFile) as caught:
        open_image(path)
    str(caught.value).encode("utf-8")
    assert r"caf\xe9.png" in str(caught.value)


def test_a_bad_checksum_is_found(tmp_path: Path) -> None:
    content = bytearray(encode("PNG"))
    content[content.index(b"IDAT") + 40] ^= 1
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match="wrong checksum of chunk IDAT"), open_image(path) as s:
        s.read()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_a_truncated_file_never_comes_back_half(tmp_path: Path, kind: str) -> None:
    content = encode(kind)
    path = tmp_path / "x"
    path.write_bytes(content)
    with open_image(path) as source:
        whole = source.read()
    for cut in range(1, len(content) - 1, max(1, len(content) // 25)):
        path.write_bytes(content[:cut])
        try:
            with open_image(path) as source:
                assert np.array_equal(source.read(), whole), f"{kind} cut at {cut}"
        except UnreadableFile:
            continue


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_flipped_bytes_are_refused_or_read_as_announced(tmp_path: Path, kind: str) -> None:
    chance = random.Random(0)
    content = encode(kind)
    path = tmp_path / "x"
    for index in range(60):
        damaged = bytearray(content)
        reach = len(content) if index % 2 else min(len(content), 200)
        damaged[chance.randrange(reach)] = chance.randrange(256)
        path.write_bytes(damaged)
        for open_it in (open_image, open_labels):
            try:
                with open_it(path, max_pixels=1_000_000) as source:
                    pixels, header = source.read(), source.header
            except UnreadableFile:
                continue
            assert pixels.shape == (header.n_channels, *header.shape)
            assert pixels.dtype == header.dtype


def test_libraries_print_nothing_about_damaged_files(tmp_path: Path) -> None:
    program = (
        "import sys, random\n"
        "from pathlib import Path\n"
        "from pixelwise.core.errors import UnreadableFile\n"
        "from pixelwise.readers import open_image\n"
        "chance, path = random.Random(1), Path(sys.argv[1])\n"
        "content = path.read_bytes()\n"
        "for index in range(40):\n"
        "    damaged = bytearray(content)\n"
        "    damaged[chance.randrange(4, 400)] = chance.randrange(256)\n"
        "    path.write_bytes(damaged)\n"
        "    try:\n"
        "        with open_image(path, max_pixels=1000000) as source:\n"
        "            source.read()\n"
        "    except UnreadableFile:\n"
        "        pass\n"
    )
    for kind in ("TIFF", "JPEG"):
        path = tmp_path / "x"
        path.write_bytes(encode(kind))
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, check=True
        )
        assert (done.stdout, done.stderr) == (b"", b"")


def png_that_claims(width: int, height: int) -> bytes:
    content = bytearray(encode("PNG"))
    content[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    checksum = PngImagePlugin._crc32(bytes(content[12:29]))
    content[29:33] = checksum.to_bytes(4, "big")
    return bytes(content)


def test_a_huge_claim_is_refused_from_the_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_that_claims(30_000, 30_000))
    with pytest.raises(UnreadableFile, match="30000 x 30000") as caught:
        open_image(path)
    assert "PIXELWISE_MAX_PIXELS" in caught.value.problems[0].remedy
    path.write_bytes(png_that_claims(2**31 - 1, 2**31 - 1))
    with pytest.raises(UnreadableFile, match="remove the file"):
        open_image(path)


def test_the_limit_can_be_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(encode("PNG"))
    with pytest.raises(UnreadableFile, match="at most 1999 pixels"):
        open_image(path, max_pixels=1999)
    monkeypatch.setenv("PIXELWISE_MAX_PIXELS", "1999")
    with pytest.raises(UnreadableFile):
        open_image(path)
    monkeypatch.setenv("PIXELWISE_MAX_PIXELS", "2000")
    open_image(path).close()


def labels_header(path: Path) -> Header:
    return Header(path, (4, 5), 1, np.dtype("uint8"), "PNG")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = tmp_path / f"labels{suffix}"
    sink = create_labels(path, labels_header(path))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    monkeypatch.setattr(tifffile, "imwrite", full)
    with pytest.raises(BadOutput, match="disk is full"):
        sink.close()
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    path = tmp_path / "file" / "labels.png"
    with pytest.raises(BadOutput, match=r"file/labels\.png"):
        create_labels(path, labels_header(path))


def test_an_unknown_ending_lists_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "labels.jpg"
    with pytest.raises(BadOutput, match=r"\.png, .*\.tif"):
        create_labels(path, labels_header(path))
