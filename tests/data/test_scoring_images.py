"""Images behind scored labels: by stem, by naming rule, as files of channels, or none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pixelwise.data.scoring_images import find_images


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((2, 2), np.uint8)).save(path)


def truths_of(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.iterdir())}


def test_equal_stems_and_one_addition_to_all(tmp_path: Path) -> None:
    masks, images = tmp_path / "masks", tmp_path / "images"
    touch(masks / "a.png", masks / "b.png", images / "a.png", images / "b.jpg", images / "c.png")
    assert find_images(masks, truths_of(masks)) == {
        "a": (images / "a.png",), "b": (images / "b.jpg",),
    }  # fmt: skip
    touch(tmp_path / "second" / "a_mask.png", tmp_path / "second" / "b_mask.png")
    assert find_images(tmp_path / "second", truths_of(tmp_path / "second")) == {
        "a_mask": (images / "a.png",), "b_mask": (images / "b.jpg",),
    }  # fmt: skip


def test_numbered_channels_beside_labels_of_their_kind(tmp_path: Path) -> None:
    for kind in ("Tr", "Ts"):
        touch(
            *(tmp_path / f"images{kind}" / f"{kind}_{i}_000{c}.png" for i in (1, 2) for c in (0, 1))
        )
        touch(
            tmp_path / f"labels{kind}" / f"{kind}_1.png",
            tmp_path / f"labels{kind}" / f"{kind}_2.png",
        )
    labels = tmp_path / "labelsTs"
    found = find_images(labels, truths_of(labels))
    images = tmp_path / "imagesTs"
    assert found == {
        f"Ts_{i}": (images / f"Ts_{i}_0000.png", images / f"Ts_{i}_0001.png") for i in (1, 2)
    }


def test_channels_by_name_and_by_folder(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for case in ("a", "b"):
        touch(one / "masks" / f"{case}.png", other / "masks" / f"{case}.png")
        for name in ("dapi", "actin"):
            touch(one / "images" / f"{case}_{name}.png", other / "images" / name / f"{case}.png")
    assert find_images(one / "masks", truths_of(one / "masks"))["a"] == (
        one / "images" / "a_actin.png", one / "images" / "a_dapi.png",
    )  # fmt: skip
    assert find_images(other / "masks", truths_of(other / "masks"))["b"] == (
        other / "images" / "actin" / "b.png", other / "images" / "dapi" / "b.png",
    )  # fmt: skip


def test_nothing_is_guessed(tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    touch(masks / "a.png")
    assert find_images(masks, truths_of(masks)) == {}
    touch(tmp_path / "images" / "z.png")
    assert find_images(masks, truths_of(masks)) == {}
    assert find_images(masks / "a.png", {"a": masks / "a.png"}) == {}
