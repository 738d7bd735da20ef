"""What a benchmark table consists of: cells, each defined by values that can be hashed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

OWN_TRAINING = "benchmarks.queue.own_training"


@dataclass(frozen=True)
class Cell:
    """One training and its scores on the validation split.

    row: name in the table. data: folder of the data set, below PIXELWISE_DATA. settings:
    fields of the plan that are given. budget_seconds: training time on a quiet machine.
    extra: what else defines the cell. runner: module that does the work when it is called as
    `python -m RUNNER measure|run REQUEST ANSWER`; interpreter: its Python, if not this one.
    version: raised by hand where a change makes older results of the cell worthless.
    """

    table: str
    row: str
    data: str
    budget_seconds: float
    settings: tuple[str, ...] = ()
    seed: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    runner: str = OWN_TRAINING
    interpreter: str = ""
    version: int = 1

    @property
    def name(self) -> str:
        """The cell's name in files and on the command line."""
        return f"{self.data}-{self.row}-{self.budget_seconds:g}s-seed{self.seed}"

    def definition(self) -> dict[str, Any]:
        """Everything that makes the cell what it is."""
        content = asdict(self) | {"settings": list(self.settings), "extra": dict(self.extra)}
        content.pop("interpreter")
        return content


@dataclass(frozen=True)
class Table:
    """Cells, and how their results become pages. render(results): file name -> content."""

    name: str
    cells: Sequence[Cell]
    render: Callable[[Sequence[Mapping[str, Any]]], Mapping[str, str]]


def fingerprint(content: Any) -> str:
    """SHA-256 of a value's JSON, keys sorted."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def select(cells: Sequence[Cell], wanted: Sequence[str]) -> list[Cell]:
    """The cells whose row, data set or name is wanted; all if nothing is.

    Raises ValueError naming what matches no cell.
    """
    known = {label for cell in cells for label in (cell.row, cell.data, cell.name)}
    unknown = sorted(set(wanted) - known)
    if unknown:
        rows = ", ".join(sorted({cell.row for cell in cells} | {cell.data for cell in cells}))
        raise ValueError(f"no cell is called {', '.join(unknown)}; expected one of {rows}")
    data = {cell.data for cell in cells} & set(wanted)
    others = set(wanted) - data
    return [
        cell
        for cell in cells
        if (not data or cell.data in data) and (not others or {cell.row, cell.name} & others)
    ]
