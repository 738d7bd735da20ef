"""Labels of single objects are made wrong; does a run trained on them rank these places first?"""

from __future__ import annotations

import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from benchmarks.doctor.drift_ranking import auc
from benchmarks.doctor.set_copy import Array, SetCopy, copy_set
from pixelwise.commands.doubtful_labels import Doubt, rank_labels
from pixelwise.commands.train import train
from pixelwise.data.cases import find_cases

BUDGET = "100s"
_SHARE = 0.25
"""Of the training and validation cases, so many get one wrong object each."""

_LONG = 3.0
"""An object over more than a third of the image is wrong in a window only, a fifth wide."""


@dataclass(frozen=True, slots=True)
class Injury:
    """A place made wrong: the box (start, stop) per axis of the label array that is read."""

    case: str
    box: tuple[tuple[int, int], ...]


def measure(source: Path, work: Path) -> dict[str, Any]:
    """Train on a set with wrong objects, rank its labels, compare with what was made wrong."""
    copy = copy_set(source, work / "data")
    random = np.random.default_rng(zlib.crc32(source.name.encode()))
    injuries = _injure(copy, random)
    copy.save()
    train(copy.root, run=work / "run", budget=BUDGET)
    dataset, _ = find_cases(copy.root)
    if dataset is None:
        sys.exit(f"{source.name} was not understood")
    doubts, _ = rank_labels(dataset, work / "run", most=sys.maxsize)
    hurt = {injury.case for injury in injuries}
    positive, negative, taken = [], [], set()
    for doubt in doubts:
        hit = next((i for i in injuries if _meets(i, doubt)), None)
        if hit is None:
            negative.append(doubt.score)
        elif hit not in taken:
            taken.add(hit)
            positive.append(doubt.score)
    positive += [0.0] * (len(injuries) - len(taken))
    first = doubts[: len(injuries)]
    by_case: dict[str, float] = {}
    for doubt in doubts:
        by_case.setdefault(doubt.case, doubt.score)
    looked_at = [s for split in ("train", "val") for s in copy.splits[split]]
    return {
        "wrong objects": len(injuries),
        "places ranked": len(doubts),
        "AUC of places": round(auc(positive, negative), 3),
        "AUC of cases": round(
            auc(
                [by_case.get(s, 0.0) for s in looked_at if s in hurt],
                [by_case.get(s, 0.0) for s in looked_at if s not in hurt],
            ),
            3,
        ),
        "wrong among the first as many": sum(any(_meets(i, d) for i in injuries) for d in first),
    }


def _injure(copy: SetCopy, random: np.random.Generator) -> list[Injury]:
    stems = [*copy.splits["train"], *copy.splits["val"]]
    chosen = random.choice(stems, max(2, round(_SHARE * len(stems))), replace=False)
    has_background = copy.description["classes"][0]["name"].lower() in ("background", "other")
    injuries = []
    for stem in map(str, chosen):
        mask = copy.read("masks", stem).copy()
        place = _choose(mask, random)
        if place is None:
            continue
        box, inside = place
        part = mask[box]
        own = int(part[inside][0])
        others = [int(c) for c in np.unique(mask) if c not in (own, 255)]
        wrong = 0 if has_background or (own != 0 and len(others) == 1) else random.choice(others)
        part[inside] = wrong
        copy.write("masks", stem, mask)
        ends = [(part.start, part.stop) for part in box]
        injuries.append(Injury(stem, tuple(reversed(ends)) if copy.is_volume else tuple(ends)))
    return injuries


def _choose(mask: Array, random: np.random.Generator) -> tuple[tuple[slice, ...], Array] | None:
    """A random object of at least median size: its box, and where it is in there."""
    found = []
    for class_id in np.unique(mask):
        if class_id not in (0, 255):
            numbered, n = ndimage.label(mask == class_id, np.ones((3,) * mask.ndim))
            for number, box in enumerate(ndimage.find_objects(numbered, n), start=1):
                inside = numbered[box] == number
                found.append((int(inside.sum()), box, inside))
    if not found:
        return None
    middle = np.median([size for size, _, _ in found])
    large = [entry for entry in found if entry[0] >= middle]
    _, box, inside = large[int(random.integers(len(large)))]
    is_long = any(
        (part.stop - part.start) * _LONG > n for part, n in zip(box, mask.shape, strict=True)
    )
    if not is_long or mask.ndim == 3:
        return box, inside
    return _window(box, inside, mask.shape, random)


def _window(
    box: tuple[slice, ...], inside: Array, shape: tuple[int, ...], random: np.random.Generator
) -> tuple[tuple[slice, ...], Array]:
    """A part of a large object: what lies in a window around one of its pixels."""
    pixels = np.argwhere(inside)
    centre = pixels[int(random.integers(len(pixels)))]
    cuts = []
    for place, n, length in zip(centre, shape, inside.shape, strict=True):
        half = max(8, n // 10)
        cuts.append(slice(max(0, int(place) - half), min(length, int(place) + half)))
    part = inside[tuple(cuts)]
    moved = tuple(
        slice(whole.start + cut.start, whole.start + cut.stop)
        for whole, cut in zip(box, cuts, strict=True)
    )
    return moved, part


def _meets(injury: Injury, doubt: Doubt) -> bool:
    """Whether a doubtful place and a wrong one share half of the smaller box."""
    if doubt.case != injury.case:
        return False
    shared, own, other = 1.0, 1.0, 1.0
    for (start, stop), corner, size in zip(injury.box, doubt.corner, doubt.size, strict=True):
        shared *= max(0, min(stop, corner + size) - max(start, corner))
        own *= stop - start
        other *= size
    return shared >= 0.5 * min(own, other)
