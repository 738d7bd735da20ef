"""Files of the queue: quiet measurements and results, one JSON for each cell, whole or not at all.

results/TABLE/quiet/CELL.json   step time on a quiet machine and the plan made from it
results/TABLE/CELL.json         what a finished cell reached
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.queue.cells import Cell, fingerprint

RESULTS = Path(__file__).resolve().parents[1] / "results"

TIMES = ("step_seconds", "patches_per_second", "milliseconds_per_image", "image_shape")
"""What is measured on a quiet machine and shown beside a result."""

State = Literal["unmeasured", "waiting", "done"]


@dataclass(frozen=True)
class Store:
    """The stored files of a table."""

    folder: Path

    def quiet(self, cell: Cell) -> dict[str, Any] | None:
        """The valid quiet measurement of a cell, None if there is none for its definition."""
        content = _read(self.folder / "quiet" / f"{cell.name}.json")
        is_valid = content is not None and content["definition"] == fingerprint(cell.definition())
        return content if is_valid else None

    def save_quiet(self, cell: Cell, content: Mapping[str, Any]) -> None:
        """Keep a measurement together with the hash of the cell's definition."""
        stored = {"cell": cell.definition(), "definition": fingerprint(cell.definition())}
        _write(self.folder / "quiet" / f"{cell.name}.json", dict(content) | stored)

    def result(self, cell: Cell) -> dict[str, Any] | None:
        """The valid result of a cell: of its definition and of its present measurement."""
        content, quiet = _read(self.folder / f"{cell.name}.json"), self.quiet(cell)
        if content is None or quiet is None:
            return None
        return content if content["definition"] == result_definition(cell, quiet) else None

    def timed_result(self, cell: Cell) -> dict[str, Any] | None:
        """The valid result of a cell with the times that were last taken on a quiet machine."""
        result, quiet = self.result(cell), self.quiet(cell)
        if result is None or quiet is None:
            return None
        times = {key: value for key, value in quiet.items() if key in TIMES}
        return result | times | {"timed": quiet["date"], "load_when_timed": quiet["load_before"]}

    def save_result(self, cell: Cell, quiet: Mapping[str, Any], content: Mapping[str, Any]) -> None:
        """Keep a result together with the hash of what defines it."""
        stored = {"cell": cell.definition(), "definition": result_definition(cell, quiet)}
        _write(self.folder / f"{cell.name}.json", stored | dict(content))

    def state(self, cell: Cell) -> State:
        """How far a cell is."""
        if self.quiet(cell) is None:
            return "unmeasured"
        return "waiting" if self.result(cell) is None else "done"


def result_definition(cell: Cell, quiet: Mapping[str, Any]) -> str:
    """Hash of the cell and of the plan that is to be trained: the plan fixes the work."""
    return fingerprint([cell.definition(), quiet["plan"]])


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return content


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".writing")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, ensure_ascii=False, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
