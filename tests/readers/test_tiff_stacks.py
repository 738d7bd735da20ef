"""Stacks of slices in a TIFF: told by metadata or by rule, read by region, written with axes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, TiffImagePlugin

from pixelwise.core.errors import UnreadableFile
from pixelwise.core.image import Header, whole_region
from pixelwise.readers import create_labels, open_image, open_labels

RANDOM = np.random.default_rng(0)
STACK = RANDOM.integers(0, 4000, (6, 5, 7)).astype(np.uint16)
REGION = (slice(1, 4), slice(2, 5), slice(0, 3))

# Written by hand, as a microscope would write it: not by the library that reads it.
OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels
ID="Pixels:0" DimensionOrder="{order}" Type="uint16" SizeX="7" SizeY="5" SizeZ="{z}" SizeC="{c}"
SizeT="{t}" PhysicalSizeX="0.25" PhysicalSizeY="250" PhysicalSizeYUnit="nm" PhysicalSizeZ="2.0"
PhysicalSizeZUnit="µm">{channels}<TiffData/></Pixels></Image></OME>"""


def save_pages(path: Path, pages: np.ndarray, description: str = "", **tags: Any) -> Path:
    """Pages (n, y, x) through Pillow, with a description in the first one."""
    pictures = [Image.fromarray(page) for page in pages]
    info = TiffImagePlugin.ImageFileDirectory_v2()
    if description:
        info[270] = description.encode()
        info.tagtype[270] = 2
    pictures[0].save(path, save_all=True, append_images=pictures[1:], tiffinfo=info, **tags)
    return path


def ome(order: str = "XYZCT", z: int = 1, c: int = 1, t: int = 1) -> str:
    channels = "".join(f'<Channel ID="Channel:0:{n}"/>' for n in range(c))
    return OME.format(order=order, z=z, c=c, t=t, channels=channels)


def test_slices_of_ome_are_a_volume(tmp_path: Path) -> None:
    path = save_pages(tmp_path / "stack.ome.tif", STACK, ome(z=6))
    with open_image(path) as source:
        header = source.header
        assert (header.shape, header.n_channels) == ((6, 5, 7), 1)
        assert header.spacing == pytest.approx((2.0, 0.25, 0.25))
        assert header.unit == "µm"
        assert np.array_equal(source.read()[0], STACK)
        assert np.array_equal(source.read(REGION)[0], STACK[REGION])


@pytest.mark.parametrize("order", ["XYZCT", "XYCZT"])
def test_slices_and_channels_of_ome_are_told_apart(tmp_path: Path, order: str) -> None:
    path = save_pages(tmp_path / "stack.ome.tif", STACK, ome(order, z=3, c=2))
    by_channel = STACK.reshape(2, 3, 5, 7)
    if order == "XYCZT":
        by_channel = STACK.reshape(3, 2, 5, 7).transpose(1, 0, 2, 3)
    with open_image(path) as source:
        assert (source.header.shape, source.header.n_channels) == ((3, 5, 7), 2)
        assert np.array_equal(source.read(), by_channel)
        assert np.array_equal(source.read(REGION), by_channel[(slice(None), *REGION)])


def test_time_points_are_refused(tmp_path: Path) -> None:
    path = save_pages(tmp_path / "film.ome.tif", STACK, ome(t=6))
    with pytest.raises(UnreadableFile, match=r"6 pages of 7 x 5 pixels: 6 time points"):
        open_image(path)


def test_a_stack_of_imagej_with_its_calibration(tmp_path: Path) -> None:
    text = "ImageJ=1.54f\nimages=6\nslices=6\nunit=micron\nspacing=1.5\nloop=false\n"
    path = save_pages(tmp_path / "stack.tif", STACK, text, x_resolution=4.0, y_resolution=2.0)
    with open_image(path) as source:
        assert source.header.shape == (6, 5, 7)
        assert source.header.spacing == pytest.approx((1.5, 0.5, 0.25))
        assert np.array_equal(source.read()[0], STACK)


