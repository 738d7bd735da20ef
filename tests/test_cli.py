"""The command line: exit codes, JSON on standard output, sentences on standard error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import pixelwise.commands.check as check_module
from pixelwise.cli import main
from pixelwise.core.errors import BadData, Problem, ProgramError


def answer_to(monkeypatch: pytest.MonkeyPatch, error: BaseException, *words: str) -> Result:
    """What `pixelwise check x` says when the work raises an error."""

    def fail(*args: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr(check_module, "check", fail)
    return CliRunner().invoke(main, ["check", "x", *words])


PROBLEMS = [
    Problem("it is grey", severity="note", path="b.png"),
    Problem("it is empty", "an image", "Remove it.", "a.png", code="empty-file"),
]


def test_problems_are_sentences_errors_first(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = answer_to(monkeypatch, BadData(PROBLEMS))
    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert answer.stderr.splitlines() == [
        "error: a.png: it is empty. Expected an image. Remove it.",
        "note: b.png: it is grey.",
    ]


def test_problems_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = answer_to(monkeypatch, BadData(PROBLEMS), "--json")
    assert answer.exit_code == 2
    first = json.loads(answer.stdout)["problems"][1]
    assert first == {
        "severity": "error", "code": "empty-file", "path": "a.png", "what": "it is empty",
        "expected": "an image", "remedy": "Remove it.",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ProgramError("a promise"), 1, "please report it: a promise"),
        (KeyboardInterrupt(), 130, "Stopped."),
        (OSError(28, "No space left on device", "/x/y"), 2, "/x/y: the system refused: No space"),
        (MemoryError(), 2, "not enough memory"),
    ],
)
def test_every_end_has_its_code(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    answer = answer_to(monkeypatch, error)
    assert answer.exit_code == code
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = answer_to(monkeypatch, ZeroDivisionError("ours"))
    assert isinstance(answer.exception, ZeroDivisionError)


def test_words_that_do_not_exist() -> None:
    for words in (["trian"], ["check"], ["check", "x", "--bugdet", "3"]):
        answer = CliRunner().invoke(main, words)
        assert answer.exit_code == 2
        assert "Usage" in answer.stderr


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    answer = CliRunner().invoke(main, ["check", str(tmp_path / "missing")])
    assert answer.exit_code == 2
    assert str(tmp_path / "missing") in answer.stderr
