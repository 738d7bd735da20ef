"""From a run on disk to the labels of a first image, in a fresh process, after imports."""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Any

from benchmarks.prediction.work import Work

REPEATS = 5
MOST_SECONDS = 2.0
EDGE = 512

_SCRIPT = """
import sys, time
import numpy as np
import pixelwise.commands.open_model, pixelwise.commands.export_test_pair
from pathlib import Path
image = np.random.default_rng(0).integers(0, 256, (1, EDGE, EDGE), np.uint8)
started = time.perf_counter()
model = pixelwise.commands.open_model.open_model(Path(sys.argv[1]))
labels = pixelwise.commands.export_test_pair.label_array(image, model.plan, model.opened)
print(time.perf_counter() - started)
""".replace("EDGE", str(EDGE))


def measure(work: Work) -> dict[str, Any]:
    """Seconds to load a network of width 32 and label an image with it."""
    run = work.wide_run()
    seconds = []
    for _ in range(REPEATS):
        words = [sys.executable, "-c", _SCRIPT, str(run.path)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        seconds.append(float(done.stdout))
    median = statistics.median(seconds)
    return {
        "what": f"unet of width 32, {EDGE} x {EDGE}",
        "seconds, median": round(median, 3),
        "seconds, most": round(max(seconds), 3),
        "kept": {"seconds": median < MOST_SECONDS},
    }
