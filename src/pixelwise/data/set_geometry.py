"""Spacings, units and orientations of a set: case against case, and what is odd about them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixelwise.core.case import DataSet
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem
from pixelwise.core.grids import MILLIMETRES, SAME_SPACING
from pixelwise.core.image import Header
from pixelwise.data.case_look import Look
from pixelwise.data.label_values import count_text
from pixelwise.data.listing import name_some

_FAR = 8.0
"""A spacing this many times larger or smaller than the set's median is probably a mistake."""


def spacing_in_unit(header: Header, unit: str) -> tuple[float, ...] | None:
    """The spacing of an image in the unit of its set; None if it has none, or no length."""
    if header.spacing is None or header.unit == unit:
        return header.spacing
    own, wanted = MILLIMETRES.get(header.unit), MILLIMETRES.get(unit)
    if own is None or wanted is None:
        return None
    return tuple(step * own / wanted for step in header.spacing)


def median_spacing(looks: Sequence[Look], dataset: DataSet) -> tuple[float, ...] | None:
    """The median spacing per axis of the cases that state one, else that of the set."""
    found = [
        spacing
        for look in looks
        if look.header is not None
        and (spacing := spacing_in_unit(look.header, dataset.unit)) is not None
    ]
    if not found or (dataset.spacing is not None and len(found[0]) == 2):
        return dataset.spacing
    return tuple(float(step) for step in np.median(found, axis=0))


def geometry_problems(looks: Sequence[Look], dataset: DataSet) -> list[Problem]:
    """Cases without spacing or with another one than the others, units, orientations."""
    headers = {look.case.id: look.header for look in looks if look.header is not None}
    if len({len(header.shape) for header in headers.values()}) != 1:
        return []
    spacings = {name: spacing_in_unit(h, dataset.unit) for name, h in headers.items()}
    known = {name: spacing for name, spacing in spacings.items() if spacing is not None}
    return [
        *_unknown_spacings(headers, known, dataset),
        *_varying_spacings(known, dataset),
        *_described_spacing(known, headers, dataset),
        *_orientations(headers, dataset),
    ]


def _unknown_spacings(
    headers: dict[str, Header], known: dict[str, tuple[float, ...]], dataset: DataSet
) -> list[Problem]:
    without = [name for name in headers if name not in known]
    n_dims = len(next(iter(headers.values())).shape)
    if not without or (not known and n_dims == 2):
        return []
    units = sorted({headers[name].unit for name in without if headers[name].spacing is not None})
    what = f"state their spacing in {' and '.join(units)}" if units else "state no spacing"
    if dataset.spacing is not None:
        given = f"{_text(dataset.spacing)} {dataset.unit}"
        remedy = f"{given} is taken for them; write it into the files if it is wrong."
    else:
        remedy = (
            "Distances and volumes are counted in voxels, as if these were cubes. Write "
            '"spacing": {"unit": "mm", "zyx": [...]} into dataset.json.'
        )
    return [
        Problem(
            f"{count_text(len(without), 'case')} of {len(headers)} {what}: {name_some(without)}",
            f"a spacing in {dataset.unit if dataset.unit != 'px' else 'mm or µm'}",
            remedy,
            shown(dataset.root),
            "warning",
            "no-spacing",
        )
    ]


def _varying_spacings(known: dict[str, tuple[float, ...]], dataset: DataSet) -> list[Problem]:
    if len(known) < 2:
        return []
    table = np.asarray(list(known.values()))
    median = np.median(table, axis=0)
    far = [
        f"{name} ({_text(spacing)})"
        for name, spacing in known.items()
        if max(abs(math.log(a / b)) for a, b in zip(spacing, median, strict=True)) > math.log(_FAR)
    ]
    problems = []
    low, high = table.min(axis=0), table.max(axis=0)
    if float((high / low).max()) > 1 + SAME_SPACING:
        problems.append(
            Problem(
                f"spacings vary from {_text(low)} to {_text(high)} {dataset.unit} (x, y, z; median "
                f"{_text(median)})",
                severity="note",
                code="mixed-spacing",
            )
        )
    if far:
        problems.append(
            Problem(
                f"the spacing of {count_text(len(far), 'case')} is more than {_FAR:g} times off "
                f"the median of the set: {name_some(far)}",
                f"about {_text(median)} {dataset.unit}",
                "Check the header: a wrong unit is the usual cause.",
                shown(dataset.root),
                "warning",
                "odd-spacing",
            )
        )
    return problems


def _described_spacing(
    known: dict[str, tuple[float, ...]], headers: dict[str, Header], dataset: DataSet
) -> list[Problem]:
    """Volumes whose files contradict what dataset.json says."""
    given = dataset.spacing
    off = [
        name
        for name, spacing in known.items()
        if given is not None
        and len(given) == len(spacing) == 3
        and max(abs(math.log(a / b)) for a, b in zip(spacing, given, strict=True)) > SAME_SPACING
    ]
    path = dataset.root / "dataset.json"
    if given is None or not off or not dataset.is_spacing_given:
        return []
    return [
        Problem(
            f"it says that the spacing is {_text(given)} {dataset.unit}, but the files of "
            f"{count_text(len(off), 'case')} say otherwise: {name_some(off)}",
            "one spacing",
            "The files are believed; correct whatever is wrong.",
            shown(Path(path)),
            "warning",
            "spacing-conflict",
        )
    ]


def _orientations(headers: dict[str, Header], dataset: DataSet) -> list[Problem]:
    placed = {name: h.placement for name, h in headers.items() if len(h.shape) == 3}
    codes = Counter(p.code if p is not None else "" for p in placed.values())
    if not placed or set(codes) == {""}:
        return []
    problems = []
    if len(codes) > 1:
        counts = ", ".join(f"{n} {code or 'unknown'}" for code, n in codes.most_common())
        problems.append(
            Problem(
                f"the volumes are stored in different orientations ({counts}); all are turned "
                "alike by what their headers say",
                severity="note",
                code="orientations",
            )
        )
    without = [name for name, p in placed.items() if p is None or not p.code]
    if without:
        problems.append(
            Problem(
                f"{count_text(len(without), 'case')} of {len(placed)} do not say how they lie in "
                f"the patient: {name_some(without)}",
                "an orientation in every file, or in none",
                "They are read as stored and may be mirrored or turned against the others: write "
                "the orientation into them.",
                shown(dataset.root),
                "warning",
                "no-orientation-set",
            )
        )
    return problems


def _text(spacing: Sequence[float]) -> str:
    return " x ".join(f"{step:.4g}" for step in reversed(list(spacing)))
