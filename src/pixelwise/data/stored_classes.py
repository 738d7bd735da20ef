"""What the stored values of somebody's label files mean, detected over a whole folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import IGNORE, ClassInfo, LabelMeaning
from pixelwise.core.contents import shown
from pixelwise.core.errors import BadData, Problem, raise_errors

MAX_CLASSES = 254
MANY_VALUES = 64
"""More stored values than this without a class table look like instance numbers."""

Stored = npt.NDArray[Any]


def find_values(labels: Stored, path: Path) -> frozenset[int]:
    """The distinct stored values of a one-channel label array (c, [z,] y, x).

    Colours are packed as 0xrrggbb. Raises BadData for values that are no whole numbers.
    """
    flat = flat_values(labels, path)
    if flat.dtype == np.uint8:
        return frozenset(np.flatnonzero(np.bincount(flat.ravel(), minlength=256)).tolist())
    return frozenset(int(value) for value in np.unique(flat))


def flat_values(labels: Stored, path: Path) -> Stored:
    """([z,] y, x) whole numbers from a stored label array; colours become 0xrrggbb."""
    if labels.shape[0] in (3, 4):
        wide = labels[:3].astype(np.uint32)
        return np.asarray((wide[0] << 16) | (wide[1] << 8) | wide[2])
    flat = labels[0]
    if labels.shape[0] != 1 or (flat.dtype.kind == "f" and not np.all(flat == np.round(flat))):
        kind = "NaN or fractions" if labels.shape[0] == 1 else f"{labels.shape[0]} channels"
        raise BadData(
            f"it holds {kind} ({flat.dtype})",
            "one class id per pixel",
            "Give label files; for probabilities take the most likely class first.",
            path=shown(path),
            code="not-labels",
        )
    return np.asarray(flat.astype(np.int64) if flat.dtype.kind == "f" else flat)


def understand(
    truth_values: Iterable[int],
    predicted_values: Iterable[int],
    classes: Sequence[Mapping[str, Any]],
    ignore: int | None,
    label_map: Mapping[str, int] | None,
) -> tuple[tuple[ClassInfo, ...], LabelMeaning, LabelMeaning]:
    """(classes, meaning of the truth's values, meaning of the predicted values).

    A given map holds for both. With a class table values are class ids, and 0 with one
    other value in a file of two classes is that class. Without a table the values of both
    folders are the classes in order. Raises BadData naming every unknown value.
    """
    truth, predicted = set(truth_values), set(predicted_values)
    if label_map is not None:
        table = {int(key): int(value) for key, value in label_map.items()}
        n_classes = 1 + max((v for v in table.values() if v != IGNORE), default=0)
    elif classes:
        table, n_classes = {int(c["id"]): int(c["id"]) for c in classes}, len(classes)
    else:
        table, n_classes = _detect(truth, predicted, ignore)
    if ignore is not None and label_map is None:
        table[ignore] = IGNORE
    maps = []
    problems: list[Problem] = []
    for role, values in (("truth", truth), ("predicted", predicted)):
        own = _binary(values, table, n_classes) or table
        unknown = sorted(values - set(own))
        if unknown:
            problems.append(_unknown(role, unknown, own))
        maps.append(own)
    raise_errors(problems)
    names = {int(c["id"]): str(c["name"]) for c in classes}
    colours = {int(c["id"]): str(c.get("color", c.get("colour", ""))) for c in classes}
    infos = tuple(
        ClassInfo(i, names.get(i, _default_name(i, n_classes, table)), colours.get(i, ""))
        for i in range(n_classes)
    )
    return infos, _meaning(maps[0]), _meaning(maps[1])


def class_ids(labels: Stored, meaning: LabelMeaning, path: Path) -> npt.NDArray[np.uint8]:
    """Class ids ([z,] y, x) of a stored label array, 255 = void.

    Raises BadData naming values that have no meaning.
    """
    flat = flat_values(labels, path)
    table = {_stored_number(key): value for key, value in meaning.to_class.items()}
    if all(key == value for key, value in table.items()) and flat.dtype == np.uint8:
        known = np.zeros(256, dtype=bool)
        known[list(table)] = True
        present = np.bincount(flat.ravel(), minlength=256) > 0
        if not np.any(present & ~known):
            return np.asarray(flat)
    values, inverse = np.unique(flat, return_inverse=True)
    unknown = [int(value) for value in values if int(value) not in table]
    if unknown:
        raise BadData([_unknown("it", unknown, table, path)])
    ids = np.array([table[int(value)] for value in values], dtype=np.uint8)
    return ids[inverse].reshape(flat.shape)


def _stored_number(key: str) -> int:
    return int(key[1:], 16) if key.startswith("#") else int(float(key))


def _detect(truth: set[int], predicted: set[int], ignore: int | None) -> tuple[dict[int, int], int]:
    values = sorted((truth | predicted) - ({ignore} if ignore is not None else set()))
    if len(values) > MANY_VALUES:
        raise BadData(
            f"the label files hold {len(values)} different values up to {values[-1]}",
            f"at most {MANY_VALUES} classes",
            "If these number single objects, score them as instances; if they are classes, "
            "put a classes.json beside the folders.",
            code="looks-like-instances",
        )
    if values and values[0] < 0:
        raise BadData(
            f"the label files hold the negative value {values[0]}",
            "class ids from 0",
            "Name it as the value of void pixels (--ignore), or map it (--map).",
            code="negative-label",
        )
    if len(set(values) - {0}) <= 2 and _two(truth, ignore) and _two(predicted, ignore):
        return {0: 0, 1: 1}, 2
    if values != list(range(len(values))):
        values = sorted({0, *values})
    return {value: i for i, value in enumerate(values)}, len(values)


def _two(values: set[int], ignore: int | None) -> bool:
    return len(values - {0, ignore}) <= 1


def _binary(values: set[int], table: Mapping[int, int], n_classes: int) -> dict[int, int] | None:
    """0 and one other value, in a problem of two classes: the other value is class 1."""
    voids = {value for value, id_ in table.items() if id_ == IGNORE}
    others = values - {0} - voids
    if n_classes != 2 or len(others) != 1 or others <= set(table):
        return None
    return {0: 0, others.pop(): 1} | dict.fromkeys(voids, IGNORE)


def _meaning(table: Mapping[int, int]) -> LabelMeaning:
    said = ", ".join(f"{k} = {'void' if v == IGNORE else f'class {v}'}" for k, v in table.items())
    return LabelMeaning("values", {str(k): v for k, v in table.items()}, said)


def _default_name(class_id: int, n_classes: int, table: Mapping[int, int]) -> str:
    if n_classes == 2:
        return ("background", "object")[class_id]
    stored = next((key for key, value in table.items() if value == class_id), class_id)
    return f"class {stored}"


def _unknown(
    role: str, unknown: Sequence[int], table: Mapping[int, int], path: Path | None = None
) -> Problem:
    listed = ", ".join(map(str, unknown[:8])) + (", …" if len(unknown) > 8 else "")
    head = "it holds" if role == "it" else f"the {role} files hold"
    return Problem(
        f"{head} {listed}",
        "one of the stored values " + ", ".join(map(str, sorted(table))),
        "Map them to classes (--map), or name the value of void pixels (--ignore).",
        shown(path) if path else "",
        code="unknown-label",
    )
