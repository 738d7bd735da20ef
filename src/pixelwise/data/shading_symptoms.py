"""Uneven illumination of a set in words, with the correction that would help by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pixelwise.core.case import Case
from pixelwise.core.errors import Problem
from pixelwise.data.case_exam import CaseExam
from pixelwise.data.symptoms import Place, Symptom, files_of, named

_UNEVEN = 0.75
"""The surface ranges over so many standard deviations of what is left, at least."""

_HELPS = 1.15
"""A correction is offered if the share of variance that the classes explain grows by this."""

_MOSTLY = 0.6
"""And if it grows at all in this share of the cases."""

_TELLS = 0.02
"""Below this share intensities tell nothing anyway."""


def best_correction(exams: Sequence[CaseExam]) -> tuple[str, float, float]:
    """(correction, share explained now, share explained with it); "none" if none helps."""
    found = [exam.shading for exam in exams if exam.shading is not None]
    if not found:
        return "none", 0.0, 0.0
    explained = np.array([facts.explained for facts in found])
    before, *after = explained.mean(axis=0)
    best = int(np.argmax(after)) + 1
    name = ("none", "divide", "subtract")[best]
    helps = float((explained[:, best] > explained[:, 0]).mean())
    uneven = float(np.median([facts.unevenness for facts in found]))
    gains = after[best - 1] >= _HELPS * before and after[best - 1] >= _TELLS
    if not gains or helps < _MOSTLY or uneven < _UNEVEN:
        return "none", float(before), float(before)
    return name, float(before), float(after[best - 1])


def shading_symptoms(cases: Sequence[Case], exams: Sequence[CaseExam]) -> list[Symptom]:
    """Uneven illumination, if taking it out makes classes easier to tell apart."""
    name, before, after = best_correction(exams)
    if name == "none":
        return []
    places = [
        Place(
            case.id,
            files_of(case),
            exam.shading.unevenness,
            f"uneven by {exam.shading.unevenness:.1f}",
        )
        for case, exam in zip(cases, exams, strict=True)
        if exam.shading is not None
    ]
    places.sort(key=lambda place: -place.score)
    return [
        Symptom(
            Problem(
                f"the background is uneven: a smooth surface runs through the images, most in "
                f"{named(places[:3])}; with it taken out, classes explain {after:.0%} of the "
                f"variance of the intensities instead of {before:.0%}",
                "even illumination",
                f"Let training and prediction correct it: --set intensity.shading={name} "
                "(it becomes part of the plan and of exported bundles).",
                "",
                "note",
                "uneven-background",
            ),
            tuple(places),
        )
    ]
