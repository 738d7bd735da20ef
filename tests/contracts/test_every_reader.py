"""What every registered reader keeps: write then read is equal, regions, honest refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pixelwise.core.errors import UnreadableFile
from pixelwise.core.image import Header
from pixelwise.readers import (
    READERS,
    create_labels,
    create_probabilities,
    open_image,
    open_labels,
    open_probabilities,
)

LABEL_SUFFIXES = sorted(
    suffix
    for name in READERS.names()
    if "labels" in READERS.find(name).facts["purposes"]
    for suffix in READERS.find(name).facts["sinks"]
)
ALL_SUFFIXES = sorted({s for n in READERS.names() for s in READERS.find(n).facts["suffixes"]})


def write_labels(path: Path, labels: np.ndarray) -> None:
    header = Header(path, labels.shape, 1, labels.dtype, "test")
    with create_labels(path, header, dtype=str(labels.dtype)) as sink:
        middle = labels.shape[0] // 2
        rest = tuple(slice(0, n) for n in labels.shape[1:])
        sink.write((slice(0, middle), *rest), labels[:middle])
        sink.write((slice(middle, labels.shape[0]), *rest), labels[middle:])


@pytest.mark.parametrize("suffix", LABEL_SUFFIXES)
@pytest.mark.parametrize("shape", [(37, 53), (1, 1)])
def test_labels_written_are_labels_read(
    tmp_path: Path, suffix: str, shape: tuple[int, int]
) -> None:
    labels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    path = tmp_path / f"labels{suffix}"
    write_labels(path, labels)
    assert [child.name for child in tmp_path.iterdir()] == [path.name]
    with open_labels(path) as source:
        assert source.header.shape == shape
        assert np.array_equal(source.read()[0], labels)
        region = (slice(0, shape[0] // 2 + 1), slice(shape[1] // 3, shape[1]))
        assert np.array_equal(source.read(region)[0], labels[region])


@pytest.mark.parametrize("suffix", LABEL_SUFFIXES)
def test_an_error_while_writing_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"labels{suffix}"
    header = Header(path, (8, 8), 1, np.dtype(np.uint8), "test")
    with pytest.raises(ZeroDivisionError), create_labels(path, header):
        _ = 1 / 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", LABEL_SUFFIXES)
def test_a_file_cut_short_is_refused_or_read_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"labels{suffix}"
    write_labels(path, np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8))
    file = path
    if path.is_dir():  # the largest of its files: its pixels
        file = max((f for f in path.rglob("*") if f.is_file()), key=lambda f: f.stat().st_size)
    whole = file.read_bytes()
    for share in (0.1, 0.5, 0.9):
        file.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(UnreadableFile) as caught, open_labels(path) as source:
            source.read()
        assert caught.value.problems[0].path


@pytest.mark.parametrize("suffix", ALL_SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"<html>not a picture</html>", b"\x00" * 64])
def test_a_foreign_file_is_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"image{suffix}"
    path.write_bytes(content)
    opens = open_probabilities if suffix == ".npy" else open_image
    with pytest.raises(UnreadableFile) as caught, opens(path) as source:
        source.read()
    problem = caught.value.problems[0]
    assert problem.what
    assert problem.remedy


def test_probabilities_written_are_probabilities_read(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((3, 10, 12)).astype(np.float16)
    path = tmp_path / "case.npy"
    with create_probabilities(path, (10, 12), 3) as sink:
        sink.write((slice(0, 4), slice(0, 12)), values[:, :4])
        sink.write((slice(4, 10), slice(0, 12)), values[:, 4:])
    with open_probabilities(path) as source:
        assert np.array_equal(source.read(), values)
        assert np.array_equal(source.read((slice(2, 7), slice(1, 5))), values[:, 2:7, 1:5])
