"""Half of the images that are not trained on are changed; does the drift score rank them first?"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from benchmarks.doctor.set_copy import Array, SetCopy, copy_set
from pixelwise.commands.check import check

CHANGES = ("darker", "less contrast", "blurred", "noisy", "gamma")


def measure(source: Path, work: Path) -> dict[str, Any]:
    """AUC of the drift score for each change, and the false alarms among unchanged images."""
    found: dict[str, Any] = {}
    for change in CHANGES:
        copy = copy_set(source, work / "changed")
        random = np.random.default_rng(zlib.crc32(f"{source.name} {change}".encode()))
        others = [*copy.splits["val"], *copy.splits["test"]]
        if len(others) < 4 or len(copy.splits["train"]) < 8:
            return {"drift": "too few cases"}
        changed = set(map(str, random.choice(others, len(others) // 2, replace=False)))
        for stem in changed:
            _change(copy, stem, change, random)
        copy.save()
        examination = check(copy.root).examination
        drifts = {} if examination is None else {d.case: d.score for d in examination.drifts}
        positive = [drifts[stem] for stem in others if stem in changed]
        negative = [drifts[stem] for stem in others if stem not in changed]
        found[change] = round(auc(positive, negative), 3)
    found["mean"] = round(float(np.mean(list(found.values()))), 3)
    return found


def auc(positive: list[float], negative: list[float]) -> float:
    """Probability that a positive scores above a negative one."""
    ordered = np.sort(negative)
    places = np.searchsorted(ordered, positive, "left") + np.searchsorted(
        ordered, positive, "right"
    )
    return float(places.mean() / (2 * len(ordered)))


def _change(copy: SetCopy, stem: str, change: str, random: np.random.Generator) -> None:
    stored = copy.read("images", stem)
    image = stored.astype(np.float64)
    low, high = np.percentile(image, [0.5, 99.5])
    made = _changed(image, change, low, high, random)
    if stored.dtype.kind in "ui":
        limits = np.iinfo(stored.dtype)
        made = np.clip(np.rint(made), limits.min, limits.max)
    copy.write("images", stem, made.astype(stored.dtype))


def _changed(
    image: Array, change: str, low: float, high: float, random: np.random.Generator
) -> Array:
    span = max(high - low, 1e-6)
    if change == "darker":
        return low + (image - low) * 0.5
    if change == "less contrast":
        return image.mean() + (image - image.mean()) * 0.4
    if change == "blurred":
        spatial = image.ndim if image.ndim == 2 or image.shape[-1] > 4 else 2
        return ndimage.gaussian_filter(image, (2.0,) * spatial + (0,) * (image.ndim - spatial))
    if change == "noisy":
        return image + random.normal(0, 0.1 * span, image.shape)
    return low + span * np.clip((image - low) / span, 0, 1) ** 2
