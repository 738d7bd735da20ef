"""Small NIfTI volumes, made in tests."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

SHAPE = (6, 5, 4)
"""Lengths along i, j, k."""


def save_volume(
    path: Path,
    values: np.ndarray | None = None,
    *,
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Path:
    """A volume of int16 numbers (drawn from its name if none are given), stored as RAS, in mm."""
    if values is None:
        seed = sum(map(ord, str(path.name)))
        values = np.random.default_rng(seed).integers(0, 100, SHAPE).astype(np.int16)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    image = nib.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)
    return path


def save_mask(path: Path, **place: tuple[float, float, float]) -> Path:
    """A mask with a block of class 1."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:4, 1:3, 1:3] = 1
    return save_volume(path, mask, **place)
