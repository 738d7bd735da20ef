"""Uneven light is added to a set; how much validation Dice is lost without and with correction."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.doctor.set_copy import Array, SetCopy, copy_set
from pixelwise.commands.check import check
from pixelwise.commands.train import train

BUDGET = "60s"
_DARKEST, _WIDTH = 0.2, 0.5


def measure(source: Path, work: Path) -> dict[str, Any]:
    """Three trainings of equal budget: as it is, with a lamp on each image, and that corrected.

    The correction is the one that `check` offers for the shaded set.
    """
    plain, shaded = copy_set(source, work / "plain"), copy_set(source, work / "shaded")
    random = np.random.default_rng(zlib.crc32(source.name.encode()))
    for stem in [stem for stems in shaded.splits.values() for stem in stems]:
        _add_lamp(shaded, stem, random)
    examination = check(shaded.root).examination
    offered = "none" if examination is None else examination.correction
    found: dict[str, Any] = {"offered": offered}
    setting = f"intensity.shading={offered}"
    runs: dict[str, tuple[SetCopy, tuple[str, ...]]] = {
        "as it is": (plain, ()),
        "shaded": (shaded, ()),
        "shaded, corrected": (shaded, (setting,)),
    }
    for name, (copy, settings) in runs.items():
        result = train(copy.root, run=work / name, budget=BUDGET, settings=settings)
        found[name] = round(float(result.validation.overall["mean_dice"] or 0), 4)
    without = found["as it is"] - found["shaded"]
    with_it = found["as it is"] - found["shaded, corrected"]
    found["share of the loss that is left"] = round(with_it / without, 3) if without > 0 else None
    return found


def _add_lamp(copy: SetCopy, stem: str, random: np.random.Generator) -> None:
    """Light that falls off like a Gaussian around a random place: from 1 to a fifth."""
    image = copy.read("images", stem)
    y, x = (np.linspace(0, 1, n) for n in image.shape[:2])
    centre = random.uniform(0, 1, 2)
    square = (y[:, None] - centre[0]) ** 2 + (x[None] - centre[1]) ** 2
    light: Array = _DARKEST + (1 - _DARKEST) * np.exp(-square / (2 * _WIDTH**2))
    if image.ndim == 3:
        light = light[..., None]
    copy.write("images", stem, np.rint(image * light).astype(image.dtype))
