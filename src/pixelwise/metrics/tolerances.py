"""Boundary tolerances: what they may be, and the usual sign of a wrong unit."""

from __future__ import annotations

import math

from pixelwise.core.errors import BadData


def check_tolerance(tolerance: float, diagonal: float) -> None:
    """Raise BadData unless 0 <= tolerance <= diagonal, both in units of spacing."""
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise BadData(
            f"the tolerance is {tolerance!r}",
            "a finite number of at least 0, in units of spacing",
            "Take the spread between human annotators.",
            code="bad-tolerance",
        )
    if tolerance > diagonal > 0:
        raise BadData(
            f"the tolerance {tolerance:g} exceeds the image diagonal, {diagonal:g}",
            "a tolerance in units of spacing",
            "Check its unit: every boundary would count as right.",
            code="bad-tolerance",
        )
