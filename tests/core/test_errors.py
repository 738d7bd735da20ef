"""Problems become sentences, and errors carry all of them."""

from __future__ import annotations

import pytest

from pixelwise.core.errors import (
    BadData,
    BadPlan,
    Problem,
    ProgramError,
    UserError,
    raise_errors,
)


def test_a_problem_reads_as_sentences() -> None:
    problem = Problem("the mask is 3 x 4", "5 x 6", "Export it again!", "a/b.png")
    assert problem.text() == "a/b.png: the mask is 3 x 4. Expected 5 x 6. Export it again!"


def test_a_problem_of_one_part_is_one_sentence() -> None:
    assert Problem("there are no images").text() == "there are no images."


def test_an_error_is_made_from_parts_or_problems() -> None:
    single = BadData("it is empty", "an image", "Remove it.", path="x.png", code="empty-file")
    assert single.problems == (
        Problem("it is empty", "an image", "Remove it.", "x.png", "error", "empty-file"),
    )
    double = BadPlan([Problem("one"), Problem("two")])
    assert str(double) == "one.\ntwo."


def test_exit_codes_say_whose_fault_it_is() -> None:
    assert UserError("x").exit_code == 2
    assert ProgramError("x").exit_code == 1


def test_only_errors_are_raised_and_all_of_them() -> None:
    raise_errors([Problem("a", severity="warning"), Problem("b", severity="note")])
    mixed = [Problem("a"), Problem("b", severity="note"), Problem("c")]
    with pytest.raises(BadPlan) as caught:
        raise_errors(mixed, BadPlan)
    assert [p.what for p in caught.value.problems] == ["a", "c"]
