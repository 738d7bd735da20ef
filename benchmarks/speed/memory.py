"""Peak memory of training on a folder, and of predicting one very large image."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pixelwise.data.synthetic import make_case
from pixelwise.data.synthetic_files import write_dataset

TRAINING_LIMIT, PREDICTION_LIMIT = 3e9, 2.5e9
LARGE = 8192
N_STEPS = 6
"""The peak is reached in the first steps; each holds a whole batch."""


def measure() -> dict[str, Any]:
    """Peak resident bytes of the two commands, each in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, what = _training_data(folder)
        run = folder / "run"
        settings = ["--budget", "5m", "--set", f"training.steps={N_STEPS}"]
        training = peak_of_command("train", data, "--run", run, *settings)
        _write_large_image(folder / "large.png")
        out = folder / "out"
        prediction = peak_of_command("predict", run, folder / "large.png", "--out", out)
    return {
        "training_data": what,
        "training_peak_gb": round(training / 1e9, 2),
        "prediction_8192_rgb_peak_gb": round(prediction / 1e9, 2),
        "kept": {
            "training": training < TRAINING_LIMIT,
            "prediction": prediction < PREDICTION_LIMIT,
        },
    }


def _training_data(folder: Path) -> tuple[Path, str]:
    given = Path(os.environ.get("PIXELWISE_DATA", "")) / "chase-db1"
    if given.is_dir():
        return given.resolve(), "chase-db1"
    data = write_dataset(folder / "data", n_train=8, n_val=2, n_test=1, shape=(960, 999), seed=0)
    for path in (data / "images").iterdir():
        _in_colour(np.asarray(Image.open(path))).save(path)
    return data, "generated, 960 x 999, RGB"


def _write_large_image(path: Path) -> None:
    tile = make_case(0, (1024, 1024)).image
    _in_colour(np.tile(tile, (LARGE // 1024, LARGE // 1024))).save(path, compress_level=1)


def _in_colour(grey: np.ndarray[Any, np.dtype[np.uint8]]) -> Image.Image:
    return Image.fromarray(np.stack([grey, grey // 2, 255 - grey], axis=-1))


def peak_of_command(*words: object) -> float:
    """Peak resident bytes of one command. Exits if the command fails."""
    command = [sys.executable, "-m", "pixelwise", *(str(word) for word in words)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        error = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{error.decode()}")
    unit = 1 if sys.platform == "darwin" else 1024
    return float(usage.ru_maxrss * unit)
