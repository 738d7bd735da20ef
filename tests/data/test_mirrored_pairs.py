"""Left and right are found by where they lie or by their names; exchanged cases are named."""

from __future__ import annotations

import pytest

from pixelwise.core.case import ClassInfo
from pixelwise.data.mirrored_pairs import find_pairs
from pixelwise.data.object_sizes import ClassObjects


def thing(class_id: int, x: float, *, y: float = 0.5, n: int = 100) -> ClassObjects:
    return ClassObjects(class_id, n, 1, (n,), 5.0, (y, x), (0.1, 0.1))


def classes(*names: str) -> list[ClassInfo]:
    return [ClassInfo(i, name, "#000000") for i, name in enumerate(("background", *names))]


PLAIN = classes("a", "b")


def test_a_pair_and_the_case_that_is_exchanged() -> None:
    cases = [(thing(1, 0.3 + 0.01 * i), thing(2, 0.7)) for i in range(9)]
    cases[4] = (thing(1, 0.7), thing(2, 0.3))
    (pair,) = find_pairs(cases, PLAIN)
    assert (pair.first, pair.second, pair.axis, pair.n_dims) == (1, 2, 1, 2)
    assert (pair.n_cases, pair.swapped) == (9, (4,))


@pytest.mark.parametrize(
    "cases",
    [
        [(thing(1, 0.3), thing(2, 0.7, n=300))] * 6,  # not of one size
        [(thing(1, 0.45), thing(2, 0.5))] * 6,  # one within the other
        [(thing(1, 0.3, y=0.2), thing(2, 0.6, y=0.6))] * 6,  # aslant
        [(thing(1, 0.3), thing(2, 0.7))] * 3,  # too few to say
        [(thing(1, 0.3), thing(2, 0.7)), (thing(1, 0.7), thing(2, 0.3))] * 3,  # no order
        [(thing(1, 0.3),), (thing(2, 0.7),)] * 6,  # never both
    ],
)
def test_what_is_no_pair(cases: list[tuple[ClassObjects, ...]]) -> None:
    assert find_pairs(cases, PLAIN) == []


def test_names_make_a_pair_of_what_only_keeps_its_order() -> None:
    cases = [(thing(1, 0.6, y=0.35), thing(2, 0.3, n=300))] * 6
    assert find_pairs(cases, PLAIN) == []
    (pair,) = find_pairs(cases, classes("Left lung", "right_lung"))
    assert (pair.first, pair.second, pair.axis) == (2, 1, 1)
    assert find_pairs(cases, classes("left lung", "right kidney")) == []
