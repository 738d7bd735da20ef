"""Splits that do not fit each other: classes missing in training, images unlike the training's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pixelwise.core.case import Case, DataSet
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem
from pixelwise.core.records import CaseFacts, Facts
from pixelwise.data.split_drift import STRANGE, CaseDrift, SplitShift, is_shifted
from pixelwise.data.symptoms import Place, Symptom, files_of, named

_FEWEST_TO_COMPARE = 4
_MOST_SHARE = 0.6
_OTHER_SPACING = 1.05
"""Spacings are compared where 60 % of the cases share one; 5 % more or less are the same."""

_SPLITS = {"train": "training", "val": "validation", "test": "test"}


def class_symptoms(facts: Facts, dataset: DataSet) -> list[Symptom]:
    """Classes of validation or test that training never shows, and classes in one case only."""
    by_id = {case.id: case for case in dataset.cases}
    symptoms: list[Symptom] = []
    if len(facts.cases) < sum(case.split is not None for case in dataset.cases):
        return symptoms  # what could not be read may hold what seems to be missing
    for entry in facts.classes:
        holding = [case for case in facts.cases if _has(case, entry.id)]
        training = [case for case in holding if case.split == "train"]
        others = [case for case in holding if case.split != "train"]
        if others and not training:
            places = _places(others, entry.id, by_id)
            symptoms.append(
                Symptom(
                    Problem(
                        f"class {entry.id} ({entry.name}) is labelled in {len(others)} cases of "
                        f"{_split_names(others)} and in no training case: {named(places)}",
                        "every class that is scored in the training split",
                        "Move some of these cases into training, or remove the class.",
                        places[0].files[-1],
                        "warning",
                        "class-not-in-training",
                    ),
                    tuple(places),
                )
            )
        elif len(holding) == 1 and len(facts.cases) > 1:
            places = _places(holding, entry.id, by_id)
            symptoms.append(
                Symptom(
                    Problem(
                        f"class {entry.id} ({entry.name}) is in one case only, {named(places)}: "
                        "it can be learned or scored, not both",
                        "each class in several cases of each split",
                        "Label more examples, or merge the class into another one.",
                        places[0].files[-1],
                        "warning",
                        "class-in-one-case",
                    ),
                    tuple(places),
                )
            )
    return [*symptoms, *_splits_without_objects(facts, dataset)]


def _splits_without_objects(facts: Facts, dataset: DataSet) -> list[Symptom]:
    """Splits in which nothing but the first class occurs, where others have more."""
    first = 0 if dataset.meaning.holds_regions else 1
    symptoms: list[Symptom] = []
    if not any(sum(case.class_pixels[first:]) for case in facts.cases):
        return symptoms  # classes that are nowhere are said one by one
    for split, name in _SPLITS.items():
        cases = [case for case in facts.cases if case.split == split and case.n_counted]
        if cases and not any(sum(case.class_pixels[first:]) for case in cases):
            symptoms.append(
                Symptom(
                    Problem(
                        f"no {name} case has a labelled object: all {len(cases)} are "
                        f"{dataset.classes[0].name}",
                        "objects in every split",
                        "Change the splits (splits.json, or another --seed): "
                        + (
                            "nothing can be learned."
                            if split == "train"
                            else "its scores will say nothing."
                        ),
                        shown(dataset.root),
                        "error" if split == "train" else "warning",
                        "split-without-objects",
                    )
                )
            )
    return symptoms


def spacing_symptoms(facts: Facts, dataset: DataSet) -> list[Symptom]:
    """Cases with another spacing than most of the set, where most share one."""
    stated = [case for case in facts.cases if case.spacing]
    if len(stated) < _FEWEST_TO_COMPARE:
        return []
    counts = Counter(_rounded(case.spacing) for case in stated)
    common, n_common = counts.most_common(1)[0]
    if n_common < _MOST_SHARE * len(stated):
        return []
    usual = next(c.spacing for c in stated if _rounded(c.spacing) == common)
    by_id = {case.id: case for case in dataset.cases}
    places = []
    for case in stated:
        ratio = max(max(a / b, b / a) for a, b in zip(case.spacing, usual, strict=True))
        if ratio > _OTHER_SPACING:
            text = " x ".join(f"{step:.4g}" for step in reversed(case.spacing))
            places.append(Place(case.id, files_of(by_id[case.id]), ratio, text))
    places.sort(key=lambda place: -place.score)
    if not places:
        return []
    usual_text = " x ".join(f"{step:.4g}" for step in reversed(usual))
    noun = "case has" if len(places) == 1 else "cases have"
    return [
        Symptom(
            Problem(
                f"{len(places)} {noun} another spacing than the {n_common} that share "
                f"{usual_text} {facts.unit}: {named(places)}",
                "one spacing, or headers that are right about the differences",
                "Check their headers. If they are right, pictures should be brought to one "
                "spacing (volumes are, by the plan).",
                places[0].files[0],
                "warning",
                "other-spacing",
            ),
            tuple(places),
        )
    ]


def _rounded(spacing: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(f"{step:.2g}") for step in spacing)


def drift_symptoms(
    cases: Sequence[Case], drifts: Sequence[CaseDrift], shifts: Sequence[SplitShift]
) -> list[Symptom]:
    """Images unlike every training image, and splits that are shifted as a whole."""
    by_id = {case.id: case for case in cases}
    places = [
        Place(
            drift.case,
            files_of(by_id[drift.case]),
            drift.score,
            f"{_SPLITS.get(drift.split, drift.split)}, {drift.by} {drift.score:.1f}",
            drift.nearest,
        )
        for drift in drifts
        if drift.score >= STRANGE and drift.case in by_id
    ]
    symptoms = [_strange(places)] if places else []
    for shift in shifts:
        if is_shifted(shift):
            name = _SPLITS[shift.split]
            symptoms.append(
                Symptom(
                    Problem(
                        f"the {name} images are another kind than the training images: their "
                        f"intensities and detail are apart by {shift.share:.2f} of what training "
                        f"images differ among themselves (chance: p = {shift.p:.3f})",
                        "splits drawn from the same images",
                        "If this is how you will use the network, keep it: scores then tell how it "
                        "carries over. Otherwise draw the splits anew.",
                        "",
                        "warning",
                        "split-drift",
                    )
                )
            )
    return symptoms


def _strange(places: Sequence[Place]) -> Symptom:
    what = ", ".join(f"{p.case} ({p.text})" for p in places[:5])
    rest = f" and {len(places) - 5} more" if len(places) > 5 else ""
    noun = "image is" if len(places) == 1 else "images are"
    return Symptom(
        Problem(
            f"{len(places)} {noun} unlike every other training image: {what}{rest}; 1 is as far "
            "apart as training images are among themselves",
            f"a drift below {STRANGE:g}",
            "Look whether exposure, stain, instrument or compression differ; correct them, or "
            "label more of that kind.",
            places[0].files[0],
            "warning",
            "drift",
        ),
        tuple(places),
    )


def _places(cases: Sequence[CaseFacts], class_id: int, by_id: dict[str, Case]) -> list[Place]:
    return [
        Place(
            case.id,
            files_of(by_id[case.id]),
            float(case.class_pixels[class_id]),
            f"{_SPLITS.get(case.split, case.split)}, {case.class_pixels[class_id]:,} pixels",
        )
        for case in cases
    ]


def _has(case: CaseFacts, class_id: int) -> bool:
    return class_id < len(case.class_pixels) and case.class_pixels[class_id] > 0


def _split_names(cases: Sequence[CaseFacts]) -> str:
    return " and ".join(sorted({_SPLITS.get(case.split, case.split) for case in cases}))
