"""What a plan promises, measured.

python -m benchmarks.planning cost [--only SET ...] [--budget 1m ...] [--again]   on a quiet machine
python -m benchmarks.planning sizes [--sizes 10 30 100 ...] [--edge 2048]         likewise
python -m benchmarks.planning table                                               what is there

`cost` runs whole training commands and compares the planned time and memory with the real ones.
`sizes` generates sets of growing size in a temporary folder and measures memory and the time to the
first step. A cell that is measured is skipped unless --again; every one is a dated JSON file in
`benchmarks/results/planning`. The exit code is 1 if a promise is broken. The planner against fixed
plans is a table of the queue: `python -m benchmarks.queue measure|run|table planning`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.planning import cost, sizes


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line asks; the exit code is 1 if a promise is broken."""
    options = _parse(words)
    wanted = cost.cells(options.only or cost.SETS, options.budget or cost.BUDGETS)
    if options.verb == "cost":
        for cell in wanted:
            if cell.result() is None or options.again:
                print(f"{cell.data} {cell.budget} …", flush=True)
                cost.run_cell(cell, _data_folder())
    if options.verb == "sizes":
        for n_images in options.sizes:
            if sizes.result(n_images) is None or options.again:
                print(f"{n_images} images …", flush=True)
                sizes.measure(n_images, options.edge)
    broken = []
    if options.verb != "sizes":
        print("\n".join(cost.table_lines(wanted)))
        broken += cost.broken_promises(wanted)
    if options.verb != "cost":
        print("\n".join(sizes.table_lines()))
        broken += sizes.broken_promises()
    for sentence in broken:
        print(f"BROKEN: {sentence}")
    return 1 if broken else 0


def _data_folder() -> Path:
    folder = os.environ.get("PIXELWISE_DATA")
    if not folder or not Path(folder).is_dir():
        sys.exit("PIXELWISE_DATA must name the folder with the public data sets")
    return Path(folder)


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.planning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("verb", choices=("cost", "sizes", "table"))
    parser.add_argument("--only", nargs="+", choices=cost.SETS, metavar="SET")
    parser.add_argument("--budget", nargs="+", metavar="TIME", help="default: 1m 5m 20m")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(sizes.SIZES), metavar="N")
    parser.add_argument("--edge", type=int, default=sizes.EDGE, help="of the images, in pixels")
    parser.add_argument("--again", action="store_true", help="measure what is measured already")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
