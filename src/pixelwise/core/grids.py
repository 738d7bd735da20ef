"""Whether two images lie on one grid: sizes, spacing and place, compared in space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pixelwise.core.image import Header

MILLIMETRES = {
    "Å": 1e-7,
    "nm": 1e-6,
    "um": 1e-3,
    "µm": 1e-3,
    "μm": 1e-3,
    "mm": 1.0,
    "cm": 10.0,
    "m": 1e3,
    "km": 1e6,
}
"""Units of length that spacings come in, and how many mm they are."""

SAME_SPACING = 0.01
"""Spacings that differ by no more than this share are one: headers are rounded."""

SAME_PLACE = 0.1
"""Grids are one if no corner is farther off than this share of the smallest spacing."""


@dataclass(frozen=True, slots=True)
class GridDifference:
    """What tells two grids apart, in words that begin with the difference.

    is_certain is False where one of the two says nothing about its place and both are
    stored in one order, so that they may be taken as one.
    """

    text: str
    is_certain: bool = True


def compare_grids(one: Header, other: Header) -> GridDifference | None:
    """The difference between the grids of two images; None if they are one grid.

    Sizes must be equal. Volumes are compared where their corners lie in space; if only one
    of two says how it lies in the patient, and its array had to be turned, they cannot be
    compared. Spacings without a place are compared as lengths where both have a unit.
    """
    if one.shape != other.shape:
        return GridDifference(f"sizes differ: {_both(one, other)}")
    spacing = _compare_spacing(one, other)
    if spacing is not None:
        return spacing
    first, second = one.placement, other.placement
    is_first = first is not None and first.is_anatomical
    is_second = second is not None and second.is_anatomical
    if is_first != is_second:
        known = first if is_first else second
        return _half_known(one, other, known is not None and known.is_turned)
    if first is None or second is None:
        return None
    if first.dropped is not None or second.dropped is not None:
        return _compare_planes(one, other)
    apart = first.distance_to(second)
    if apart <= SAME_PLACE * min(first.spacing):
        return None
    return GridDifference(f"places differ, corners by up to {apart:.4g} mm: {_both(one, other)}")


def describe_grid(header: Header) -> str:
    """The grid of an image in one line."""
    if header.placement is not None and header.placement.dropped is None:
        return header.placement.describe(header.unit)
    size = " x ".join(str(n) for n in reversed(header.shape))
    noun = "voxels" if len(header.shape) == 3 else "pixels"
    if header.spacing is None:
        return f"{size} {noun}"
    steps = " x ".join(f"{n:.6g}" for n in reversed(header.spacing))
    return f"{size} {noun} of {steps} {header.unit}"


def lengths_in_mm(spacing: Sequence[float] | None, unit: str) -> tuple[float, ...] | None:
    """A spacing in mm, None if there is none or its unit is no length."""
    factor = MILLIMETRES.get(unit)
    if spacing is None or factor is None:
        return None
    return tuple(step * factor for step in spacing)


def _compare_spacing(one: Header, other: Header) -> GridDifference | None:
    first, second = lengths_in_mm(one.spacing, one.unit), lengths_in_mm(other.spacing, other.unit)
    if first is None or second is None:
        return None
    ratios = [abs(math.log(a / b)) for a, b in zip(first, second, strict=True)]
    if max(ratios) <= SAME_SPACING:
        return None
    return GridDifference(f"spacings differ: {_both(one, other)}")


def _half_known(one: Header, other: Header, is_turned: bool) -> GridDifference:
    if is_turned:
        return GridDifference(
            "one of the two does not say how it lies in the patient, and the other one is not "
            f"stored in the order of the array: {_both(one, other)}"
        )
    return GridDifference(
        "one of the two does not say how it lies in the patient; as both are stored in one "
        "order, they are taken as one grid",
        is_certain=False,
    )


def _compare_planes(one: Header, other: Header) -> GridDifference | None:
    """Single planes: the corners of both are compared as those of thin volumes."""
    first, second = one.placement, other.placement
    if first is None or second is None or first.axes != second.axes:
        return GridDifference(f"planes differ: {_both(one, other)}")
    apart = first.distance_to(second)
    if apart <= SAME_PLACE * min(first.spacing):
        return None
    return GridDifference(f"places differ, corners by up to {apart:.4g} mm: {_both(one, other)}")


def _both(one: Header, other: Header) -> str:
    return f"{describe_grid(one)} and {describe_grid(other)}"
