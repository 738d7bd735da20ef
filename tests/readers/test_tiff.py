"""TIFF in its many forms: types, compressions, layouts, metadata, bounded reading."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from pixelwise.core.errors import UnreadableFile
from pixelwise.core.image import Header
from pixelwise.readers import create_labels, open_image, open_labels
from pixelwise.readers.tiff import TiffSource

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (70, 90, 3)).astype(np.uint8)


def read(path: Path) -> np.ndarray:
    with open_image(path) as source:
        return source.read()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "lzw", "predictor": True},
        {"compression": "zlib", "tile": (32, 48)},
        {"compression": "packbits"},
        {"compression": "zstd", "rowsperstrip": 7},
        {"rowsperstrip": 11},
        {"bigtiff": True},
        {"byteorder": ">"},
    ],
)
def test_every_flavour_gives_the_same_pixels(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, COLOUR, **options)
    with open_image(path) as source:
        assert np.array_equal(source.read(), COLOUR.transpose(2, 0, 1))
        for region in ((slice(0, 1), slice(0, 90)), (slice(13, 61), slice(31, 77))):
            assert np.array_equal(source.read(region), COLOUR.transpose(2, 0, 1)[:, *region])


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_planar_is_read_as_channels(tmp_path: Path, compression: str | None) -> None:
    path = tmp_path / "planar.tif"
    planes = np.ascontiguousarray(COLOUR.transpose(2, 0, 1))
    tifffile.imwrite(
        path, planes, photometric="rgb", planarconfig="separate", compression=compression
    )
    with open_image(path) as source:
        assert source.header.shape == (70, 90)
        assert np.array_equal(source.read(), planes)
        assert np.array_equal(source.read((slice(5, 9), slice(80, 90))), planes[:, 5:9, 80:90])


@pytest.mark.parametrize(
    "dtype", ["uint8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64"]
)
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_numbers_keep_type_sign_and_value(tmp_path: Path, dtype: str, byteorder: str) -> None:
    values = np.array([[0, 1, 2], [100, 120, 7]], dtype)
    if np.dtype(dtype).kind != "u":
        values[0, 0] = -30
    path = tmp_path / "numbers.tif"
    tifffile.imwrite(path, values, byteorder=byteorder)
    found = read(path)
    assert found.dtype == np.dtype(dtype)
    assert np.array_equal(found[0], values)


def test_white_is_zero_is_inverted_and_said(tmp_path: Path) -> None:
    path = tmp_path / "white.tif"
    values = np.array([[0, 1], [200, 255]], np.uint8)
    tifffile.imwrite(path, values, photometric="miniswhite")
    with open_image(path) as source:
        assert source.read()[0].tolist() == [[255, 254], [55, 0]]
        assert "MinIsWhite" in source.header.notes[0].what


def test_one_bit_masks_are_0_and_1(tmp_path: Path) -> None:
    path = tmp_path / "bits.tif"
    tifffile.imwrite(path, np.array([[True, False, True]]), photometric="minisblack")
    with open_labels(path) as source:
        assert source.read()[0].tolist() == [[1, 0, 1]]
    assert read(path)[0].tolist() == [[255, 0, 255]]


def test_a_palette_is_indices_as_labels_and_colours_as_image(tmp_path: Path) -> None:
    colormap = np.zeros((3, 256), np.uint16)
    colormap[:, 1] = (257 * 10, 257 * 20, 257 * 30)
    path = tmp_path / "palette.tif"
    tifffile.imwrite(path, np.array([[0, 1]], np.uint8), photometric="palette", colormap=colormap)
    with open_labels(path) as source:
        assert source.read()[0].tolist() == [[0, 1]]
        assert source.header.palette is not None
        assert source.header.palette[1] == (10, 20, 30)
    assert read(path)[:, 0, 1].tolist() == [10, 20, 30]


def test_alpha_is_dropped_and_a_fourth_band_is_kept(tmp_path: Path) -> None:
    four = RANDOM.integers(0, 255, (8, 9, 4)).astype(np.uint8)
    alpha, band = tmp_path / "alpha.tif", tmp_path / "band.tif"
    tifffile.imwrite(alpha, four, photometric="rgb", extrasamples=["unassalpha"])
    tifffile.imwrite(band, four, photometric="rgb", extrasamples=["unspecified"])
    with open_image(alpha) as source:
        assert np.array_equal(source.read(), four[..., :3].transpose(2, 0, 1))
        assert [note.code for note in source.header.notes] == ["alpha-varies"]
    assert np.array_equal(read(band), four.transpose(2, 0, 1))


def test_many_channels_in_one_page(tmp_path: Path) -> None:
    many = RANDOM.integers(0, 4000, (12, 13, 9)).astype(np.uint16)
    path = tmp_path / "bands.tif"
    tifffile.imwrite(path, many, photometric="minisblack", planarconfig="contig")
    assert np.array_equal(read(path), many.transpose(2, 0, 1))


def test_ome_axes_say_channels_and_physical_size(tmp_path: Path) -> None:
    stack = RANDOM.integers(0, 4000, (4, 20, 30)).astype(np.uint16)
    path = tmp_path / "cells.ome.tif"
    sizes = {"PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm"}
    sizes |= {"PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}
    tifffile.imwrite(path, stack, ome=True, metadata={"axes": "CYX", **sizes})
    with open_image(path) as source:
        assert (source.header.n_channels, source.header.shape) == (4, (20, 30))
        assert (source.header.spacing, source.header.unit) == ((0.5, 0.25), "µm")
        assert np.array_equal(source.read(), stack)
        assert np.array_equal(source.read((slice(2, 5), slice(7, 9))), stack[:, 2:5, 7:9])


def test_imagej_channels_and_calibration(tmp_path: Path) -> None:
    stack = RANDOM.integers(0, 4000, (3, 20, 30)).astype(np.uint16)
    path = tmp_path / "imagej.tif"
    tifffile.imwrite(
        path, stack, imagej=True, resolution=(4.0, 2.0), metadata={"axes": "CYX", "unit": "um"}
    )
    with open_image(path) as source:
        assert source.header.n_channels == 3
        assert (source.header.spacing, source.header.unit) == ((0.5, 0.25), "um")
        assert np.array_equal(source.read(), stack)


def test_smaller_copies_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "pyramid.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(COLOUR, photometric="rgb")
        writer.write(COLOUR[::2, ::2].copy(), photometric="rgb", subfiletype=1)
    with open_image(path) as source:
        assert np.array_equal(source.read(), COLOUR.transpose(2, 0, 1))
        assert "1 smaller cop" in source.header.notes[0].what


GEO_KEYS = (1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 32633)
GEO_TAGS = [
    (33550, "d", 3, (2.0, 3.0, 0.0), True),
    (33922, "d", 6, (0.0, 0.0, 0.0, 500000.0, 4500000.0, 0.0), True),
    (34735, "H", len(GEO_KEYS), GEO_KEYS, True),
    (34737, "s", 0, "WGS 84 / UTM zone 33N|", True),
]


@pytest.mark.parametrize(("nodata", "written"), [("-9999", "-9999"), ("0", "255")])
def test_geotiff_tags_come_back_in_the_labels(tmp_path: Path, nodata: str, written: str) -> None:
    image, labels = tmp_path / "map.tif", tmp_path / "labels.tif"
    tags = [*GEO_TAGS, (42113, "s", 0, nodata, True)]
    tifffile.imwrite(image, COLOUR, photometric="rgb", extratags=tags, metadata=None)
    with open_image(image) as source:
        assert (source.header.spacing, source.header.unit) == ((3.0, 2.0), "m")
        with create_labels(labels, source.header) as sink:
            sink.write((slice(0, 70), slice(0, 90)), COLOUR[..., 0])
    with tifffile.TiffFile(image) as before, tifffile.TiffFile(labels) as after:
        for code in (33550, 33922, 34735, 34737):
            assert after.pages[0].tags[code].value == before.pages[0].tags[code].value
        # A nodata value that is a class id would hide that class in a map viewer.
        assert after.pages[0].tags[42113].value == written
    with open_labels(labels) as source:
        assert np.array_equal(source.read()[0], COLOUR[..., 0])


def test_physical_size_comes_back_in_the_labels(tmp_path: Path) -> None:
    path = tmp_path / "labels.tif"
    header = Header(path, (4, 5), 1, np.dtype("uint8"), "TIFF", spacing=(0.5, 0.25), unit="µm")
    with create_labels(path, header) as sink:
        sink.write((slice(0, 4), slice(0, 5)), np.ones((4, 5), np.uint8))
    with open_labels(path) as source:
        assert (source.header.spacing, source.header.unit) == ((0.5, 0.25), "µm")


def test_labels_larger_than_a_tile_and_a_palette(tmp_path: Path) -> None:
    labels = RANDOM.integers(0, 3, (700, 1100)).astype(np.uint8)
    path = tmp_path / "labels.tif"
    header = Header(path, labels.shape, 3, np.dtype("uint8"), "TIFF")
    palette = ((0, 0, 0), (255, 0, 0), (0, 0, 255))
    with create_labels(path, header, palette=palette) as sink:
        for top in range(0, 700, 100):
            sink.write((slice(top, top + 100), slice(0, 1100)), labels[top : top + 100])
    with open_labels(path) as source:
        assert np.array_equal(source.read()[0], labels)
        assert source.header.palette is not None
        assert source.header.palette[:3] == palette


def test_a_region_decodes_only_the_tiles_that_it_touches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tiles.tif"
    tifffile.imwrite(path, np.zeros((1024, 1024), np.uint8), tile=(256, 256), compression="zlib")
    decoded: list[int] = []
    plain = TiffSource._decode

    def counting(self: TiffSource, page: Any, index: int) -> np.ndarray:
        decoded.append(index)
        return plain(self, page, index)

    monkeypatch.setattr(TiffSource, "_decode", counting)
    with open_image(path) as source:
        source.read((slice(200, 300), slice(520, 530)))
        assert sorted(decoded) == [2, 6]
        source.read((slice(0, 10), slice(520, 530)))
        assert sorted(decoded) == [2, 6]  # kept from before


def test_an_uncompressed_image_is_mapped_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, np.zeros((512, 512), np.uint16), byteorder=">")
    with open_image(path) as source:
        assert isinstance(source, TiffSource)
        mapped = source._map(source._layout.slices[0][0])
        assert isinstance(mapped, np.memmap)


def test_damage_is_refused_without_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "cut.tif"
    tifffile.imwrite(path, COLOUR, compression="zlib", rowsperstrip=8)
    whole = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for share in (0.05, 0.4, 0.8, 0.99):
            path.write_bytes(whole[: int(share * len(whole))])
            with pytest.raises(UnreadableFile), open_image(path) as source:
                source.read()


def test_a_circle_of_pages_ends(tmp_path: Path) -> None:
    path = tmp_path / "circle.tif"
    tifffile.imwrite(path, np.zeros((4, 4), np.uint8), metadata=None)
    content = bytearray(path.read_bytes())
    start = int.from_bytes(content[4:8], "little")
    n_entries = int.from_bytes(content[start : start + 2], "little")
    link = start + 2 + 12 * n_entries
    content[link : link + 4] = start.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match="circle"):
        open_image(path)


def test_labels_are_stored_numbers_even_where_white_is_zero(tmp_path: Path) -> None:
    path = tmp_path / "labels.tif"
    tifffile.imwrite(path, np.array([[0, 1, 2]], np.uint8), photometric="miniswhite")
    with open_labels(path) as source:
        assert source.read()[0].tolist() == [[0, 1, 2]]
