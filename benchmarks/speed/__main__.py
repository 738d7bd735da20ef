"""Runs the speed benchmarks and writes one dated file of results.

python -m benchmarks.speed [startup] [training] [memory] [dense] [scoring] [volumes]
python -m benchmarks.speed prediction --peers PYTHON [--only NAME,...] [--work FOLDER] [--into FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.speed import dense, memory, prediction, scoring, startup, training, volumes
from benchmarks.speed.machine import RESULTS, describe_machine

PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "startup": startup.measure,
    "training": training.measure,
    "memory": memory.measure,
    "dense": dense.measure,
    "scoring": scoring.measure,
    "volumes": volumes.measure,
    "prediction": prediction.measure,
}


def main() -> None:
    """Measure the parts that were asked for, all by default."""
    words = _parse()
    content: dict[str, Any] = describe_machine()
    if words.into is not None and words.into.exists():
        content = json.loads(words.into.read_text(encoding="utf-8"))
    file = words.into or RESULTS / f"speed-{time.strftime('%Y-%m-%d-%H%M')}.json"

    def save(name: str, found: dict[str, Any]) -> None:
        content[name] = found
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    parts = PARTS | {
        "prediction": partial(
            prediction.measure,
            only=words.only.split(",") if words.only else (),
            peers=words.peers,
            work=words.work,
            earlier=content.get("prediction", {}),
            save=partial(save, "prediction"),
        )
    }
    is_kept = True
    for name in words.parts or PARTS:
        save(name, parts[name]())
        for line, value in content[name].items():
            print(f"{name:9} {line:44} {value}")
        is_kept &= all(content[name].get("kept", {}).values())
    print(f"written: {file}")
    sys.exit(0 if is_kept else 1)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument(
        "--only", default="", help=f"of prediction, joined by commas: {', '.join(prediction.PARTS)}"
    )
    parser.add_argument("--peers", help="interpreter of an environment that has the peers")
    parser.add_argument("--work", type=Path, help="folder for data and runs, kept for next time")
    parser.add_argument(
        "--into", type=Path, help="add to this file of results; measured parts are left out"
    )
    words = parser.parse_args()
    unknown = [name for name in words.parts if name not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; expected one of {', '.join(PARTS)}")
    return words


if __name__ == "__main__":
    main()
