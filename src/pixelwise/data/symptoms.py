"""What the closer look at a data set finds: what is wrong, in which cases, how bad, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pixelwise.core.case import Case
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem

N_NAMED = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a symptom: the case that it concerns, its files, and how bad it is there.

    score: larger is worse, comparable among the places of one symptom only. text: the same for
    people. other: a second case that belongs to it (the copy, the group's other half).
    corner, size: a part of the image ([z,] y, x), () for the whole.
    """

    case: str
    files: tuple[str, ...]
    score: float
    text: str
    other: str = ""
    corner: tuple[int, ...] = ()
    size: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Symptom:
    """A finding of the closer look: the problem in words, and its places, the worst first."""

    problem: Problem
    places: tuple[Place, ...] = ()

    @property
    def code(self) -> str:
        return self.problem.code

    @property
    def cases(self) -> tuple[str, ...]:
        """Every case that is named, in the order of the places."""
        named = [name for place in self.places for name in (place.case, place.other) if name]
        return tuple(dict.fromkeys(named))


def files_of(*cases: Case) -> tuple[str, ...]:
    """Images and masks of cases, as they are shown."""
    paths = [path for case in cases for path in (*case.images, case.label) if path is not None]
    return tuple(shown(path) for path in dict.fromkeys(paths))


def named(places: Sequence[Place]) -> str:
    """The first few cases with what is said about each."""
    parts = []
    for place in places[:N_NAMED]:
        other = f" and {place.other}" if place.other else ""
        parts.append(f"{place.case}{other}" + (f" ({place.text})" if place.text else ""))
    rest = len(places) - N_NAMED
    return ", ".join(parts) + (f" and {rest} more" if rest > 0 else "")
