"""How far resident memory rises while a pair of labels is measured, in a fresh process."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.runtime import peak_bytes
from pixelwise.metrics import measure

_STATUS = Path("/proc/self/status")
_FORGET_PEAK = Path("/proc/self/clear_refs")


def growth_of_measuring(
    truth: npt.NDArray[Any], predicted: npt.NDArray[Any], metrics: Sequence[str], tolerance: float
) -> int:
    """Bytes. In a process of its own: memory that was freed before would hide the growth."""
    with tempfile.TemporaryDirectory() as folder:
        for name, labels in (("truth", truth), ("predicted", predicted)):
            np.save(Path(folder) / f"{name}.npy", labels)
        command = [sys.executable, "-m", __name__, folder, ",".join(metrics), str(tolerance)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def peak_growth(call: Callable[[], object]) -> int:
    """Bytes. Linux can forget an earlier peak; elsewhere a higher one hides the growth."""
    try:
        _FORGET_PEAK.write_text("5")
    except OSError:
        before = peak_bytes()
        call()
        return peak_bytes() - before
    before = _bytes("VmRSS")
    call()
    return _bytes("VmHWM") - before


def _bytes(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", _STATUS.read_text())
    return int(found.group(1)) * 1024 if found else 0


def main(folder: str, names: str, tolerance: str) -> None:
    """Measure the pair in a folder, after a small one of the same kind, and print the growth."""
    truth, predicted = (np.load(Path(folder) / f"{n}.npy") for n in ("truth", "predicted"))
    metrics = [f"nsd:tolerance={tolerance}" if n == "nsd" else n for n in names.split(",")]
    small = np.zeros((8,) * truth.ndim, np.uint8)
    small[2:5, 2:5] = 1
    measure(small, np.roll(small, 1), metrics)
    print(peak_growth(lambda: measure(truth, predicted, metrics)))


if __name__ == "__main__":
    main(*sys.argv[1:])
