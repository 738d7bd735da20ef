"""The demo never touches what it did not make, and scores kinds of objects by counting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelwise.commands.demo import demo, score_kinds
from pixelwise.core.errors import BadOutput
from pixelwise.data.synthetic import KIND_NAMES


def save(path: Path, pixels: list[list[int]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(pixels, np.uint8)).save(path)


def test_shares_are_pooled_over_the_images(tmp_path: Path) -> None:
    """Kind 1: one of three pixels; kind 2: both; kind 3 does not occur."""
    save(tmp_path / "kinds" / "a.png", [[1, 1, 0], [2, 0, 0]])
    save(tmp_path / "labels" / "a.png", [[1, 0, 1], [1, 0, 0]])
    save(tmp_path / "kinds" / "b.png", [[1, 0, 2]])
    save(tmp_path / "labels" / "b.png", [[0, 0, 1]])
    found = score_kinds(tmp_path, tmp_path / "labels", ["a", "b"])
    assert found == {KIND_NAMES[1]: 1 / 3, KIND_NAMES[2]: 1.0}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_foreign_folder_is_left_alone(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BadOutput, match="no earlier demo"):
        demo(out=tmp_path, overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_earlier_demo_is_replaced_only_when_told(tmp_path: Path) -> None:
    (tmp_path / "pixelwise-demo.txt").write_text("x")
    with pytest.raises(BadOutput, match="--overwrite"):
        demo(out=tmp_path)
    assert (tmp_path / "pixelwise-demo.txt").exists()
