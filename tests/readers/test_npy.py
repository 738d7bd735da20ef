"""Class probabilities on disk: float16, by region, whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from pixelwise.core.errors import BadOutput, ProgramError, UnreadableFile
from pixelwise.readers import create_probabilities, open_image, open_probabilities


@pytest.mark.parametrize("shape", [(6, 7), (3, 6, 7)])
def test_regions_written_are_regions_read(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).random((2, *shape)).astype(np.float16)
    path = tmp_path / "p.npy"
    rest = tuple(slice(0, length) for length in shape[1:])
    with create_probabilities(path, shape, 2) as sink:
        sink.write((slice(0, 1), *rest), values[:, :1])
        sink.write((slice(1, shape[0]), *rest), values[:, 1:])
        assert not path.exists()
    assert np.array_equal(np.load(path), values)
    with open_probabilities(path) as source:
        assert (source.header.shape, source.header.n_channels) == (shape, 2)
        region = (slice(1, 2), *rest)
        assert np.array_equal(source.read(region), values[:, 1:2])


def test_a_full_disk_is_an_error_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(BadOutput, match="disk is full"):
        create_probabilities(tmp_path / "p.npy", (10, 10), 2)
    assert not list(tmp_path.iterdir())


def test_labels_are_no_probabilities(tmp_path: Path) -> None:
    path = tmp_path / "labels.npy"
    np.save(path, np.zeros((3, 4, 5), np.uint8))
    with pytest.raises(UnreadableFile, match="uint8"):
        open_probabilities(path)


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "objects.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(UnreadableFile):
        open_probabilities(path)


@pytest.mark.parametrize(
    ("stored", "shape", "n_channels"),
    [
        (np.zeros((4, 5), np.uint16), (4, 5), 1),
        (np.zeros((4, 5, 3), np.uint8), (4, 5), 3),
        (np.zeros((7, 4, 5), np.int16), (7, 4, 5), 1),
        (np.zeros((2, 7, 4, 5), ">f4"), (7, 4, 5), 2),
        (np.zeros((2, 1, 4, 5), bool), (4, 5), 2),
    ],
)
def test_axes_of_an_array_follow_the_rule(
    tmp_path: Path, stored: np.ndarray, shape: tuple[int, ...], n_channels: int
) -> None:
    path = tmp_path / "image.npy"
    np.save(path, stored)
    with open_image(path) as source:
        assert (source.header.shape, source.header.n_channels) == (shape, n_channels)
        assert source.read().dtype.isnative
        assert all(note.code == "assumed-axes" for note in source.header.notes)


@pytest.mark.parametrize("shape", [(3, 40, 40), (40, 40, 3), (20, 4, 4, 4), (5,), (1, 1, 1, 2, 2)])
def test_arrays_that_may_mean_two_things_are_refused(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    path = tmp_path / "image.npy"
    np.save(path, np.zeros(shape, np.float32))
    with pytest.raises(UnreadableFile, match=str(shape[0])):
        open_image(path)


def test_only_what_is_read_of_an_array_is_loaded(tmp_path: Path) -> None:
    values = np.arange(2 * 6 * 5 * 4, dtype=np.int32).reshape(2, 6, 5, 4)
    path = tmp_path / "image.npy"
    np.save(path, values)
    with open_image(path) as source:
        part = source.read((slice(1, 3), slice(2, 5), slice(0, 2)))
    assert np.array_equal(part, values[:, 1:3, 2:5, 0:2])


def test_writing_after_closing_is_our_own_mistake(tmp_path: Path) -> None:
    sink = create_probabilities(tmp_path / "p.npy", (2, 2), 2)
    sink.close()
    with pytest.raises(ProgramError):
        sink.write((slice(0, 1), slice(0, 1)), np.zeros((2, 1, 1)))
