"""The queue itself: the next cell, a process of its own that does it, its answer stored."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.queue.cells import Cell
from benchmarks.queue.pinned_code import Code
from benchmarks.queue.store import Store

Verb = Literal["measure", "time", "run"]

OVERHEAD_SECONDS = 60.0
"""Reading the data, scoring, report: what a cell takes besides its training, about."""


@dataclass(frozen=True)
class Work:
    """Where the queue works, with which code and data."""

    folder: Path
    code: Code
    data: Path
    store: Store


class CellFailed(Exception):
    """A cell's process ended without an answer."""


def measure_cells(work: Work, cells: Sequence[Cell], *, again: bool = False) -> int:
    """Measure the cells that have no valid measurement; how many failed."""
    waiting = [cell for cell in cells if again or work.store.quiet(cell) is None]
    return _do_all(work, waiting, "measure", _Deadline(None))


def time_cells(work: Work, cells: Sequence[Cell]) -> int:
    """Time measured cells anew without touching their plans; how many failed."""
    measured = [cell for cell in cells if work.store.quiet(cell) is not None]
    return _do_all(work, measured, "time", _Deadline(None))


def run_cells(work: Work, cells: Sequence[Cell], *, max_seconds: float | None = None) -> int:
    """Run the cells that are measured and not done, until the time is over; how many failed."""
    waiting = [cell for cell in cells if work.store.state(cell) == "waiting"]
    return _do_all(work, waiting, "run", _Deadline(max_seconds))


class _Deadline:
    """Whether another cell still fits, judged by how the finished ones went."""

    def __init__(self, max_seconds: float | None) -> None:
        self.end = None if max_seconds is None else time.monotonic() + max_seconds
        self.slowdown = 1.0

    def leaves_time_for(self, cell: Cell) -> bool:
        expected = self.slowdown * cell.budget_seconds + OVERHEAD_SECONDS
        return self.end is None or time.monotonic() + expected <= self.end

    def note(self, cell: Cell, seconds: float) -> None:
        self.slowdown = max(1.0, (seconds - OVERHEAD_SECONDS) / cell.budget_seconds)


def _do_all(work: Work, cells: Sequence[Cell], verb: Verb, deadline: _Deadline) -> int:
    n_failed = 0
    with _only_one(work.folder):
        for index, cell in enumerate(cells, start=1):
            if not deadline.leaves_time_for(cell):
                _say(f"no time left for {len(cells) - index + 1} more cells")
                break
            _say(f"{verb} {index}/{len(cells)}: {cell.name}")
            started = time.monotonic()
            try:
                _do(work, cell, verb)
            except CellFailed as error:
                n_failed += 1
                _say(f"FAILED {cell.name}: {error}")
                continue
            seconds = time.monotonic() - started
            if verb == "run":
                deadline.note(cell, seconds)
            _say(f"done {cell.name} in {seconds:.0f} s")
    return n_failed


def _do(work: Work, cell: Cell, verb: Verb) -> None:
    quiet = work.store.quiet(cell)
    request = {"cell": cell.definition(), "data": str(work.data / cell.data), "quiet": quiet}
    frame = {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "commit": work.code.commit,
        "is_dirty": work.code.is_dirty,
        "load_before": _load(),
    }
    started = time.monotonic()
    answer = _ask(work, cell, verb, request)
    frame |= {"wall_seconds": round(time.monotonic() - started, 1), "load_after": _load()}
    if verb != "run":
        work.store.save_quiet(cell, answer | frame)
    elif quiet is not None:
        work.store.save_result(cell, quiet, frame | answer)


def _ask(work: Work, cell: Cell, verb: str, request: dict[str, Any]) -> dict[str, Any]:
    """Start the cell's process and wait; it leaves nothing running, however this ends."""
    folder = work.folder / "cell"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    request_path, answer_path = folder / "request.json", folder / "answer.json"
    request_path.write_text(json.dumps(request | {"work": str(folder)}), encoding="utf-8")
    command = [cell.interpreter or sys.executable, "-m", cell.runner, verb]
    log = folder / "log.txt"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [*command, str(request_path), str(answer_path)],
            cwd=work.code.folder,
            env=work.code.environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if code or not answer_path.exists():
        kept = work.folder / f"failed-{cell.name}.log"
        shutil.copy(log, kept)
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise CellFailed(f"exit code {code}: {' | '.join(lines[-3:])} (all of it: {kept})")
    answer: dict[str, Any] = json.loads(answer_path.read_text(encoding="utf-8"))
    shutil.rmtree(folder, ignore_errors=True)
    return answer


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Two queues in one folder would spoil each other's cells and times."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "queue.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"{folder}: another queue works here; stop it, or choose another --work")
        yield


def _load() -> list[float]:
    return [round(value, 2) for value in os.getloadavg()]


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)
