"""What measured numbers depend on: commit, versions, processor, load."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from pixelwise.core.runtime import processor_name

RESULTS = Path(__file__).resolve().parents[1] / "results"
RECORDED = ("pixelwise", "torch", "numpy", "lightning-fabric", "click", "pillow", "tifffile")


def describe_machine(packages: Iterable[str] = RECORDED) -> dict[str, Any]:
    """What the numbers depend on; packages that are not installed are left out."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    installed = {str(d.metadata["Name"]).lower() for d in metadata.distributions()}
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "commit": commit,
        "python": platform.python_version(),
        "versions": {n: metadata.version(n) for n in packages if n.lower() in installed},
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "load_before": [round(value, 2) for value in os.getloadavg()],
    }
