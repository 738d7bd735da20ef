"""How long `pixelwise --help` takes, and what importing the package loads."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

REPEATS = 9
LIMIT_SECONDS = 0.5
HEAVY = ("torch", "numpy", "scipy", "pydantic", "matplotlib", "PIL", "tifffile")


def measure() -> dict[str, Any]:
    """Median seconds of the help text, and the heavy modules that `import pixelwise` loads."""
    seconds = []
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "pixelwise", "--help"], capture_output=True, check=True
        )
        seconds.append(time.perf_counter() - started)
    script = f"import sys, pixelwise; print(*[n for n in {HEAVY!r} if n in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    median = statistics.median(seconds[1:])
    return {
        "help_seconds_median": round(median, 3),
        "help_seconds_best": round(min(seconds), 3),
        "heavy_modules_loaded_by_import": loaded,
        "kept": {"help": median < LIMIT_SECONDS, "import": "torch" not in loaded},
    }
