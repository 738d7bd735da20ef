"""Parts are found by name, and every mistake in their options is told with a suggestion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from pixelwise.core.errors import BadPlan, UnknownName
from pixelwise.core.registry import Registry, suggest


def make_registry() -> Registry[Callable[..., Any]]:
    registry: Registry[Callable[..., Any]] = Registry("shape", "pixelwise.tasks")
    registry._is_loaded = True  # nothing to discover in this test

    @registry.register("box", corners=4)
    def box(
        n_dims: int,
        *,
        edge: float,
        steps: tuple[int, ...] = (1,),
        mode: Literal["open", "closed"] = "open",
        is_hollow: bool = False,
        limit: int | None = None,
    ) -> tuple[object, ...]:
        """A box.

        More about it.
        """
        return n_dims, edge, steps, mode, is_hollow, limit

    return registry


def test_an_entry_knows_its_part() -> None:
    entry = make_registry().find("box")
    assert entry.summary == "A box."
    assert entry.facts == {"corners": 4}
    assert list(entry.options) == ["edge", "steps", "mode", "is_hollow", "limit"]
    assert entry.options["edge"].is_required
    defaults = {"steps": (1,), "mode": "open", "is_hollow": False, "limit": None}
    assert make_registry().defaults("box") == defaults


def test_building_hands_over_lists_as_tuples() -> None:
    built = make_registry().build("box", 2, options={"edge": 3, "steps": [1, 2], "limit": 5})
    assert built == (2, 3, (1, 2), "open", False, 5)


@pytest.mark.parametrize(
    ("option", "value", "is_fine"),
    [
        ("edge", 1, True), ("edge", 1.5, True), ("edge", True, False), ("edge", "1", False),
        ("steps", [1, 2], True), ("steps", (), True), ("steps", [1.5], False),
        ("steps", 3, False), ("mode", "closed", True), ("mode", "shut", False),
        ("is_hollow", True, True), ("is_hollow", 1, False), ("limit", None, True),
        ("limit", 4, True), ("limit", 4.0, False), ("limit", True, False),
    ],
)  # fmt: skip
def test_values_are_held_against_the_annotation(option: str, value: Any, is_fine: bool) -> None:
    problems = make_registry().check("box", {"edge": 1, option: value})
    assert [p.code for p in problems] == ([] if is_fine else ["bad-option"])


def test_all_mistakes_at_once_with_suggestions() -> None:
    with pytest.raises(BadPlan) as caught:
        make_registry().build("box", 2, options={"edgee": 1, "mode": "shut"})
    text = str(caught.value)
    assert [p.code for p in caught.value.problems] == [
        "unknown-option", "bad-option", "missing-option",
    ]  # fmt: skip
    assert "Did you mean edge?" in text
    assert "one of open, closed" in text
    assert "shape box needs the option 'edge'" in text


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"no shape called 'bxo'.*Did you mean box\?"):
        make_registry().find("bxo")


def test_two_parts_of_one_name_are_refused() -> None:
    registry = make_registry()

    def other() -> None:
        """Another."""

    other.__module__ = "elsewhere"
    with pytest.raises(UnknownName, match="two shapes are called 'box'"):
        registry.register("box")(other)


def test_nothing_close_means_no_suggestion() -> None:
    assert suggest("zzzz", ["network", "loss"]) == ""
    assert suggest("netwrok", ["network", "loss"]) == "Did you mean network?"
