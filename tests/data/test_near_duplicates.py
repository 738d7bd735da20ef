"""Damaged copies are found whatever was done to them; different pictures are not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pixelwise.data.near_duplicates import find_alike, signature


def texture(seed: int, frame: bool = False) -> np.ndarray:
    generator = np.random.default_rng(seed)
    coarse = generator.uniform(40, 200, (24, 30)).astype(np.uint8)
    image = Image.fromarray(coarse).resize((240, 192), Image.Resampling.BICUBIC)
    values = np.asarray(image).astype(np.float32)
    if frame:
        y, x = np.mgrid[:192, :240]
        values[(y - 96) ** 2 + (x - 120) ** 2 > 90**2] = 0
    return values


def copies(values: np.ndarray) -> dict[str, np.ndarray]:
    picture = Image.fromarray(values.astype(np.uint8))
    stored = io.BytesIO()
    picture.save(stored, "JPEG", quality=40)
    noise = np.random.default_rng(9).normal(0, 8, values.shape)
    return {
        "JPEG": np.asarray(Image.open(stored)),
        "brighter": values * 1.2 + 15,
        "smaller": np.asarray(picture.resize((150, 120))),
        "noisy": values + noise,
        "left to right": values[:, ::-1],
        "top to bottom": values[::-1],
        "by half a turn": values[::-1, ::-1],
    }


@pytest.mark.parametrize("how", list(copies(texture(0))))
@pytest.mark.parametrize("frame", [False, True])
def test_finds_each_kind_of_copy(how: str, frame: bool) -> None:
    pictures = [texture(seed, frame) for seed in range(10)]
    pictures.append(copies(pictures[3])[how])
    found = find_alike([signature(p[None]) for p in pictures])
    assert [(pair.first, pair.second) for pair in found] == [(3, 10)]
    assert found[0].mirrored == (how if how.startswith(("left", "top", "by")) else "")


def test_nothing_to_compare() -> None:
    flat = np.full((1, 50, 60), 7.0)
    assert find_alike([]) == []
    assert find_alike([signature(flat)] * 3) == []
    assert find_alike([signature(texture(1)[None])]) == []
