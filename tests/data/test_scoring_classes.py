"""Values of truths and predictions: what check finds, ids, or 0 and one other; else refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelwise.core.errors import BadData
from pixelwise.data.description import Description, StoredClass
from pixelwise.data.label_values import MaskValues
from pixelwise.data.scoring_classes import ScoringClasses, understand_scoring

NOTHING = Description(Path("dataset.json"))
THREE = Description(
    Path("dataset.json"), tuple(StoredClass(i, f"c{i}", None) for i in range(3)), ignore=255
)


def masks(*files: dict[str, int], kind: str = "values") -> list[MaskValues]:
    return [MaskValues(Path(f"{i}.png"), kind, counts) for i, counts in enumerate(files)]


def found(
    truth: dict[str, int],
    predicted: dict[str, int],
    description: Description = NOTHING,
    label_map: str | None = None,
) -> ScoringClasses:
    return understand_scoring(masks(truth), masks(predicted), description, label_map)


@pytest.mark.parametrize(
    ("truth", "predicted"),
    [
        ({"0": 90, "255": 10}, {"0": 90, "1": 10}),
        ({"0": 90, "1": 10}, {"0": 90, "255": 10}),
        ({"0": 90, "128": 10}, {"0": 90, "128": 10}),
        ({"0": 90, "255": 10}, {"0": 100}),
        ({"0": 100}, {"0": 90, "7": 10}),
    ],
)
def test_two_classes_in_any_values(truth: dict[str, int], predicted: dict[str, int]) -> None:
    understood = found(truth, predicted)
    assert len(understood.classes) == 2
    for values, meaning in ((truth, understood.truth), (predicted, understood.predicted)):
        for value in values:
            assert meaning.to_class[value] == (0 if value == "0" else 1)


def test_the_truth_stored_otherwise_than_ids() -> None:
    understood = found({"0": 50, "100": 30, "200": 20}, {"0": 50, "1": 30, "2": 20})
    assert understood.truth.to_class == {"0": 0, "100": 1, "200": 2}
    assert understood.predicted.to_class == {"0": 0, "1": 1, "2": 2}


def test_void_beside_ids_and_by_name() -> None:
    understood = found({"0": 50, "1": 30, "2": 10, "255": 10}, {"0": 50, "1": 50})
    assert understood.truth.to_class["255"] == 255
    named = found({"0": 50, "2": 40, "255": 10}, {"0": 50, "1": 50}, THREE)
    assert [c.name for c in named.classes] == ["c0", "c1", "c2"]
    assert named.predicted.to_class["255"] == 255


def test_predictions_may_hold_more_classes_where_none_are_named() -> None:
    assert len(found({"0": 60, "1": 40}, {"0": 50, "1": 40, "2": 10}).classes) == 3
    with pytest.raises(BadData, match="no class has"):
        found({"0": 60, "1": 40}, {"0": 50, "3": 50}, THREE)
    with pytest.raises(BadData, match="no class has"):
        found({"0": 60, "255": 40}, {"0": 50, "1": 40, "2": 10})


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"0": 9, "nan": 1}, "1 NaN values"),
        ({"0": 5, "0.25": 5}, "probabilities"),
        ({"0": 5, "2.5": 5}, "not whole numbers"),
        ({"-1": 5, "0": 5}, "--ignore -1"),
        ({str(i): 9 for i in range(90)}, "--instances numbered"),
    ],
)
def test_what_is_no_label(counts: dict[str, int], words: str) -> None:
    with pytest.raises(BadData, match=words):
        found({"0": 90, "1": 10}, counts)


def test_a_map_holds_for_both() -> None:
    said = "0=background,7=cell,9=ignore"
    understood = found({"0": 50, "7": 40, "9": 10}, {"0": 50, "7": 50}, NOTHING, said)
    assert [c.name for c in understood.classes] == ["background", "cell"]
    assert understood.truth.to_class["9"] == 255
    with pytest.raises(BadData, match=r"truth holds values.*5 \(50 %\)|no class has"):
        found({"0": 5, "5": 5}, {"0": 5, "7": 5}, NOTHING, said)


def test_colours_of_both_sides() -> None:
    truth = masks({"#000000": 50, "#ff0000": 50}, kind="colours")
    understood = understand_scoring(truth, truth, NOTHING, None)
    assert understood.predicted == understood.truth
    with pytest.raises(BadData, match="no class has"):
        understand_scoring(truth, masks({"#00ff00": 9}, kind="colours"), NOTHING, None)
