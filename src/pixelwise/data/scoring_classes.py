"""What the stored values of somebody's truths and predictions mean, found over whole folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pixelwise.core.case import IGNORE, ClassInfo, LabelMeaning
from pixelwise.core.contents import shown
from pixelwise.core.errors import BadData, Problem, raise_errors
from pixelwise.data.description import Description
from pixelwise.data.label_values import (
    MaskValues,
    histogram_text,
    is_instance_like,
    is_smeared,
    smeared_problem,
    whole_numbers,
)
from pixelwise.data.meaning import Understanding, understand_masks

_LISTED = 8
_OBJECTS_REMEDY = (
    "If the numbers stand for single objects, score them with --instances numbered, or take all "
    "as one class with --map '>=1=object'; if they are classes, name them in a classes.json."
)


@dataclass(frozen=True, slots=True)
class ScoringClasses:
    """The classes of a scoring, and how the values of either side become their ids."""

    classes: tuple[ClassInfo, ...]
    truth: LabelMeaning
    predicted: LabelMeaning
    notes: tuple[Problem, ...] = ()


def understand_scoring(
    truths: Sequence[MaskValues],
    predictions: Sequence[MaskValues],
    description: Description,
    label_map: str | None,
) -> ScoringClasses:
    """The meaning of truths, as `check` finds it, and of predictions of the same classes.

    Predictions may hold the truth's own values, class ids from 0, or, where there are two
    classes, 0 and one other value. Without names for classes they may hold more of them
    than the truths do. Raises BadData with everything that is wrong.
    """
    values = [*truths, *predictions]
    void = None if description.ignore is None else str(description.ignore)
    raise_errors([p for mask in values for p in _no_labels(mask, void, label_map)])
    found, problems = understand_masks(truths, description, label_map)
    raise_errors(_for_scoring(problems))
    if found is None:
        raise BadData(_for_scoring(problems))
    meaning = _meaning_of_predictions(predictions, found)
    if meaning is None and not description.classes and label_map is None:
        joint = _joint_understanding(truths, predictions, found, description)
        if joint is not None:
            found, meaning = joint, joint.meaning
    if meaning is None:
        raise BadData(_unknown(predictions, found))
    _check_known(truths, found.meaning)
    notes = tuple(p for p in problems if p.severity != "error")
    return ScoringClasses(found.classes, found.meaning, meaning, notes)


def _no_labels(mask: MaskValues, void: str | None, label_map: str | None) -> list[Problem]:
    """What makes a file no label file at all: NaN, fractions, numbers below 0."""
    if mask.kind == "colours" or label_map is not None:
        return []
    n_nan = mask.counts.get("nan", 0)
    if n_nan:
        return [
            Problem(
                f"it holds {n_nan} NaN values ({mask.dtype})", "whole numbers",
                "Find out where they come from; labels cannot be NaN.", shown(mask.path),
                code="nan",
            )
        ]  # fmt: skip
    numbers = whole_numbers(mask.counts)
    if numbers is None:
        return [_fractions(mask)]
    below = [number for number in numbers if number < 0 and str(number) != void]
    if below:
        return [
            Problem(
                f"it holds the negative value {below[0]}", "class ids from 0",
                f"If these pixels are void, say --ignore {below[0]}; otherwise --map says what "
                "values mean.", shown(mask.path), code="negative-label",
            )
        ]  # fmt: skip
    return []


def _fractions(mask: MaskValues) -> Problem:
    numbers = [float(text) for text in mask.counts]
    low, high = min(numbers), max(numbers)
    looks_probable = low >= 0 and high <= 1
    return Problem(
        f"it holds {mask.dtype} values from {low:g} to {high:g}, not whole numbers",
        "one class id at every pixel",
        "These look like probabilities: take the most likely class first, or give class "
        "probabilities (k, [z,] y, x) as .npy with --probabilities."
        if looks_probable
        else "Write labels as whole numbers.",
        shown(mask.path),
        code="float-labels",
    )


def _for_scoring(problems: Sequence[Problem]) -> list[Problem]:
    return [
        replace(p, remedy=_OBJECTS_REMEDY) if p.code == "mask-instances" else p for p in problems
    ]


def _values_of(masks: Sequence[MaskValues]) -> set[str]:
    return {value for mask in masks for value in mask.counts}


def _void_values(meaning: LabelMeaning) -> dict[str, int]:
    return {key: value for key, value in meaning.to_class.items() if value == IGNORE}


def _meaning_of_predictions(
    predictions: Sequence[MaskValues], found: Understanding
) -> LabelMeaning | None:
    """The truth's own meaning, ids from 0, or 0 and one other value of two classes."""
    truth, n_classes = found.meaning, len(found.classes)
    values = _values_of(predictions)
    if truth.threshold is not None or values <= set(truth.to_class):
        return truth
    if any(mask.kind == "colours" for mask in predictions):
        return None
    void = _void_values(truth) if truth.kind == "values" else {}
    ids = {str(k): k for k in range(n_classes)} | void
    if values <= set(ids):
        return LabelMeaning("values", ids, f"class ids 0 to {n_classes - 1}")
    others = sorted(values - {"0"} - set(void))
    if n_classes == 2 and len(others) == 1:
        table = {"0": 0, others[0]: 1} | void
        return LabelMeaning("values", table, f"0 and {others[0]}")
    return None


