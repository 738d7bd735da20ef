"""Splits: given ones checked, drawn ones grouped, stratified and repeatable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixelwise.data.groups import make_groups
from pixelwise.data.splits import Member, complete_splits, make_splits, read_splits


def members(n: int, n_in_group: int = 1) -> list[Member]:
    return [Member(f"m{i:03}", f"g{i // n_in_group}", (i % 10) / 10) for i in range(n)]


def count(splits: dict[str, Any], split: str) -> int:
    return sum(value == split for value in splits.values())


@pytest.mark.parametrize(
    ("n", "expected"),
    [(1, (1, 0, 0)), (2, (1, 1, 0)), (4, (3, 1, 0)), (5, (3, 1, 1)), (20, (13, 3, 4))],
)
def test_shares_of_a_drawn_split(n: int, expected: tuple[int, int, int]) -> None:
    splits, rule = make_splits(members(n), seed=0)
    assert tuple(count(splits, s) for s in ("train", "val", "test")) == expected
    assert rule


def test_a_single_case_says_that_its_area_must_be_held_out() -> None:
    splits, rule = make_splits(members(1), seed=0)
    assert splits == {"m000": "train"}
    assert "one case only" in rule


def test_groups_stay_together_whatever_the_seed() -> None:
    for seed in range(20):
        some = members(30, n_in_group=3)
        splits, _ = make_splits(some, seed)
        for group in {member.group for member in some}:
            assert len({splits[m.id] for m in some if m.group == group}) == 1
        assert count(splits, "val") >= 1
        assert count(splits, "test") >= 1


def test_the_seed_decides_and_repeats() -> None:
    first, _ = make_splits(members(40), seed=3)
    assert first == make_splits(members(40), seed=3)[0]
    assert first != make_splits(members(40), seed=4)[0]


def test_rare_and_rich_cases_are_spread() -> None:
    some = [Member(f"m{i:02}", f"m{i:02}", i / 50) for i in range(50)]
    splits, _ = make_splits(some, seed=0)
    tested = sorted(m.foreground for m in some if splits[m.id] == "test")
    assert len(tested) == 10
    # One from every tenth of the ranking.
    assert [int(share * 10) for share in tested] == list(range(10))


def test_validation_is_carved_out_of_train_by_groups() -> None:
    some = members(20, n_in_group=2)
    given = {m.id: "train" if i < 14 else "test" for i, m in enumerate(some)}
    splits, rule = complete_splits(some, given, seed=0)
    assert count(splits, "test") == 6
    assert count(splits, "val") == 2
    assert "set aside" in rule
    for group in {member.group for member in some}:
        assert len({splits[m.id] for m in some if m.group == group}) == 1


def test_given_splits_stay() -> None:
    given = {"m000": "train", "m001": "val", "m002": "test"}
    splits, _ = complete_splits(members(3), given, seed=0)
    assert splits == given


def read(tmp_path: Path, content: object) -> tuple[Any, list[str]]:
    path = tmp_path / "splits.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    splits, problems = read_splits(path, ["a", "b", "c.d"])
    assert all(problem.path == str(path) for problem in problems)
    return splits, [problem.code for problem in problems]


def test_every_fault_of_splits_json_is_listed(tmp_path: Path) -> None:
    _, codes = read(
        tmp_path,
        {"train": ["a", "a", "b", "missing", "../../x"], "val": ["b", "c.d"], "tset": []},
    )
    assert codes == [
        "split-missing", "unsafe-split", "bad-splits", "split-repeated", "split-overlap",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('{"train": ["a",]}', "bad-json"),
        ([1, 2], "bad-splits"),
        ({"train": "a"}, "bad-splits"),
        ({"train": [1]}, "bad-splits"),
    ],
)
def test_malformed_splits(tmp_path: Path, content: object, code: str) -> None:
    _, codes = read(tmp_path, content)
    assert code in codes


def test_endings_and_other_words_for_splits_are_understood(tmp_path: Path) -> None:
    splits, codes = read(tmp_path, {"training": ["a.png", "c.d"], "validation": ["b"]})
    assert splits == {"a": "train", "c.d": "train", "b": "val"}
    assert codes == []


def test_cases_in_no_split_are_a_warning(tmp_path: Path) -> None:
    splits, codes = read(tmp_path, {"train": ["a"], "val": ["b"]})
    assert codes == ["split-incomplete"]
    assert "c.d" not in splits


def test_groups_by_pattern_and_by_column(tmp_path: Path) -> None:
    ids = ["p1_a", "p1_b", "p2_a"]
    groups, _, problems = make_groups(tmp_path, ids, r"(p\d+)_")
    assert not problems
    assert groups == {"p1_a": "p1", "p1_b": "p1", "p2_a": "p2"}
    (tmp_path / "metadata.csv").write_text("stem,subject\np1_a,x\np1_b,x\np2_a,y\n")
    groups, _, problems = make_groups(tmp_path, ids, "column:subject")
    assert not problems
    assert groups == {"p1_a": "x", "p1_b": "x", "p2_a": "y"}
    _, _, notes = make_groups(tmp_path, ids, None)
    assert [(note.severity, note.code) for note in notes] == [("note", "group-available")]


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ("(p", "no regular expression"),
        ("p", "0 pairs of parentheses"),
        (r"(x\d)_", "does not fit p1_a"),
        ("column:age", "no column 'age'"),
        ("column:subject", "p2_a"),
    ],
)
def test_bad_groups_are_explained(tmp_path: Path, group: str, said: str) -> None:
    (tmp_path / "metadata.csv").write_text("stem,subject\np1_a,x\n")
    _, _, (problem,) = make_groups(tmp_path, ["p1_a", "p2_a"], group)
    assert problem.severity == "error"
    assert said in problem.what + problem.expected


def test_shares_are_not_biased_towards_the_first_names() -> None:
    drawn = np.zeros(40)
    for seed in range(200):
        splits, _ = make_splits(members(40), seed)
        drawn += [splits[m.id] == "test" for m in members(40)]
    assert drawn.min() > 10  # 40 of 200 are expected for each
