"""What was learned is found again for the same bytes, and for nothing else."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixelwise.commands.check as check_module
from pixelwise.commands.check import Learned, check
from pixelwise.data.cases import find_cases
from pixelwise.data.kept_checks import check_key, find_kept, keep


@pytest.fixture
def data(tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Path(shutil.copytree(tiny_data, tmp_path / "set"))


def test_the_second_look_reads_nothing_and_says_the_same(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = check(data)

    def fail(*args: object, **options: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(check_module, "gather_facts", fail)
    monkeypatch.setattr(check_module, "examine_set", fail)
    assert check(data) == first


def test_one_changed_pixel_is_another_key(data: Path) -> None:
    dataset, _ = find_cases(data)
    assert dataset is not None
    before = check_key(dataset)
    assert before is not None
    assert check_key(dataset) == before
    path = data / "images" / "case-0001.png"
    times = path.stat()
    image = np.asarray(Image.open(path)).copy()
    image[0, 0] ^= 1
    Image.fromarray(image).save(path)
    # neither time nor size decide
    os.utime(path, (times.st_atime, times.st_mtime))
    assert check_key(dataset) != before


def test_files_that_name_others_are_not_kept(data: Path) -> None:
    dataset, _ = find_cases(data)
    assert dataset is not None
    case = dataset.cases[0]
    odd = data / "images" / "volume.mhd"
    odd.write_text("ElementDataFile = volume.raw")
    changed = dataclasses.replace(dataset, cases=(dataclasses.replace(case, image=odd),))
    assert check_key(changed) is None


def test_what_is_broken_or_cannot_be_written_is_as_if_it_were_not_there(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("k", "facts", Learned(None, ()))
    assert find_kept("k", "facts", Learned) == Learned(None, ())
    (kept,) = (tmp_path / "cache" / "pixelwise" / "checks").glob("*.json")
    kept.write_text("{")
    assert find_kept("k", "facts", Learned) is None
    assert find_kept(None, "facts", Learned) is None
    monkeypatch.setenv("XDG_CACHE_HOME", str(data / "images" / "case-0000.png"))
    keep("k", "facts", Learned(None, ()))
    assert find_kept("k", "facts", Learned) is None
