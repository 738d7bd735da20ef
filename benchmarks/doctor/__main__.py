"""Breaks copies of the public sets in every way and counts what `pixelwise check` finds.

python -m benchmarks.doctor damages [--sets NAME,...]     found, named, located; false alarms
python -m benchmarks.doctor drift [--sets NAME,...]       AUC of the drift score on changed images
python -m benchmarks.doctor labels --sets NAME,...        AUC of ranked doubts; trains 100 s a set
python -m benchmarks.doctor shading --sets NAME,...       Dice lost to uneven light; trains 3 x 60 s

Sets are those of PIXELWISE_DATA. Each part writes a dated file to benchmarks/results.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.doctor import damage_table, drift_ranking, label_ranking, shading_loss
from benchmarks.speed.machine import RESULTS, describe_machine

SETS = (
    "chase-db1", "isbi2012-em", "dsb2018-fluo", "camvid", "camvid-fullres", "dic-hela",
    "msd-hippocampus", "mni152-tissue", "ph2-skin",
)  # fmt: skip

PARTS: dict[str, Callable[[Path, Path], dict[str, Any]]] = {
    "damages": damage_table.measure,
    "drift": drift_ranking.measure,
    "labels": label_ranking.measure,
    "shading": shading_loss.measure,
}


def main() -> None:
    """Run one part over the sets."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.doctor", description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--sets", default=",".join(SETS), help="names, joined by commas")
    parser.add_argument("--into", type=Path, help="add to this file of results")
    words = parser.parse_args()
    data = Path(os.environ["PIXELWISE_DATA"])
    file = words.into or RESULTS / f"doctor-{words.part}-{time.strftime('%Y-%m-%d-%H%M')}.json"
    content: dict[str, Any] = describe_machine()
    if file.exists():
        content = json.loads(file.read_text(encoding="utf-8"))
    for name in words.sets.split(","):
        with tempfile.TemporaryDirectory(prefix="doctor-") as folder:
            content[name] = PARTS[words.part](data / name, Path(folder))
        for line, value in content[name].items():
            print(f"{name:18} {line:28} {value}", flush=True)
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"written: {file}")


if __name__ == "__main__":
    main()
