"""Pictures decoded by Pillow: depth, palettes, alpha, orientation, colour models, animations."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelwise.core.errors import UnreadableFile
from pixelwise.readers import image_suffixes, open_image, open_labels

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
COLOUR = np.stack([GREY, GREY + 1, GREY + 2], axis=-1)


def save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


def read(path: Path) -> np.ndarray:
    with open_image(path) as source:
        return source.read()


def write_png(path: Path, rows: list[bytes], width: int, depth: int, colour_type: int) -> Path:
    """A PNG made by hand: Pillow cannot write 16-bit colour or 2-bit grey."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, len(rows), depth, colour_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\x00" + row for row in rows))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".gif", ".webp"])
def test_lossless_formats_give_the_stored_pixels(tmp_path: Path, suffix: str) -> None:
    options = {"lossless": True} if suffix == ".webp" else {}
    pixels = COLOUR if suffix == ".webp" else GREY
    path = save(tmp_path / f"image{suffix}", pixels, **options)
    expected = pixels.transpose(2, 0, 1) if pixels.ndim == 3 else pixels[None]
    assert np.array_equal(read(path), expected)


def test_header_comes_before_pixels_and_fits_them(tmp_path: Path) -> None:
    path = save(tmp_path / "image.png", COLOUR)
    with open_image(path) as source:
        header = source.header
        assert (header.shape, header.n_channels, header.dtype) == ((3, 4), 3, np.uint8)
        assert header.format_name == "PNG"
        region = source.read((slice(1, 3), slice(0, 2)))
    assert np.array_equal(region, COLOUR[1:3, 0:2].transpose(2, 0, 1))


def test_16_bit_grey_and_colour_keep_all_bits(tmp_path: Path) -> None:
    values = np.array([[0, 257, 65535], [1, 40000, 300]], np.uint16)
    grey = save(tmp_path / "grey.png", values)
    assert np.array_equal(read(grey)[0], values)
    rows = [np.repeat(row, 3).astype(">u2").tobytes() for row in values]
    colour = write_png(tmp_path / "colour.png", rows, width=3, depth=16, colour_type=2)
    found = read(colour)
    assert found.dtype == np.uint16
    assert np.array_equal(found, np.stack([values] * 3))


def test_16_bit_colour_with_alpha_drops_the_alpha(tmp_path: Path) -> None:
    row = np.array([[1, 2, 3, 65535], [4, 5, 6, 65535]], ">u2").tobytes()
    path = write_png(tmp_path / "rgba16.png", [row], width=2, depth=16, colour_type=6)
    assert read(path)[:, 0].tolist() == [[1, 4], [2, 5], [3, 6]]


def test_a_palette_is_indices_as_labels_and_colours_as_image(tmp_path: Path) -> None:
    picture = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8))
    picture.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    path = tmp_path / "palette.png"
    picture.save(path)
    with open_labels(path) as source:
        assert source.read()[0].tolist() == [[0, 1], [2, 1]]
        assert source.header.palette is not None
        assert source.header.palette[1] == (40, 50, 60)
    with open_image(path) as source:
        assert source.header.n_channels == 3
        assert source.read()[:, 0, 1].tolist() == [40, 50, 60]
        assert [note.code for note in source.header.notes] == ["palette"]


def test_one_bit_is_0_and_1_as_labels_and_full_range_as_image(tmp_path: Path) -> None:
    path = save(tmp_path / "bit.png", np.array([[True, False], [False, True]]))
    with open_labels(path) as source:
        assert source.read()[0].tolist() == [[1, 0], [0, 1]]
    assert read(path)[0].tolist() == [[255, 0], [0, 255]]


def test_two_bit_grey_labels_are_the_stored_numbers(tmp_path: Path) -> None:
    path = write_png(tmp_path / "two.png", [bytes([0b00011011])], width=4, depth=2, colour_type=0)
    with open_labels(path) as source:
        assert source.read()[0].tolist() == [[0, 1, 2, 3]]


def test_constant_alpha_is_a_note_and_varying_alpha_a_warning(tmp_path: Path) -> None:
    alpha = np.full((3, 4, 1), 255, np.uint8)
    constant = save(tmp_path / "constant.png", np.concatenate([COLOUR, alpha], axis=2))
    alpha[0, 0] = 7
    varying = save(tmp_path / "varying.png", np.concatenate([COLOUR, alpha], axis=2))
    for path, severity in ((constant, "note"), (varying, "warning")):
        with open_image(path) as source:
            assert np.array_equal(source.read(), COLOUR.transpose(2, 0, 1))
            assert [note.severity for note in source.header.notes] == [severity]


def test_grey_with_alpha_is_one_channel(tmp_path: Path) -> None:
    path = save(tmp_path / "la.png", np.stack([GREY, np.full_like(GREY, 255)], axis=-1))
    assert np.array_equal(read(path), GREY[None])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(tmp_path: Path, orientation: int) -> None:
    # A picture with a dark corner at top left when upright, large enough for JPEG's blocks.
    upright = np.full((32, 48), 200, np.uint8)
    upright[:16, :16] = 10
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: upright.T[::-1],
        7: upright.T[::-1, ::-1],
        8: upright.T[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "photo.jpg", np.ascontiguousarray(stored), exif=exif, quality=95)
    with open_image(path) as source:
        assert source.header.shape == (32, 48)
        pixels = source.read()[0].astype(int)
    assert np.abs(pixels - upright).max() < 12


def test_cmyk_becomes_rgb_and_says_so(tmp_path: Path) -> None:
    picture = Image.new("CMYK", (16, 16), (0, 0, 0, 255))
    path = tmp_path / "print.jpg"
    picture.save(path, quality=95)
    with open_image(path) as source:
        assert source.header.n_channels == 3
        assert source.read().max() < 10
        assert [note.code for note in source.header.notes] == ["cmyk"]


def test_an_animation_is_refused_with_its_number_of_frames(tmp_path: Path) -> None:
    frames = [Image.fromarray(GREY + n) for n in range(3)]
    path = tmp_path / "film.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with pytest.raises(UnreadableFile, match="3 frames"):
        open_image(path)


def test_content_decides_and_a_wrong_ending_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "really_png.jpg"
    Image.fromarray(GREY).save(path, format="PNG")
    with open_image(path) as source:
        assert np.array_equal(source.read()[0], GREY)
        assert source.header.format_name == "PNG"
        assert [note.code for note in source.header.notes] == ["wrong-ending"]


def test_suffixes_are_lower_case_and_start_with_a_point() -> None:
    assert {".png", ".jpg", ".tif", ".tiff", ".bmp", ".gif", ".webp"} <= set(image_suffixes())
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in image_suffixes())
