"""Runs the speed benchmarks and writes one dated file of results.

python -m benchmarks.speed [startup] [training] [memory] [dense] [scoring] [volumes]
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.speed import dense, memory, scoring, startup, training, volumes

PARTS = {
    "startup": startup.measure,
    "training": training.measure,
    "memory": memory.measure,
    "dense": dense.measure,
    "scoring": scoring.measure,
    "volumes": volumes.measure,
}
RESULTS = Path(__file__).resolve().parents[1] / "results"
RECORDED = ("pixelwise", "torch", "numpy", "lightning-fabric", "click", "pillow", "tifffile")


def describe_machine() -> dict[str, Any]:
    """What the numbers depend on."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "commit": commit,
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in RECORDED},
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "load_before": [round(value, 2) for value in os.getloadavg()],
    }


def processor_name() -> str:
    """As Linux names it, else as Python does."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main() -> None:
    """Measure the parts that were asked for, all by default."""
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        sys.exit(f"there is no part called {unknown[0]!r}; expected one of {', '.join(PARTS)}")
    content = describe_machine()
    is_kept = True
    for name in wanted:
        content[name] = PARTS[name]()
        for line, value in content[name].items():
            print(f"{name:9} {line:44} {value}")
        is_kept &= all(content[name].get("kept", {}).values())
    file = RESULTS / f"speed-{time.strftime('%Y-%m-%d-%H%M')}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"written: {file}")
    sys.exit(0 if is_kept else 1)


if __name__ == "__main__":
    main()
