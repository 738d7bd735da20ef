"""Masks that lie off their image or turned over, and classes that are two sides of one thing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pixelwise.core.case import Case, DataSet
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem
from pixelwise.data.case_exam import CaseExam
from pixelwise.data.mask_alignment import find_mirrored, find_shifted
from pixelwise.data.mirrored_pairs import MirroredPair
from pixelwise.data.symptoms import Place, Symptom, files_of, named

_ALL = 0.6
"""If more than this share of the masks lies off, it is how the set was made."""


def mask_symptoms(cases: Sequence[Case], exams: Sequence[CaseExam]) -> list[Symptom]:
    """Masks that are shifted against their image or fit better turned over."""
    alignments = [exam.alignment for exam in exams]
    turned = find_mirrored(alignments)
    shifted = [index for index in find_shifted(alignments) if index not in turned]
    return [*_shifted(cases, exams, shifted), *_turned(cases, exams, turned)]


def _shifted(
    cases: Sequence[Case], exams: Sequence[CaseExam], indices: Sequence[int]
) -> list[Symptom]:
    places = []
    for index in indices:
        found = exams[index].alignment
        if found is not None:
            far = math.hypot(*found.offset)
            text = shift_text(found.offset)
            places.append(Place(cases[index].id, files_of(cases[index]), far, text))
    places.sort(key=lambda place: -place.score)
    if not places:
        return []
    noun = "mask lies" if len(places) == 1 else "masks lie"
    return [
        Symptom(
            Problem(
                f"{len(places)} {noun} off the edges of the image and would fit if moved: "
                f"{named(places)}",
                "outlines that follow the edges of what they show",
                "Look at the pictures. Export the masks again, or move them back; a shift of a few "
                "pixels costs thin and small objects most.",
                places[0].files[-1],
                "warning",
                "shifted-mask",
            ),
            tuple(places),
        )
    ]


def shift_text(offset: tuple[int, int]) -> str:
    """(dy, dx) in words: "3 px down, 1 px left"."""
    dy, dx = offset
    parts = []
    if dy:
        parts.append(f"{abs(dy)} px {'down' if dy > 0 else 'up'}")
    if dx:
        parts.append(f"{abs(dx)} px {'right' if dx > 0 else 'left'}")
    return ", ".join(parts)


def _turned(
    cases: Sequence[Case], exams: Sequence[CaseExam], indices: Sequence[int]
) -> list[Symptom]:
    places = []
    for index in indices:
        found = exams[index].alignment
        if found is not None:
            files = files_of(cases[index])
            places.append(Place(cases[index].id, files, found.mirrored_gain, found.mirrored))
    places.sort(key=lambda place: -place.score)
    if not places:
        return []
    noun = "mask fits" if len(places) == 1 else "masks fit"
    return [
        Symptom(
            Problem(
                f"{len(places)} {noun} the image far better turned over: {named(places)}",
                "image and mask the same way round",
                "Turn the mask (or the image) over, or export both again.",
                places[0].files[-1],
                "warning",
                "turned-mask",
            ),
            tuple(places),
        )
    ]


def pair_symptoms(
    cases: Sequence[Case], pairs: Sequence[MirroredPair], dataset: DataSet
) -> list[Symptom]:
    """Classes that only their side tells apart, and cases in which the sides are exchanged."""
    names = {c.id: c.name for c in dataset.classes}
    symptoms = []
    for pair in pairs:
        first, second = names[pair.first], names[pair.second]
        axis = axis_name(pair.axis, pair.n_dims)
        symptoms.append(
            Symptom(
                Problem(
                    f"classes {first!r} and {second!r} are two sides of one thing: alike in size, "
                    f"{first!r} always at lower {axis} ({pair.n_cases} cases)",
                    "",
                    f"Nothing to mend: training leaves mirroring along {axis} out, because a "
                    "mirrored image would need its two labels exchanged.",
                    shown(dataset.root),
                    "note",
                    "mirrored-classes",
                )
            )
        )
        places = tuple(
            Place(cases[i].id, files_of(cases[i]), 1.0, f"{first} and {second}")
            for i in pair.swapped
        )
        if places:
            noun = "case" if len(places) == 1 else "cases"
            symptoms.append(
                Symptom(
                    Problem(
                        f"the sides are exchanged in {len(places)} {noun}, against "
                        f"{pair.n_cases - len(places)} others: {named(places)}",
                        f"{first!r} at lower {axis} than {second!r}, as everywhere else",
                        "Exchange the two labels there; if the image itself is mirrored, "
                        "turn image and mask over.",
                        places[0].files[-1],
                        "warning",
                        "swapped-sides",
                    ),
                    places,
                )
            )
    return symptoms


def axis_name(axis: int, n_dims: int) -> str:
    """The letter of a spatial axis."""
    return ("z", "y", "x")[axis + 3 - n_dims]
