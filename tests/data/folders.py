"""Small folders of images and masks, made in tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

IMAGE = np.arange(64, dtype=np.uint8).reshape(8, 8)
MASK = np.zeros((8, 8), np.uint8)
MASK[2:5, 2:5] = 1


def save(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    """Write an array as a picture, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def make_set(
    root: Path,
    masks: Mapping[str, np.ndarray] | None = None,
    *,
    mask_suffix: str = "",
    description: Any = None,
    splits: Any = None,
) -> Path:
    """images/NAME.png and masks/NAME.png for each given mask (default: three alike)."""
    for name, mask in (masks or {"a": MASK, "b": MASK, "c": MASK}).items():
        image = np.resize(IMAGE, mask.shape[:2])
        save(root / "images" / f"{name}.png", image)
        save(root / "masks" / f"{name}{mask_suffix}.png", mask)
    if description is not None:
        (root / "dataset.json").write_text(json.dumps(description))
    if splits is not None:
        (root / "splits.json").write_text(json.dumps(splits))
    return root
