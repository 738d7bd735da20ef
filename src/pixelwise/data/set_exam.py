"""The closer look at a whole set: every case, then what only shows when cases are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pixelwise.core.case import Case, DataSet
from pixelwise.core.errors import UserError
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.records import Facts
from pixelwise.data.case_exam import CaseExam, examine_case
from pixelwise.data.leak_symptoms import copy_symptoms, leak_symptoms
from pixelwise.data.mask_scan import N_THREADS
from pixelwise.data.mask_symptoms import mask_symptoms, pair_symptoms
from pixelwise.data.mirrored_pairs import MirroredPair, find_pairs
from pixelwise.data.shading_symptoms import best_correction, shading_symptoms
from pixelwise.data.split_drift import CaseDrift, SplitShift, measure_drifts, measure_shifts
from pixelwise.data.split_symptoms import class_symptoms, drift_symptoms, spacing_symptoms
from pixelwise.data.symptoms import Symptom

_ORDER = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """Objects of a class over all looked-at cases: how many, how large, how thin (pixels).

    size: smallest, median and largest; thickness: median over cases; see `ClassObjects`.
    """

    class_id: int
    n_cases: int
    n_objects: int
    size: tuple[int, int, int]
    thickness: float


@dataclass(frozen=True, slots=True)
class Examination:
    """What the closer look found: symptoms, the worst first, and the numbers behind them.

    offsets: case -> (dy, dx) that a mask which lies off would have to move. unevenness: median
    over cases, see `ShadingFacts`; explained: share of the variance of intensities that the
    classes explain, as stored and with the correction.
    """

    symptoms: tuple[Symptom, ...]
    objects: tuple[ObjectFacts, ...]
    pairs: tuple[MirroredPair, ...]
    drifts: tuple[CaseDrift, ...]
    shifts: tuple[SplitShift, ...]
    offsets: Mapping[str, tuple[int, int]]
    unevenness: float
    correction: str
    explained: tuple[float, float]
    n_examined: int


def examine_set(dataset: DataSet, facts: Facts, listener: Listener = SILENT) -> Examination:
    """Look at every case of the facts once more, and compare them with each other.

    Cases whose files cannot be read are left out: the facts name them.
    """
    known = {case.id for case in facts.cases}
    cases = [case for case in dataset.cases if case.id in known]
    exams = _examine(cases, dataset, listener)
    cases = [case for case, exam in zip(cases, exams, strict=True) if exam is not None]
    return compare_cases(dataset, facts, cases, [exam for exam in exams if exam is not None])


def compare_cases(
    dataset: DataSet, facts: Facts, cases: Sequence[Case], exams: Sequence[CaseExam]
) -> Examination:
    """What the cases of a set give away together. exams: one for each case."""
    pairs = []
    if not dataset.meaning.holds_regions:
        pairs = find_pairs([exam.objects for exam in exams], dataset.classes)
    drifts, shifts = measure_drifts(facts.cases), measure_shifts(facts.cases)
    copies, likeness = copy_symptoms(cases, exams)
    symptoms = [
        *mask_symptoms(cases, exams),
        *copies,
        *leak_symptoms(dataset, cases, likeness, copies),
        *pair_symptoms(cases, pairs, dataset),
        *class_symptoms(facts, dataset),
        *spacing_symptoms(facts, dataset),
        *drift_symptoms(cases, drifts, shifts),
        *shading_symptoms(cases, exams),
    ]
    off = {place.case for s in symptoms if s.code == "shifted-mask" for place in s.places}
    correction, before, after = best_correction(exams)
    uneven = sorted(exam.shading.unevenness for exam in exams if exam.shading is not None)
    return Examination(
        symptoms=tuple(sorted(symptoms, key=lambda s: _ORDER[s.problem.severity])),
        objects=_count_objects(exams),
        pairs=tuple(pairs),
        drifts=tuple(drifts),
        shifts=tuple(shifts),
        offsets={
            exam.id: exam.alignment.offset
            for exam in exams
            if exam.id in off and exam.alignment is not None
        },
        unevenness=uneven[len(uneven) // 2] if uneven else 0.0,
        correction=correction,
        explained=(before, after),
        n_examined=len(exams),
    )


def _examine(cases: Sequence[Case], dataset: DataSet, listener: Listener) -> list[CaseExam | None]:
    n_classes = len(dataset.classes)

    def look(case: Case) -> CaseExam | None:
        try:
            return examine_case(case, dataset.meaning, n_classes)
        except UserError:
            return None  # the facts say what is wrong with it

    found: list[CaseExam | None] = []
    with ThreadPoolExecutor(N_THREADS) as pool:
        for exam in pool.map(look, cases):
            found.append(exam)
            listener.advance(len(found), len(cases), "looked closely at the cases")
    return found


def _count_objects(exams: Sequence[CaseExam]) -> tuple[ObjectFacts, ...]:
    ids = sorted({found.class_id for exam in exams for found in exam.objects})
    facts = []
    for class_id in ids:
        alike = [f for exam in exams for f in exam.objects if f.class_id == class_id]
        sizes = sorted(size for found in alike for size in found.sizes)
        thick = sorted(found.thickness for found in alike)
        facts.append(
            ObjectFacts(
                class_id,
                len(alike),
                sum(found.n_objects for found in alike),
                (sizes[0], sizes[len(sizes) // 2], sizes[-1]),
                thick[len(thick) // 2],
            )
        )
    return tuple(facts)
