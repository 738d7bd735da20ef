"""How work tells somebody how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    """Somebody who wants to know: a terminal, a log, a web page, or nobody."""

    def say(self, text: str) -> None:
        """One line for a person: what is happening now, or a warning."""

    def advance(self, done: float, total: float, text: str) -> None:
        """Progress of the current activity; `text` holds its figures (loss, score)."""


class Silent:
    """Listens to nothing: the default when a command is called as a function."""

    def say(self, text: str) -> None:
        """Ignore the line."""

    def advance(self, done: float, total: float, text: str) -> None:
        """Ignore the progress."""


SILENT = Silent()
