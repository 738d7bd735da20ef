"""OME-Zarr: metadata written by hand, pixels by zarr; axes, place, versions, damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numcodecs import Blosc

from pixelwise.core.errors import UnreadableFile
from pixelwise.core.image import whole_region
from pixelwise.readers import create_labels, is_image_folder, label_suffix, open_image, open_labels

RANDOM = np.random.default_rng(0)
VOLUME = RANDOM.integers(0, 4000, (1, 2, 9, 20, 30)).astype(np.uint16)
REGION = (slice(2, 7), slice(3, 9), slice(11, 30))


def axes_of(names: str, unit: str = "micrometer") -> list[dict[str, str]]:
    kinds = {"t": "time", "c": "channel"}
    return [
        {"name": n, "type": kinds.get(n, "space")} | ({"unit": unit} if n in "zyx" else {})
        for n in names
    ]


def save(path: Path, values: np.ndarray, names: str, *, zarr_format: int = 2, **more: Any) -> Path:
    """An image of one level; spacing 2, 0.5, 0.25 µm, first voxel at 10, 20, 30."""
    n = len(names)
    transforms = [
        {"type": "scale", "scale": [1.0, 1.0, 2.0, 0.5, 0.25][-n:]},
        {"type": "translation", "translation": [0.0, 0.0, 10.0, 20.0, 30.0][-n:]},
    ]
    scale = {
        "version": "0.4",
        "axes": axes_of(names),
        "datasets": [{"path": "0", "coordinateTransformations": transforms}],
    }
    content = {"multiscales": [scale], **more}
    group = zarr.open_group(str(path), mode="w", zarr_format=zarr_format)
    chunks = tuple(min(8, length) for length in values.shape)
    group.create_array("0", shape=values.shape, chunks=chunks, dtype=values.dtype)[...] = values
    if zarr_format == 2:
        (path / ".zattrs").write_text(json.dumps(content))
    else:
        file = path / "zarr.json"
        entry = json.loads(file.read_text())
        entry["attributes"] = {"ome": {"version": "0.5", **content}}
        file.write_text(json.dumps(entry))
    return path


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_five_axes_of_both_versions(tmp_path: Path, zarr_format: int) -> None:
    path = save(tmp_path / "a.ome.zarr", VOLUME, "tczyx", zarr_format=zarr_format)
    assert is_image_folder(path)
    with open_image(path) as source:
        header = source.header
        assert (header.shape, header.n_channels, header.dtype) == ((9, 20, 30), 2, np.uint16)
        assert (header.spacing, header.unit) == ((2.0, 0.5, 0.25), "µm")
        assert header.placement is not None
        assert header.placement.origin == (30.0, 20.0, 10.0)
        assert np.array_equal(source.read(), VOLUME[0])
        assert np.array_equal(source.read(REGION), VOLUME[(0, slice(None), *REGION)])


def test_a_picture_with_named_channels(tmp_path: Path) -> None:
    labels = {"omero": {"channels": [{"label": "DAPI"}, {"label": "GFP"}]}}
    path = save(tmp_path / "a.zarr", VOLUME[0, :, 0], "cyx", **labels)
    with open_image(path) as source:
        assert source.header.channel_names == ("DAPI", "GFP")
        assert source.header.shape == (20, 30)
        assert np.array_equal(source.read(), VOLUME[0, :, 0])


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_labels_lie_where_their_image_lies(tmp_path: Path, zarr_format: int) -> None:
    path = save(tmp_path / "a.ome.zarr", VOLUME, "tczyx", zarr_format=zarr_format)
    with open_image(path) as source:
        header = source.header
    target = tmp_path / f"labels{label_suffix(header)}"
    labels = RANDOM.integers(0, 5, header.shape).astype(np.uint8)
    with create_labels(target, header, palette=((0, 0, 0), (255, 0, 0))) as sink:
        for z in range(9):
            sink.write((slice(z, z + 1), *whole_region(header.shape[1:])), labels[z : z + 1])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ome.zarr", target.name]
    group = zarr.open_group(str(target), mode="r")
    attributes = dict(group.attrs)
    attributes = attributes.get("ome", attributes)
    transforms = attributes["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    assert transforms[0]["scale"] == [2.0, 0.5, 0.25]
    assert transforms[1]["translation"] == [10.0, 20.0, 30.0]
    assert attributes["multiscales"][0]["axes"] == axes_of("zyx")
    assert attributes["image-label"]["colors"][1]["rgba"] == [255, 0, 0, 255]
    assert np.array_equal(group["0"][...], labels)
    with open_labels(target) as source:
        assert source.header.placement == header.placement
        assert np.array_equal(source.read()[0], labels)


def test_labels_replace_older_ones_whole(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ome.zarr", VOLUME[0, 0, 0], "yx")
    with open_image(path) as source:
        header = source.header
    with create_labels(path, header) as sink:
        sink.write(whole_region(header.shape), np.full(header.shape, 3, np.uint8))
    with open_labels(path) as source:
        assert (source.read() == 3).all()
    assert [p.name for p in tmp_path.iterdir()] == ["a.ome.zarr"]


def test_only_chunks_of_the_region_are_read(tmp_path: Path) -> None:
    path = save(tmp_path / "a.zarr", VOLUME[0, 0], "zyx")
    for chunk in (path / "0").glob("1.*"):  # the slices from 8 on
        chunk.write_bytes(b"damaged")
    with open_image(path) as source:
        assert np.array_equal(source.read(REGION)[0], VOLUME[(0, 0, *REGION)])
        with pytest.raises(UnreadableFile):
            source.read()


def test_a_cut_chunk_of_blosc_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.zarr", VOLUME[0, 0], "zyx")
    group = zarr.open_group(str(path), mode="a", zarr_format=2)
    array = group.create_array(
        "0", shape=(16, 16, 16), dtype="u1", compressors=Blosc(), overwrite=True
    )
    array[...] = RANDOM.integers(0, 256, (16, 16, 16))
    chunk = path / "0" / "0.0.0"
    chunk.write_bytes(chunk.read_bytes()[:2000])
    with open_image(path) as source, pytest.raises(UnreadableFile, match="truncated"):
        source.read()


def test_films_plates_and_plain_arrays_are_refused(tmp_path: Path) -> None:
    film = save(tmp_path / "film.zarr", np.zeros((3, 1, 2, 8, 8), np.uint8), "tczyx")
    with pytest.raises(UnreadableFile, match="film of 3 time points"):
        open_image(film)
    plate = tmp_path / "plate.zarr"
    zarr.open_group(str(plate), mode="w", zarr_format=2).attrs["plate"] = {"wells": []}
    with pytest.raises(UnreadableFile, match="plate"):
        open_image(plate)
    series = tmp_path / "series.zarr"
    zarr.open_group(str(series), mode="w", zarr_format=2).create_group("0")
    with pytest.raises(UnreadableFile, match=r"Give one of the images inside.*series.zarr/0"):
        open_image(series)
    plain = tmp_path / "plain.zarr"
    zarr.open_array(str(plain), mode="w", shape=(8, 8), dtype="u1", zarr_format=2)
    with pytest.raises(UnreadableFile, match="name its axes"):
        open_image(plain)


def test_coarser_levels_are_said(tmp_path: Path) -> None:
    path = save(tmp_path / "a.zarr", VOLUME[0, 0], "zyx")
    content = json.loads((path / ".zattrs").read_text())
    content["multiscales"][0]["datasets"].append({"path": "1"})
    (path / ".zattrs").write_text(json.dumps(content))
    with open_image(path) as source:
        assert "1 coarser levels" in source.header.notes[0].what
