"""Copies of pictures, and groups (a patient, a film, a slide) that lie in two splits, in words."""

from __future__ import annotations

import csv
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import Case, DataSet
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem
from pixelwise.data.case_exam import CaseExam
from pixelwise.data.description import read_metadata
from pixelwise.data.leaks import (
    Leak,
    confirms,
    find_leaks,
    groups_by_column,
    groups_by_name,
    is_confirmed,
    kin,
    likeness_matrix,
)
from pixelwise.data.listing import stem_key
from pixelwise.data.near_duplicates import find_alike
from pixelwise.data.symptoms import Place, Symptom, files_of, named

Matrix = npt.NDArray[np.float32]


def copy_symptoms(cases: Sequence[Case], exams: Sequence[CaseExam]) -> tuple[list[Symptom], Matrix]:
    """Pictures that are in the set twice, across splits and within one; and how alike all are."""
    across: list[Place] = []
    within: list[Place] = []
    for pair in find_alike([exam.signature for exam in exams]):
        first, second = cases[pair.first], cases[pair.second]
        how = f"mirrored {pair.mirrored}, " if pair.mirrored else ""
        text = f"{how}{first.split} and {second.split}, alike to {pair.correlation:.2f}"
        place = Place(first.id, files_of(first, second), pair.correlation, text, second.id)
        (within if first.split == second.split else across).append(place)
    likeness = likeness_matrix([exam.signature for exam in exams]) if exams else np.zeros((0, 0))
    symptoms = []
    if across:
        symptoms.append(
            Symptom(
                Problem(
                    f"{_pairs(across)} in two splits: {named(across)}",
                    "each picture in one split: what was trained on cannot test",
                    "Remove the copies, or put both into one split (splits.json, or --group).",
                    across[0].files[0],
                    "warning",
                    "copy-across-splits",
                ),
                tuple(across),
            )
        )
    if within:
        symptoms.append(
            Symptom(
                Problem(
                    f"{_pairs(within)} within a split: {named(within)}",
                    "each picture once",
                    "Remove one of each pair; copies count double, and if their masks differ one "
                    "of them is wrong.",
                    within[0].files[0],
                    "warning",
                    "copy-within-split",
                ),
                tuple(within),
            )
        )
    return symptoms, np.asarray(likeness, np.float32)


def leak_symptoms(
    dataset: DataSet, cases: Sequence[Case], likeness: Matrix, copies: Sequence[Symptom]
) -> list[Symptom]:
    """Groups that lie in two splits: by columns, by names, and by what the pictures show."""
    ids = [case.id for case in cases]
    symptoms = []
    for source, groups in _groupings(dataset, ids).items():
        leaks = find_leaks(cases, groups)
        if leaks:
            probability = is_confirmed(likeness, [groups.get(i, i) for i in ids])
            symptoms.append(_leak(source, leaks, cases, probability))
    known = {(p.case, p.other) for s in copies for p in s.places}
    symptoms += _kin(cases, likeness, known)
    return [symptom for symptom in symptoms if symptom is not None]


def _groupings(dataset: DataSet, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    try:
        columns, rows = read_metadata(dataset.root)
    except (OSError, UnicodeDecodeError, csv.Error):
        columns, rows = [], {}  # reported where the folder is read
    keys = {case: stem_key(case) for case in ids}
    found = {f"column:{c}": g for c, g in groups_by_column(columns, rows, keys).items()}
    by_name = groups_by_name(ids)
    if by_name and not found:
        found["names"] = by_name
    return found


def _leak(source: str, leaks: Sequence[Leak], cases: Sequence[Case], probability: float) -> Symptom:
    by_id = {case.id: case for case in cases}
    places = []
    for leak in leaks:
        files = files_of(*(by_id[i] for i in leak.cases))
        text = f"{leak.name}: {len(leak.cases)} cases in {' and '.join(leak.splits)}"
        places.append(Place(leak.cases[0], files, float(len(leak.cases)), text, leak.cases[1]))
    places.sort(key=lambda place: -place.score)
    said = "; ".join(place.text for place in places[:5]) + (" …" if len(places) > 5 else "")
    by_name = source == "names"
    origin = "the names of the files" if by_name else f"the {source.replace(':', ' ')}"
    are_alike = confirms(probability)
    proof = (
        f" Their pictures confirm it: {probability:.0%} of the pairs of one group are more alike "
        "than a pair of two."
        if are_alike
        else ""
    )
    option = "'(.*)[_-].*'" if by_name else source
    return Symptom(
        Problem(
            f"by {origin}, {len(leaks)} groups lie in several splits: {said}.{proof}",
            "a patient, film or slide in one split only: else scores come out too good",
            f"Split by group: remove splits.json and give --group {option}"
            if not by_name
            else "Split by group with --group and a pattern that catches it, if it is a subject.",
            places[0].files[0],
            "note" if by_name and not are_alike else "warning",
            "group-leak",
        ),
        tuple(places),
    )


def _kin(cases: Sequence[Case], likeness: Matrix, known: set[tuple[str, str]]) -> list[Symptom]:
    """Cases across splits that show one scene, by their pictures alone."""
    places = []
    for first, second, correlation in kin(likeness, [str(case.split) for case in cases]):
        one, other = cases[first], cases[second]
        if (one.id, other.id) not in known:
            text = f"{one.split} and {other.split}, alike to {correlation:.2f}"
            places.append(Place(one.id, files_of(one, other), correlation, text, other.id))
    if not places:
        return []
    return [
        Symptom(
            Problem(
                f"{_pairs(places, 'shows the same place', 'show the same places')} in two splits, "
                f"as neighbouring slices or frames do: {named(places)}",
                "pictures in two splits no more alike than others",
                "If they come from one stack, film or slide, put all of it into one split: scores "
                "on neighbours of training images come out too good.",
                shown(cases[0].image.parent),
                "warning",
                "kin-across-splits",
            ),
            tuple(places),
        )
    ]


def _pairs(places: Sequence[Place], one: str = "is a copy", many: str = "are copies") -> str:
    return f"1 pair {one}" if len(places) == 1 else f"{len(places)} pairs {many}"