def test_a_large_stack_of_imagej_has_one_page_for_all_its_planes(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    pages = STACK.reshape(3, 2, 5, 7)
    tifffile.imwrite(path, pages, imagej=True, metadata={"axes": "ZCYX", "spacing": 3.0})
    with tifffile.TiffFile(path) as file:
        offset = file.pages.first.dataoffsets[0]
        link, order = file.pages.first.offset, "big" if file.byteorder == ">" else "little"
    data = bytearray(path.read_bytes())
    n_entries = int.from_bytes(data[link : link + 2], order)
    end = link + 2 + 12 * n_entries
    data[end : end + 4] = bytes(4)  # ImageJ writes no further pages above 4 GB
    path.write_bytes(data[: offset + pages.nbytes])
    with open_image(path) as source:
        assert (source.header.shape, source.header.n_channels) == ((3, 5, 7), 2)
        assert np.array_equal(source.read(), pages.transpose(1, 0, 2, 3))


def test_many_pages_without_a_word_are_slices(tmp_path: Path) -> None:
    path = save_pages(tmp_path / "stack.tif", STACK)
    with open_image(path) as source:
        assert source.header.shape == (6, 5, 7)
        assert source.header.spacing is None
        assert any("slices" in note.what for note in source.header.notes)
        assert np.array_equal(source.read(REGION)[0], STACK[REGION])


def test_few_pages_without_a_word_are_refused(tmp_path: Path) -> None:
    path = save_pages(tmp_path / "stack.tif", STACK[:3])
    with pytest.raises(UnreadableFile, match=r"3 pages .* slices or channels"):
        open_image(path)


def test_colour_pages_are_slices_however_few(tmp_path: Path) -> None:
    pages = RANDOM.integers(0, 256, (2, 5, 7, 3)).astype(np.uint8)
    path = save_pages(tmp_path / "stack.tif", pages)
    with open_image(path) as source:
        assert (source.header.shape, source.header.n_channels) == ((2, 5, 7), 3)
        assert np.array_equal(source.read(), pages.transpose(3, 0, 1, 2))


def test_pages_of_other_sizes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    with tifffile.TiffWriter(path) as writer:
        for length in (8, 8, 8, 6, 6):
            writer.write(np.zeros((length, 9), np.uint8), metadata=None)
    with pytest.raises(UnreadableFile, match="5 pages of 9 x 8 pixels and other sizes"):
        open_image(path)


@pytest.mark.parametrize("shape", [(3, 5, 7), (2, 600, 30)])
def test_labels_of_a_stack_carry_axes_and_spacing(tmp_path: Path, shape: tuple[int, ...]) -> None:
    labels = RANDOM.integers(0, 5, shape).astype(np.uint8)
    header = Header(tmp_path / "x.tif", shape, 1, np.dtype("uint8"), "TIFF", (2.0, 0.5, 0.25), "µm")
    path = tmp_path / "labels.tif"
    with create_labels(path, header) as sink:
        for z in range(shape[0]):
            sink.write((slice(z, z + 1), *whole_region(shape[1:])), labels[z : z + 1])
    with open_labels(path) as source:
        assert (source.header.spacing, source.header.unit) == ((2.0, 0.5, 0.25), "µm")
        assert np.array_equal(source.read()[0], labels)
    with Image.open(path) as picture:
        assert picture.n_frames == shape[0]
        pixels = ET.fromstring(picture.tag_v2[270].encode("latin-1").decode()).find(".//{*}Pixels")
        picture.seek(1)
        assert np.array_equal(np.asarray(picture), labels[1])
    assert pixels is not None
    assert (pixels.get("SizeZ"), pixels.get("SizeC")) == (str(shape[0]), "1")
    assert (pixels.get("PhysicalSizeZ"), pixels.get("PhysicalSizeZUnit")) == ("2.0", "µm")


def test_two_slices_of_labels_are_still_slices(tmp_path: Path) -> None:
    header = Header(tmp_path / "x.npy", (2, 5, 7), 1, np.dtype("uint8"), "NumPy")
    with create_labels(tmp_path / "labels.tif", header) as sink:
        sink.write(whole_region(header.shape), np.ones(header.shape, np.uint8))
    with open_labels(tmp_path / "labels.tif") as source:
        assert source.header.shape == (2, 5, 7)
