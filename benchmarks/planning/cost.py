"""Planned against real time and memory: one whole training command for each budget and set."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelwise.core.quantities import format_duration, parse_duration
from pixelwise.core.runtime import environment

BUDGETS = ("1m", "5m", "20m")
SETS = ("chase-db1", "camvid", "msd-hippocampus")
"""Few large pictures with thin objects; many small ones with 11 classes; small volumes."""

RESULTS = Path(__file__).resolve().parents[1] / "results" / "planning" / "cost"

MEMORY_SHARE = 0.15
"""The real peak keeps within this share of the planned one."""

TIME_SHARE, TIME_SECONDS = 1.1, 5.0
"""The real time never passes this share of the budget and so many seconds more."""


@dataclass(frozen=True)
class CostCell:
    """One training command."""

    data: str
    budget: str

    @property
    def path(self) -> Path:
        """Where its result lies."""
        return RESULTS / f"{self.data}-{self.budget}.json"

    def result(self) -> dict[str, Any] | None:
        """What was measured, None if it was not."""
        if not self.path.exists():
            return None
        found: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return found


def cells(sets: Sequence[str], budgets: Sequence[str]) -> list[CostCell]:
    """Every combination, short budgets first."""
    return [CostCell(data, budget) for budget in budgets for data in sets]


def run_cell(cell: CostCell, data: Path) -> dict[str, Any]:
    """Run `pixelwise train` as a user does, in a process of its own, and keep what it took."""
    work = Path(tempfile.mkdtemp(prefix="pixelwise-cost-"))
    load_before = os.getloadavg()
    try:
        run = work / "run"
        command = [sys.executable, "-m", "pixelwise", "train", str(data / cell.data)]
        started = time.monotonic()
        process = subprocess.Popen(
            [*command, "--run", str(run), "--budget", cell.budget],
            stdout=subprocess.DEVNULL,
            stderr=(work / "log.txt").open("w"),
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - started
        if process.returncode:
            raise RuntimeError((work / "log.txt").read_text()[-2000:])
        stored = json.loads((run / "run.json").read_text())
        plan = json.loads((run / "plan.json").read_text())
        history = json.loads((run / "history.json").read_text())
    finally:
        shutil.rmtree(work, ignore_errors=True)
    budget_seconds = parse_duration(cell.budget)
    result = {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "commit": _commit(),
        "data": cell.data,
        "budget_seconds": budget_seconds,
        "seconds": round(seconds, 2),
        "planned_bytes": stored["expected_bytes"],
        "peak_bytes": usage.ru_maxrss * 1024,
        "planned_steps": round(stored["planned_steps"]),
        "steps": plan["training"]["steps"],
        "last_learning_rate": history[-1]["learning_rate"],
        "network": plan["network"],
        "sampling": plan["sampling"],
        "precision": plan["training"]["precision"],
        "load_before": [round(value, 2) for value in load_before],
        "load_after": [round(value, 2) for value in os.getloadavg()],
        "machine": environment(),
    }
    cell.path.parent.mkdir(parents=True, exist_ok=True)
    temporary = cell.path.with_suffix(".writing")
    temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    temporary.replace(cell.path)
    return result


def table_lines(wanted: Sequence[CostCell]) -> list[str]:
    """The measured cells as a Markdown table, with what is promised."""
    lines = [
        "| set | budget | time taken | at most | memory planned | peak | off by | steps planned | "
        "steps | date |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for cell in wanted:
        found = cell.result()
        if found is None:
            lines.append(f"| {cell.data} | {cell.budget} | not measured yet | | | | | | | |")
            continue
        off = found["peak_bytes"] / found["planned_bytes"] - 1
        lines.append(
            f"| {cell.data} | {cell.budget} | {format_duration(found['seconds'])} | "
            f"{format_duration(most_seconds(found))} | {found['planned_bytes'] / 1e9:.2f} GB | "
            f"{found['peak_bytes'] / 1e9:.2f} GB | {off:+.0%} | {found['planned_steps']:,} | "
            f"{found['steps']:,} | {found['date'][:10]} |"
        )
    return lines


def most_seconds(found: Mapping[str, Any]) -> float:
    """The longest that a training may take by its budget."""
    return float(TIME_SHARE * found["budget_seconds"] + TIME_SECONDS)


def broken_promises(wanted: Sequence[CostCell]) -> list[str]:
    """Sentences on measured cells that took more time, or other memory, than was planned."""
    broken = []
    for cell in wanted:
        found = cell.result()
        if found is None:
            continue
        off = found["peak_bytes"] / found["planned_bytes"] - 1
        if abs(off) > MEMORY_SHARE:
            broken.append(f"{cell.data} {cell.budget}: memory off by {off:+.0%}")
        if found["seconds"] > most_seconds(found):
            broken.append(f"{cell.data} {cell.budget}: {found['seconds']:.1f} s")
    return broken


def _commit() -> str:
    folder = Path(__file__).resolve().parent
    command = ["git", "-C", str(folder), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
