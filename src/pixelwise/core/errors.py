"""What can go wrong, said so that the reader can mend it.

PixelwiseError                exit code 1
├── ProgramError              1   our own promise was broken: please report it
└── UserError                 2   the input can be mended; carries one or more `Problem`s
    ├── BadData               the folder of images and masks
    ├── UnreadableFile        one file that cannot be read as what it claims to be
    ├── ShapeMismatch         two arrays, or an array and a network, that do not fit
    ├── BadPlan               a plan, an option or its value
    ├── UnknownName           a part or option that does not exist
    ├── BadRun                a run folder that is missing, damaged or foreign
    ├── BadBundle             an exported bundle that is damaged, tampered with or too new
    ├── BadOutput             an output that exists already or cannot be written
    └── MissingExtra          an optional package that is not installed
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what (with its value), what was expected, what to do.

    `path` names the file that it sits in, empty if it belongs to no file.
    `code` is a short stable name (`mask-size`) for scripts and tests.
    """

    what: str
    expected: str = ""
    remedy: str = ""
    path: str = ""
    severity: Severity = "error"
    code: str = ""

    def text(self) -> str:
        """The problem as one line of sentences, path first."""
        head = f"{self.path}: {self.what}" if self.path else self.what
        parts = [head, f"expected {self.expected}" if self.expected else "", self.remedy]
        return " ".join(_sentence(part) for part in parts if part)


def _sentence(text: str) -> str:
    text = text.strip()
    starts_with_word = text[:1].islower() and text.startswith("expected")
    text = text[0].upper() + text[1:] if starts_with_word else text
    return text if text.endswith((".", "!", "?")) else text + "."


class PixelwiseError(Exception):
    """Every error that this package raises on purpose."""

    exit_code = 1


class ProgramError(PixelwiseError):
    """A promise between our own parts was broken."""


class UserError(PixelwiseError):
    """Input that can be mended. Takes problems, or the three parts of a single one."""

    exit_code = 2

    def __init__(
        self,
        problems: str | Problem | Iterable[Problem],
        expected: str = "",
        remedy: str = "",
        *,
        path: object = "",
        code: str = "",
    ) -> None:
        if isinstance(problems, str):
            problems = Problem(problems, expected, remedy, str(path), code=code)
        if isinstance(problems, Problem):
            problems = (problems,)
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(problem.text() for problem in self.problems))


class BadData(UserError, ValueError):
    """The folder of images and masks, an array or its description, is not usable as it is."""


class UnreadableFile(UserError):
    """A file that is missing, damaged, foreign or too large to open."""


class ShapeMismatch(UserError, ValueError):
    """Arrays that should share a grid, or fit a network, and do not."""


class BadPlan(UserError, ValueError):
    """A plan, an option or a value in it that cannot be used."""


class UnknownName(UserError):
    """A part or an option that is not registered."""


class BadRun(UserError):
    """A run folder that is missing, damaged, foreign, or made by a newer version."""


class BadBundle(UserError):
    """An exported bundle that is damaged, unsafe, tampered with, too large or too new."""


class BadOutput(UserError):
    """An output that exists already, or a place that cannot be written to."""


class InputWarning(UserWarning):
    """An array that is unlike what a run was trained on, labelled all the same."""


class MissingExtra(UserError):
    """An optional package is needed and not installed."""


def raise_errors(problems: Iterable[Problem], kind: type[UserError] = BadData) -> None:
    """Raise `kind` with every problem of severity error, if there is any."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise kind(errors)
