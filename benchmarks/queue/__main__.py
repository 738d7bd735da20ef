"""The queue's commands.

python -m benchmarks.queue measure TABLE [--only NAME ...] [--again]   on a quiet machine
python -m benchmarks.queue time TABLE [--only NAME ...]                the same, times only
python -m benchmarks.queue run TABLE [--only NAME ...] [--max-time 80m]
python -m benchmarks.queue status TABLE
python -m benchmarks.queue table TABLE                                writes the pages

`measure` times every cell once, on a machine that does nothing else, and fixes from it how many
steps fit into the cell's budget. `run` then takes those steps however long the machine needs, so
that other work on the machine makes a cell late but not worse. `time` takes the times of measured
cells anew and leaves their plans and results as they are. All go on where they stopped: a
cell that is finished and still defined in the same way is skipped; Ctrl-C or kill loses the one
at hand. Everything runs from a clone of the commit that was checked out at the start.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import networks, planning
from benchmarks.queue.cells import Cell, Table, select
from benchmarks.queue.pinned_code import CHECKOUT, code_here, pin_code
from benchmarks.queue.store import RESULTS, Store
from benchmarks.queue.work import OVERHEAD_SECONDS, Work, measure_cells, run_cells, time_cells
from pixelwise.core.errors import UserError
from pixelwise.core.quantities import format_duration, parse_duration

TABLES = {table.name: table for table in (networks.TABLE, planning.TABLE)}


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line asks; the exit code is 1 if a cell failed."""
    options = _parse(words)
    table = TABLES[options.table]
    store = Store(RESULTS / table.name)
    try:
        cells = select(table.cells, options.only)
    except ValueError as error:
        sys.exit(str(error))
    if options.verb == "status":
        show_status(store, cells)
        return 0
    if options.verb == "table":
        write_pages(table, store)
        return 0
    signal.signal(signal.SIGTERM, _interrupt)
    folder = Path(options.work) / table.name
    code = code_here() if options.here else pin_code(folder)
    work = Work(folder, code, _data_folder(), store)
    try:
        if options.verb == "measure":
            n_failed = measure_cells(work, cells, again=options.again)
        elif options.verb == "time":
            n_failed = time_cells(work, cells)
        else:
            n_failed = run_cells(work, cells, max_seconds=_seconds(options.max_time))
    except KeyboardInterrupt:
        print("Stopped. The same command goes on with the cell that was at hand.")
        return 130
    return 1 if n_failed else 0


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else parse_duration(text)
    except UserError as error:
        sys.exit(str(error))


def show_status(store: Store, cells: Sequence[Cell]) -> None:
    """One line per cell, and how long the waiting ones will take on a quiet machine."""
    states = {cell.name: store.state(cell) for cell in cells}
    for cell in cells:
        quiet, result = store.quiet(cell), store.result(cell)
        steps = f"{quiet['steps']} steps" if quiet else ""
        score = f"{_main_score(result):.4f}" if result else ""
        print(f"{states[cell.name]:10} {cell.name:48} {steps:12} {score}")
    left = [cell for cell in cells if states[cell.name] != "done"]
    seconds = sum(cell.budget_seconds + OVERHEAD_SECONDS for cell in left)
    print(
        f"{len(cells) - len(left)} of {len(cells)} done; the others take about "
        f"{format_duration(seconds)} if nothing else runs"
    )


def write_pages(table: Table, store: Store) -> None:
    """Write what the table's results look like, as pages beside them."""
    results = [result for cell in table.cells if (result := store.timed_result(cell)) is not None]
    for name, text in table.render(results).items():
        path = CHECKOUT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"written: {path}")


def _main_score(result: dict[str, object]) -> float:
    return networks.main_score(result)  # both tables score the same sets in the same way


def _data_folder() -> Path:
    folder = os.environ.get("PIXELWISE_DATA")
    if not folder or not Path(folder).is_dir():
        sys.exit("PIXELWISE_DATA must name the folder with the public data sets")
    return Path(folder)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.queue",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("verb", choices=("measure", "time", "run", "status", "table"))
    parser.add_argument("table", choices=sorted(TABLES))
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="rows or data sets")
    parser.add_argument("--max-time", metavar="TIME", help="start no cell that would end later")
    parser.add_argument("--again", action="store_true", help="measure what is measured already")
    parser.add_argument("--here", action="store_true", help="use the checkout itself, no clone")
    parser.add_argument(
        "--work",
        default=str(Path(tempfile.gettempdir()) / "pixelwise-queue"),
        metavar="FOLDER",
        help="where code and runs lie while the queue works (default: %(default)s)",
    )
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