def _joint_understanding(
    truths: Sequence[MaskValues],
    predictions: Sequence[MaskValues],
    found: Understanding,
    description: Description,
) -> Understanding | None:
    """The classes of both sides together, if the truths hold ids from 0 and no other numbers."""
    is_plain = all(
        key == str(value) or value == IGNORE for key, value in found.meaning.to_class.items()
    )
    if found.meaning.kind != "values" or not is_plain:
        return None
    joint, problems = understand_masks([*truths, *predictions], description, None)
    if joint is None or any(p.severity == "error" for p in problems):
        return None
    if not _values_of(predictions) <= set(joint.meaning.to_class):
        return None
    keeps = all(joint.meaning.to_class.get(k) == v for k, v in found.meaning.to_class.items())
    return joint if keeps else None


def _unknown(predictions: Sequence[MaskValues], found: Understanding) -> list[Problem]:
    """Why predictions cannot be read: values that no class has, and where they are."""
    allowed = found.meaning.to_class
    smeared = [mask for mask in predictions if is_smeared(mask)]
    if smeared:
        return [smeared_problem(mask, allowed) for mask in smeared]
    counts: dict[str, int] = {}
    for mask in predictions:
        for value, n in mask.counts.items():
            if value not in allowed:
                counts[value] = counts.get(value, 0) + n
    example = next(mask for mask in predictions if set(mask.counts) - set(allowed))
    n_files = sum(bool(set(mask.counts) - set(allowed)) for mask in predictions)
    where = f"{n_files} predicted file{'s hold' if n_files != 1 else ' holds'}"
    return [
        Problem(
            f"{where} values that no class has: {histogram_text(counts)}; "
            f"{example.path.name} is one",
            f"the values of the truth, {_listed(allowed)}, or class ids 0 to "
            f"{len(found.classes) - 1}",
            _OBJECTS_REMEDY
            if is_instance_like(example)
            else "Say what they mean with --map, or name the value of void pixels with --ignore.",
            shown(example.path.parent),
            code="unknown-label",
        )
    ]


def _check_known(truths: Sequence[MaskValues], meaning: LabelMeaning) -> None:
    """Raise BadData for every truth with a value that has no meaning."""
    if meaning.threshold is not None:
        return
    problems = []
    for mask in truths:
        unknown = {v: n for v, n in mask.counts.items() if v not in meaning.to_class}
        if unknown:
            problems.append(
                smeared_problem(mask, meaning.to_class)
                if is_smeared(mask)
                else Problem(
                    f"the truth holds values that no class has: {histogram_text(unknown)}",
                    f"one of {_listed(meaning.to_class)}",
                    "Say what they mean with --map, or name the value of void pixels with "
                    "--ignore.",
                    shown(mask.path),
                    code="unknown-label",
                )
            )
    raise_errors(problems)


def _listed(table: Mapping[str, int]) -> str:
    keys = list(table)
    return ", ".join(keys[:_LISTED]) + (" …" if len(keys) > _LISTED else "")
