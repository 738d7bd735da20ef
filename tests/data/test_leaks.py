"""Groups by names and columns, and pictures of one place in two splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pixelwise.core.case import Case
from pixelwise.data.leaks import (
    find_leaks,
    groups_by_column,
    groups_by_name,
    is_confirmed,
    kin,
    likeness_matrix,
)


@pytest.mark.parametrize(
    ("ids", "groups"),
    [
        (["Image_01L", "Image_01R", "Image_02L", "Image_02R"], ["Image_01"] * 2 + ["Image_02"] * 2),
        (["film3_t017", "film3_t018", "film12_t01", "film12_t02"], ["film3"] * 2 + ["film12"] * 2),
        (["p1_1", "p1_2", "p2_1", "p2_2"], ["p1", "p1", "p2", "p2"]),
        (["slice_01", "slice_02", "slice_03"], None),  # one group is none
        (["a1", "b2", "c3"], None),  # as many groups as cases
        (["left", "right"], None),
    ],
)
def test_groups_by_name(ids: list[str], groups: list[str] | None) -> None:
    assert groups_by_name(ids) == ({} if groups is None else dict(zip(ids, groups, strict=True)))


def test_groups_by_column() -> None:
    rows = {k: {"patient": p, "age": "7"} for k, p in zip("abcd", "xxyz", strict=True)}
    keys = {key: key for key in "abcd"}
    found = groups_by_column(["patient", "age"], rows, keys)
    assert found == {"patient": {"a": "x", "b": "x", "c": "y", "d": "z"}}
    assert groups_by_column(["patient"], {k: {"patient": k} for k in keys}, keys) == {}


def test_a_group_in_two_splits() -> None:
    splits = {"a": "train", "b": "test", "c": "train", "d": "test"}
    cases = [Case(i, Path(i), split=s) for i, s in splits.items()]  # type: ignore[arg-type]
    (leak,) = find_leaks(cases, {"a": "x", "b": "x", "c": "x", "d": "y"})
    assert (leak.name, leak.cases, leak.splits) == ("x", ("b", "a", "c"), ("test", "train"))


def pictures() -> np.ndarray:
    """Twelve signatures: pairs 0-1 and 2-3 share most of their detail, the others nothing."""
    generator = np.random.default_rng(0)
    found = generator.normal(size=(12, 64, 64)).astype(np.float32)
    found[1] = 0.8 * found[0] + 0.6 * found[1]
    found[3] = 0.7 * found[2] + 0.7 * found[3]
    return found


def test_pictures_confirm_groups_or_not() -> None:
    likeness = likeness_matrix(list(pictures()))
    names = list("aabbcdefghij")
    assert is_confirmed(likeness, names) > 0.95
    assert is_confirmed(likeness, list("ababababacbc")) < 0.75
    assert is_confirmed(likeness, ["x"] * 12) == 0.5


def test_kin_are_named_across_splits_only() -> None:
    likeness = likeness_matrix(list(pictures()))
    splits = ["train", "test", "train", "train", *["test"] * 8]
    assert [(a, b) for a, b, _ in kin(likeness, splits)] == [(0, 1)]
    assert kin(likeness[:5, :5], splits[:5]) == []
